"""Publish Python distributions from CI without stored secrets."""
