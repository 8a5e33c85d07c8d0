"""Who publishes: the identity of the CI job and the credential of a run."""
