"""Everything that an index is known to refuse, one file for each family of rules.

Importing this package registers every rule, in the order of the server's checks.
"""

from ci_publish.distributions.checks import archive, filename, metadata, sdist, sets, sizes, tags, wheel
from ci_publish.distributions.checks.rules import REGISTRY, Family, Rule, Subject
from ci_publish.distributions.checks.verdict import server_verdict
from ci_publish.distributions.findings import Refusal

FAMILIES = (metadata, filename, archive, sdist, wheel, tags, sets, sizes)

__all__ = ["FAMILIES", "REGISTRY", "Family", "Refusal", "Rule", "Subject", "server_verdict"]
