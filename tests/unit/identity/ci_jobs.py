"""The environments of CI jobs."""

from collections.abc import Callable, Mapping

from ci_publish.identity.ci_environment import (
    CiEnvironment,
)

GITHUB_JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_EVENT_PATH": "/event.json",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://vstoken.example/idtoken?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
}


NO_PERMISSION = {name: value for name, value in GITHUB_JOB.items() if not name.startswith("ACTIONS")}


def environment_of(variables: Mapping[str, str], read_event: Callable[[str], bytes] = lambda _: b"") -> CiEnvironment:
    return CiEnvironment(variables, read_event=read_event, machine=lambda: "")
