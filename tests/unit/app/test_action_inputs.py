"""Inputs without our mark: what would silently not happen stops the run."""

from typing import Any

import pytest

from ci_publish.app.action_inputs import refuse_ignored_inputs
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError

ACTION = {"CI_PUBLISH_ACTION": "docker"}

IGNORED = [
    ("publish", {"INPUT_REHEARSE": "true"}, {}),
    ("plan", {"INPUT_REHEARSE": "yes"}, {}),
    ("attest", {"INPUT_REHEARSE": "true"}, {}),
    ("doctor", {"INPUT_REHEARSE": "true"}, {"dry_run": True}),
    ("publish", {"INPUT_DRY-RUN": "true"}, {}),
    ("publish", {"INPUT_DRY_RUN": "true"}, {}),
    ("publish", {"INPUT_REPOSITORY-URL": "testpypi"}, {}),
    ("publish", {"INPUT_REPOSITORY_URL": "testpypi"}, {"repository_url": ("testpypi", "pypi")}),
    ("rehearse", {"INPUT_REPOSITORY-URL": "https://user:canary@h.example/"}, {}),
]
FOLLOWED = [
    ("rehearse", {"INPUT_REHEARSE": "true", "INPUT_DRY-RUN": "true"}, {}),
    ("publish", {"INPUT_REHEARSE": "true", "INPUT_DRY-RUN": "true"}, {"rehearse": True}),
    ("publish", {"INPUT_REHEARSE": "false", "INPUT_DRY-RUN": "False"}, {}),
    ("publish", {"INPUT_DRY-RUN": "true"}, {"dry_run": True}),
    ("plan", {"INPUT_DRY-RUN": "true"}, {}),
    ("publish", {"INPUT_REPOSITORY-URL": "pypi"}, {}),
    ("publish", {"INPUT_REPOSITORY-URL": "https://upload.pypi.org/legacy/"}, {}),
    ("publish", {"INPUT_REPOSITORY-URL": "nonsense"}, {"repository_url": ("nonsense",)}),
    ("publish", {"INPUT_REPOSITORY-URL": "", "INPUT_JOBS": "3"}, {}),
    ("publish", {"INPUT_REHEARSE": "true", **ACTION}, {}),
    *((command, {"INPUT_REHEARSE": "true"}, {}) for command in ("check", "verify", "settings")),
]


@pytest.mark.parametrize(("command", "environ", "values"), IGNORED)
def test_an_ignored_input_that_says_where_or_whether_to_publish_stops_the_run(
    command: str, environ: dict[str, str], values: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(environ))) as caught:
        refuse_ignored_inputs(command, Settings(**values), environ)
    assert "env: {CI_PUBLISH_ACTION: docker}" in caught.value.hints[0]
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("command", "environ", "values"), FOLLOWED)
def test_an_ignored_input_that_the_run_follows_anyway_does_not_stop_it(
    command: str, environ: dict[str, str], values: dict[str, Any]
) -> None:
    refuse_ignored_inputs(command, Settings(**values), environ)
