"""The environment of a CI job: which CI it is, and why it has no identity token. No requests are sent."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ci_publish.errors import IdentityUnavailable
from ci_publish.identity import identity_errors
from ci_publish.model.identity import Provider

_LARGEST_EVENT = 32 * 1024 * 1024
_DMI_PRODUCT = Path("/sys/class/dmi/id/product_name")
_GOOGLE_PRODUCTS = frozenset({"Google", "Google Compute Engine"})
GITHUB_REQUEST = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")

_ENVIRONMENTS = (
    # The job's variables take precedence over the machine: a GitLab or Buildkite runner may be a Google machine.
    ("GITHUB_ACTIONS", Provider.GITHUB),
    ("BUILDKITE", Provider.BUILDKITE),
    ("GITLAB_CI", Provider.GITLAB),
    ("CIRCLECI", Provider.CIRCLECI),
    ("GOOGLE_SERVICE_ACCOUNT_NAME", Provider.GOOGLE),
)

# Runners that also set GITHUB_ACTIONS. If they issue identity tokens, they are their own issuer.
_RUNNERS = (("FORGEJO_ACTIONS", "Forgejo Actions"), ("GITEA_ACTIONS", "Gitea Actions"), ("ACT", "act"))


def github_compatible_runner(environ: Mapping[str, str]) -> str | None:
    """Return the name of a runner that sets GitHub's variables without being GitHub's; None for every other one."""
    return next((name for variable, name in _RUNNERS if environ.get(variable) not in {None, "", "false"}), None)


def read_machine_product() -> str:
    """Return the product name in the machine's firmware; empty if there is none."""
    try:
        return _DMI_PRODUCT.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def read_github_event(path: str) -> bytes:
    """Return the payload of the event that started a GitHub workflow; empty if it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(_LARGEST_EVENT)
    except (OSError, ValueError):
        return b""


def gitlab_id_token_variable(audience: str) -> str:
    """Return the name of the variable in which a GitLab job finds its token for *audience* (the rule of ``id``)."""
    return f"{re.sub(r'[^A-Z0-9_]|^[^A-Z_]', '_', audience.upper())}_ID_TOKEN"


def is_fork_pull_request(payload: bytes) -> bool:
    """Return whether a GitHub event's payload is about a pull request from another repository."""
    try:
        pull_request = json.loads(payload)["pull_request"]
        head, base = pull_request["head"]["repo"], pull_request["base"]["repo"]
        return head is None or bool(head["full_name"] != base["full_name"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


class CiEnvironment:
    """The variables of a CI job, the event that started it, and the machine that it runs on."""

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        read_event: Callable[[str], bytes] = read_github_event,
        machine: Callable[[], str] = read_machine_product,
    ) -> None:
        self.variables = variables
        self._read_event = read_event
        # Any value counts, as in ``id``: gitlab-ci-local says ``GITLAB_CI=false``.
        self.provider = next((provider for name, provider in _ENVIRONMENTS if variables.get(name)), None)
        if self.provider is None and machine() in _GOOGLE_PRODUCTS:
            self.provider = Provider.GOOGLE

    def can_request_identity_token(self) -> bool:
        """Return whether the environment has the variables that a request for an identity token needs."""
        match self.provider:
            case None:
                return False
            case Provider.GITHUB:
                return all(self.variables.get(name) for name in GITHUB_REQUEST)
            case Provider.GITLAB:
                return any(value and name.endswith("_ID_TOKEN") for name, value in self.variables.items())
            case _:
                return True

    def missing_identity_error(self, audience: str | None) -> IdentityUnavailable | None:
        """Return why no token can be fetched, as far as the environment shows; None if nothing is missing.

        If *audience* is None, it is not known yet, and GitLab's variable for it is not checked.
        """
        match self.provider:
            case None:
                return identity_errors.no_ci_identity_error()
            case Provider.GITHUB:
                return self._missing_github_identity()
            case Provider.GITLAB if audience is not None:
                name = gitlab_id_token_variable(audience)
                return (
                    None if self.variables.get(name) else identity_errors.gitlab_id_token_missing_error(name, audience)
                )
            case _:
                return None

    def _missing_github_identity(self) -> IdentityUnavailable | None:
        event = self.variables.get("GITHUB_EVENT_NAME", "")
        if event == "pull_request_target":
            return identity_errors.pull_request_target_error()
        absent = [name for name in GITHUB_REQUEST if not self.variables.get(name)]
        if not absent:
            return None
        if (other := github_compatible_runner(self.variables)) is not None:
            return identity_errors.runner_without_identity_error(other)
        if is_fork_pull_request(self._read_event(self.variables.get("GITHUB_EVENT_PATH", ""))):
            return identity_errors.fork_pull_request_error(event)
        return identity_errors.no_id_token_permission_error(absent[0])
