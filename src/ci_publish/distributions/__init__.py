"""What is published: finding, reading and checking distributions."""

from ci_publish.distributions.local import LocalDistributions

__all__ = ["LocalDistributions"]
