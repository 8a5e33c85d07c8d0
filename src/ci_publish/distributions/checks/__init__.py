"""Everything that an index is known to refuse, one module for each family of rules."""

from ci_publish.distributions.checks.rules import CheckedFile, Rule
from ci_publish.distributions.checks.server_response import pypi_upload_refusal
from ci_publish.distributions.checks.table import RULES, Family
from ci_publish.distributions.faults import ServerRefusal

__all__ = ["RULES", "CheckedFile", "Family", "Rule", "ServerRefusal", "pypi_upload_refusal"]
