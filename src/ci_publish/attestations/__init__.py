"""Signing and verifying PEP 740 attestations."""
