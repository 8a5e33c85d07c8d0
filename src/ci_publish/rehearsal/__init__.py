"""The world on loopback: an index, a CI identity provider and a Sigstore, for rehearsals and tests."""
