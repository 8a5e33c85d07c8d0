"""The simulated services on loopback: an index, a CI identity provider and Sigstore, for rehearsals and tests."""
