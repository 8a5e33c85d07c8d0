"""Test installations of the rehearsed files, in processes without secrets."""
