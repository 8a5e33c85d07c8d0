"""What is vouched for: signing and verifying PEP 740 attestations."""
