"""Everything that an index is known to refuse, one file for each family of rules.

Importing this package registers every rule, in the order of the server's checks.
"""

from ci_publish.distributions.checks import archive, filename, metadata, sdist, sets, sizes, tags, wheel
from ci_publish.distributions.checks.rules import REGISTRY, CheckedFile, Family, Rule
from ci_publish.distributions.checks.server_response import server_refusal
from ci_publish.distributions.faults import ServerRefusal

FAMILIES = (metadata, filename, archive, sdist, wheel, tags, sets, sizes)

__all__ = ["FAMILIES", "REGISTRY", "CheckedFile", "Family", "Rule", "ServerRefusal", "server_refusal"]
