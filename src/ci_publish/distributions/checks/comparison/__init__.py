"""Comparing a release with the previous one: wheels, versions, sizes and metadata."""
