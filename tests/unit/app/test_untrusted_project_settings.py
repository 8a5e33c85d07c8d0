"""The checkout's pyproject.toml: where it may not say where secrets go, and what the log says where it does."""

from pathlib import Path

import pytest

from ci_publish.app.commands import COMMANDS, Command, execute
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import declared_options
from ci_publish.app.settings_sources import load_settings
from ci_publish.app.untrusted_project_settings import DECISIVE, why_foreign_code_is_visible
from ci_publish.errors import ConfigurationError
from ci_publish.model.events import Event, Noted, Outcome

PULL_REQUEST = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"}
CORP = "https://corp.example/legacy/"
SECRET = {"CI_PUBLISH_PASSWORD": "hunter2"}

FOREIGN: tuple[dict[str, str], ...] = (
    {"GITHUB_EVENT_NAME": "pull_request"},
    {"GITHUB_EVENT_NAME": "pull_request_target"},
    {"GITHUB_EVENT_NAME": "pull_request_review"},
    {"GITHUB_EVENT_NAME": "pull_request_review_comment"},
    {"GITHUB_EVENT_NAME": "workflow_run"},
    {"GITHUB_EVENT_NAME": "issue_comment"},
    {"GITHUB_EVENT_NAME": "repository_dispatch", "GITHUB_REF": "refs/pull/7/merge"},
    {"CI_PIPELINE_SOURCE": "merge_request_event"},
    {"CI_PIPELINE_SOURCE": "external_pull_request_event"},
    {"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_MERGE_REQUEST_IID": "7"},
    {"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_EXTERNAL_PULL_REQUEST_IID": "7"},
    {"BUILDKITE_PULL_REQUEST": "7"},
    {"CIRCLE_PR_NUMBER": "7"},
)
OWN: tuple[dict[str, str], ...] = (
    {},
    {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/v1"},
    {"GITHUB_EVENT_NAME": "release"},
    {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF": "refs/heads/pull/7"},
    {"CI_PIPELINE_SOURCE": "push", "CI_MERGE_REQUEST_IID": ""},
    {"BUILDKITE_PULL_REQUEST": "false"},
)
WORDS = {
    "repository-url": f'"{CORP}"',
    "index-url": '"https://pypi.org/simple/"',
    "user": '"me"',
    "anonymous": "true",
    "allow-http": '["corp.example", "b.example"]',
    "sigstore-trust-config": '"trust.json"',
    "audience": '"acme"',
    "config-file": '"pypirc"',
    "publisher": '["github:octo-org/demo"]',
    "attested-by": '["github:octo-org/demo"]',
    "builder": '["github:octo-org/ci"]',
    "source": '["github:octo-org/demo"]',
}
VALUES = {key: value for key, value in WORDS.items() if key.replace("-", "_") in declared_options()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pypirc").write_text("")
    return tmp_path


class Ran:
    """What ran instead of a command, and what it was told."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.events: list[Event] = []

    def table(self) -> dict[str, Command]:
        def recording(name: str) -> Command:
            def run(_: object) -> Outcome:
                self.commands.append(name)
                return Outcome.READY

            return Command("", run)

        return {name: recording(name) for name in COMMANDS}

    def execute(self, command: str, environ: dict[str, str], toml: str = "", **flags: object) -> None:
        Path("pyproject.toml").write_text(toml)
        loaded = load_settings(flags, environ, Path("pyproject.toml"))
        execute(command, loaded, RuntimeContext(environ=environ, emit=self.events.append), commands=self.table())

    def notes(self) -> list[Noted]:
        return [event for event in self.events if isinstance(event, Noted)]


def refused(command: str, environ: dict[str, str], toml: str = "", **flags: object) -> str:
    ran = Ran()
    with pytest.raises(ConfigurationError) as caught:
        ran.execute(command, environ, toml, **flags)
    assert not ran.commands
    return "\n".join((caught.value.summary, caught.value.detail, *caught.value.hints))


def ours(key: str) -> str:
    return f"[tool.ci-publish]\n{key} = {VALUES[key]}\n"


def test_every_option_that_decides_is_tried() -> None:
    assert {key.replace("-", "_") for key in VALUES} == set(DECISIVE) & set(declared_options())


@pytest.mark.parametrize("environ", FOREIGN)
def test_runs_that_can_see_foreign_code_are_known(environ: dict[str, str]) -> None:
    assert why_foreign_code_is_visible(environ)
    told = refused("publish", environ, ours("repository-url"))
    assert why_foreign_code_is_visible(environ) in told


@pytest.mark.parametrize("environ", OWN)
def test_all_other_runs_honour_the_file_and_say_so_first(environ: dict[str, str]) -> None:
    assert not why_foreign_code_is_visible(environ)
    ran = Ran()
    ran.execute("publish", environ, ours("repository-url"))
    assert ran.commands == ["publish"]
    first = ran.notes()[0]
    assert first.slug == "destination-from-project"
    assert first.message == (f"The destination comes from pyproject.toml: {CORP} ([tool.ci-publish] repository-url).")
    assert ran.events.index(first) == 1, "right after the run began"


@pytest.mark.parametrize("key", VALUES)
def test_none_of_these_comes_from_a_file_that_others_can_change(key: str) -> None:
    told = refused("publish", PULL_REQUEST, ours(key))
    assert f"publish would take {key} from pyproject.toml" in told
    assert "If nobody else can change this checkout: --trust-project-settings" in told
    assert f"--{key}" in told or f"CI_PUBLISH_{key.replace('-', '_').upper()}=" in told
    Ran().execute("publish", {**PULL_REQUEST, "CI_PUBLISH_TRUST_PROJECT_SETTINGS": "true"}, ours(key))


@pytest.mark.parametrize("key", ["repository-url", "index-url", "allow-http", "sigstore-trust-config", "audience"])
@pytest.mark.parametrize(
    ("command", "environ"),
    [
        ("publish", {}),
        ("publish", SECRET),
        ("attest", {}),
        ("plan", SECRET),
        ("plan", {"CI_PUBLISH_PROVE_CREDENTIAL": "true"}),
        ("plan", {"CI_PUBLISH_KEYRING": "true"}),
        ("publish", {"CI_PUBLISH_DRY_RUN": "true", **SECRET}),
        ("verify", SECRET),
        ("doctor", {}),
    ],
)
def test_commands_that_send_a_secret_or_request_an_identity_stop(
    command: str, environ: dict[str, str], key: str
) -> None:
    assert "from pyproject.toml" in refused(command, {**PULL_REQUEST, **environ}, ours(key))


@pytest.mark.parametrize(
    ("command", "environ", "runs"),
    [
        ("check", SECRET, "check"),
        ("rehearse", SECRET, "rehearse"),
        ("publish", {"CI_PUBLISH_REHEARSE": "true", **SECRET}, "rehearse"),
        ("plan", {}, "plan"),
        ("plan", {"CI_PUBLISH_PASSWORD": ""}, "plan"),
        ("verify", {}, "verify"),
        ("settings", SECRET, "settings"),
    ],
)
def test_commands_that_send_none_honour_the_file(command: str, environ: dict[str, str], runs: str) -> None:
    ran = Ran()
    ran.execute(command, {**PULL_REQUEST, **environ}, ours("repository-url"))
    assert ran.commands == [runs]


@pytest.mark.parametrize("key", ["publisher", "attested-by", "builder", "source", "sigstore-trust-config"])
def test_the_file_does_not_say_whose_provenance_verify_believes(key: str) -> None:
    told = refused("verify", PULL_REQUEST, ours(key))
    assert f"verify would take {key} from pyproject.toml" in told
    assert "and thereby whose provenance is trusted:" in told
    ran = Ran()
    ran.execute("verify", {}, ours(key))
    ran.execute("verify", {**PULL_REQUEST, "CI_PUBLISH_TRUST_PROJECT_SETTINGS": "true"}, ours(key))
    ran.execute("check", PULL_REQUEST, ours(key))
    ran.execute("plan", PULL_REQUEST, ours(key))
    assert ran.commands == ["verify", "verify", "check", "plan"]


def test_the_file_does_not_keep_verify_from_looking_for_provenance() -> None:
    toml = '[tool.ci-publish]\nattestations = "{}"\n'
    assert "verify would take attestations from pyproject.toml" in refused("verify", PULL_REQUEST, toml.format("off"))
    ran = Ran()
    ran.execute("verify", PULL_REQUEST, toml.format("required"))
    ran.execute("verify", PULL_REQUEST, toml.format("off"), attestations="off")
    ran.execute("verify", {}, toml.format("off"))
    ran.execute("publish", PULL_REQUEST, toml.format("off"))
    assert ran.commands == ["verify", "verify", "verify", "publish"]


def test_what_is_named_outside_the_file_counts() -> None:
    ran = Ran()
    ran.execute("publish", PULL_REQUEST, ours("repository-url"), repository_url=(CORP,))
    ran.execute("publish", {**PULL_REQUEST, "CI_PUBLISH_REPOSITORY_URL": "testpypi"}, ours("repository-url"))
    ran.execute("publish", PULL_REQUEST, '[tool.ci-publish]\nrepository-url = "pypi"\nanonymous = false\n')
    ran.execute("publish", PULL_REQUEST, "[tool.ci-publish]\nstrict = true\njobs = 2\n")
    assert ran.commands == ["publish"] * 4
    assert not ran.notes()


UV = f'[[tool.uv.index]]\nname = "corp"\nurl = "https://corp.example/simple/"\npublish-url = "{CORP}"\n'


def test_a_name_that_the_file_explains_is_decided_by_the_file() -> None:
    environ = {**PULL_REQUEST, "CI_PUBLISH_REPOSITORY_URL": "corp"}
    told = refused("publish", environ, UV)
    assert f"[[tool.uv.index]] corp: {CORP}" in told
    assert f"--repository-url {CORP}" in told
    assert "[[tool.uv.index]] corp" in refused("publish", {**PULL_REQUEST, "UV_PUBLISH_INDEX": "corp"}, UV)
    ran = Ran()
    ran.execute("publish", {"CI_PUBLISH_REPOSITORY_URL": "corp"}, UV)
    ran.execute("publish", {**PULL_REQUEST, "CI_PUBLISH_REPOSITORY_URL": CORP}, UV)
    ran.execute("publish", {**PULL_REQUEST, "UV_PUBLISH_URL": CORP}, UV)
    assert ran.notes()[0].slug == "destination-from-project"
    assert len([note for note in ran.notes() if note.slug == "destination-from-project"]) == 1


NEVER_IN_A_FILE = {
    "token-for": '"x"',
    "token_for": '"x"',
    "trust-project-settings": "true",
    "install-with-credentials": "true",
}


@pytest.mark.parametrize(("key", "value"), NEVER_IN_A_FILE.items())
@pytest.mark.parametrize("command", ["publish", "check"])
def test_what_is_never_read_from_a_file_is_an_error_there(key: str, value: str, command: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{key}: never read from a file"):
        Ran().execute(command, {}, f"[tool.ci-publish]\n{key} = {value}\n")


@pytest.mark.parametrize("key", ["password", "token"])
@pytest.mark.parametrize("command", ["publish", "check"])
def test_a_secret_in_a_file_is_an_error_there(key: str, command: str) -> None:
    with pytest.raises(ConfigurationError, match=key):
        Ran().execute(command, {}, f'[tool.ci-publish]\n{key} = "x"\n')


def test_a_file_cannot_trust_itself() -> None:
    toml = ours("repository-url") + "trust-project-settings = true\n"
    with pytest.raises(ConfigurationError, match="never read from a file"):
        Ran().execute("publish", PULL_REQUEST, toml)


def test_the_lines_to_write_are_those_of_the_front_end() -> None:
    toml = ours("allow-http") + f"repository-url = {VALUES['repository-url']}\n"
    action = refused("publish", {**PULL_REQUEST, "CI_PUBLISH_ACTION": "docker"}, toml)
    assert f"below `with:`\n  repository-url: {CORP}\n  allow-http: |\n    corp.example\n    b.example" in action
    pipeline = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"}
    assert f"below `variables:`\n  CI_PUBLISH_REPOSITORY_URL: {CORP}" in refused("publish", pipeline, toml)
    told = refused("publish", PULL_REQUEST, toml)
    assert f"--repository-url {CORP} --allow-http corp.example --allow-http b.example" in told


def test_what_a_front_end_has_no_name_for_is_written_as_a_variable() -> None:
    toml = ours("publisher")
    assert "CI_PUBLISH_PUBLISHER=github:octo-org/demo" in refused("publish", PULL_REQUEST, toml)
    assert "--publisher github:octo-org/demo" in refused("verify", {**PULL_REQUEST, **SECRET}, toml)
    told = refused("publish", {**PULL_REQUEST, "CI_PUBLISH_ACTION": "docker"}, toml)
    assert "below `env:`\n  CI_PUBLISH_PUBLISHER: github:octo-org/demo" in told
    assert "below `with:`" not in told


def test_values_of_others_are_quoted_in_the_lines_to_write() -> None:
    toml = '[tool.ci-publish]\nuser = "me; rm -rf ~"\n'
    assert "--user 'me; rm -rf ~'" in refused("publish", PULL_REQUEST, toml)
    assert '  user: "me; rm -rf ~"' in refused("publish", {**PULL_REQUEST, "CI_PUBLISH_ACTION": "1"}, toml)


WEAKER = '[tool.ci-publish.rules]\nwheel-lost = "note"\n'
STRICTER = '[tool.ci-publish.rules]\nwheel-lost = "error"\n'


def test_the_file_makes_rules_stricter_and_not_weaker_where_others_can_change_it() -> None:
    told = refused("publish", PULL_REQUEST, WEAKER)
    assert "publish would take rules from pyproject.toml" in told
    assert "which problems stop a run" in told
    assert "CI_PUBLISH_RULES" in told or "--rules" in told
    refused("plan", {**PULL_REQUEST, **SECRET}, WEAKER)
    for command, toml in (("publish", STRICTER), ("check", WEAKER), ("diff", WEAKER), ("rehearse", WEAKER)):
        ran = Ran()
        ran.execute(command, PULL_REQUEST, toml)
        assert ran.commands == [command]
    ran = Ran()
    ran.execute("publish", {}, WEAKER)
    assert ran.commands == ["publish"]


def test_what_a_release_must_be_like_is_honoured_from_the_file_everywhere() -> None:
    ran = Ran()
    ran.execute("publish", PULL_REQUEST, '[tool.ci-publish]\nexpect-wheels = ["cp312-*"]\nfile-size-limit = "1 MiB"\n')
    assert ran.commands == ["publish"]
