"""The main job: the whole staircase over real HTTP with real signatures, in a world of its own."""

import json
from pathlib import Path

import pytest

from tests.distributions import make_release, make_wheel
from tests.e2e.conftest import Cli
from tests.faults.server import FaultServer, answering
from tests.unit.identity.credential_harness import macaroon

pytestmark = pytest.mark.e2e


def test_a_rehearsal_publishes_everything_with_provenance(cli: Cli) -> None:
    make_release(cli.folder / "dist")
    result = cli("rehearse")
    assert result.code == 0, result.stdout + result.stderr
    assert result.receipt["outcome"] == "rehearsed"
    assert [file["status"] for file in result.receipt["files"]] == ["uploaded", "uploaded"]
    for file in result.receipt["files"]:
        assert file["listed"] is True
        assert file["provenance_verified"] is True
        assert file["attestations"][0]["verified"] is True
    assert list(result.receipt["timings"]) == [
        "collect", "check", "plan", "authenticate", "sign", "upload", "confirm",
    ]  # fmt: skip


def test_a_second_run_in_the_same_world_mints_and_signs_nothing(cli: Cli) -> None:
    make_release(cli.folder / "dist")
    world = cli.folder / "world"
    assert cli("rehearse", "--world", world).code == 0
    again = cli("rehearse", "--world", world)
    assert again.code == 0
    assert [file["status"] for file in again.receipt["files"]] == ["already-published"] * 2
    assert not {"authenticate", "sign", "upload"} & again.receipt["timings"].keys()
    assert again.receipt["indexes"][0]["credential"]["burnt"] is None


def test_dist_is_left_as_it_was(cli: Cli) -> None:
    paths = make_release(cli.folder / "dist")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    assert cli("rehearse", "--attestations-dir", "out").code == 0
    assert sorted((cli.folder / "dist").iterdir()) == sorted(paths)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths} == before
    written = sorted(path.name for path in (cli.folder / "out").iterdir())
    assert written == sorted(f"{path.name}.publish.attestation" for path in paths)


def test_json_on_stdout_is_the_receipt_and_nothing_else(cli: Cli) -> None:
    make_release(cli.folder / "dist")
    result = cli("rehearse", "--output", "json")
    assert result.code == 0
    assert json.loads(result.stdout) == result.receipt


def test_over_tls(cli: Cli) -> None:
    make_release(cli.folder / "dist")
    result = cli("rehearse", "--tls")
    assert result.code == 0, result.stdout + result.stderr
    assert result.receipt["indexes"][0]["repository_url"].startswith("https://")


def test_publish_with_the_input_rehearse_rehearses(cli: Cli) -> None:
    make_release(cli.folder / "dist")
    environment = {"CI_PUBLISH_ACTION": "1", "INPUT_REHEARSE": "true"}
    result = cli("publish", **environment)
    assert result.code == 0
    assert result.receipt["outcome"] == "rehearsed"


def test_a_path_that_does_not_exist_is_nothing_to_publish(cli: Cli) -> None:
    assert cli("rehearse", "nowhere").code == 3


def test_a_platform_that_pypi_does_not_know_yet_is_tried_first_and_nothing_else_is_sent(cli: Cli) -> None:
    make_release(cli.folder / "dist")
    make_wheel(cli.folder / "dist", tag="cp313-cp313-macosx_27_0_arm64")
    result = cli("rehearse")
    assert result.code == 9, result.stdout + result.stderr
    statuses = {file["filename"]: file["status"] for file in result.receipt["files"]}
    assert statuses.pop("demo-1.0-cp313-cp313-macosx_27_0_arm64.whl") == "refused"
    assert "uploaded" not in statuses.values()


def test_a_project_named_like_a_module_is_refused_before_anything_is_signed(cli: Cli) -> None:
    make_wheel(cli.folder / "dist", "smtplib")
    result = cli("rehearse")
    assert result.code == 9, result.stdout + result.stderr
    assert not {"sign", "upload"} & result.receipt["timings"].keys()


@pytest.mark.parametrize(
    ("variable", "arguments"),
    [("HTTP_PROXY", ()), ("ALL_PROXY", ()), ("all_proxy", ("--tls",)), ("HTTPS_PROXY", ("--tls",))],
)
def test_no_request_of_a_rehearsal_goes_through_a_proxy(cli: Cli, variable: str, arguments: tuple[str, ...]) -> None:
    make_release(cli.folder / "dist")
    with FaultServer(looks=[answering(502)] * 100) as proxy:
        result = cli("rehearse", *arguments, **{variable: proxy.url})
        assert proxy.looks_seen == []
    assert result.code == 0, result.stdout + result.stderr
    assert [file["provenance_verified"] for file in result.receipt["files"]] == [True, True]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("command", ["publish", "plan", "doctor", "verify"])
def test_a_proxy_that_requires_authentication_stops_at_once(cli: Cli, command: str, variable: str) -> None:
    make_release(cli.folder / "dist")
    with FaultServer(looks=[answering(407, reason="Who are you?")] * 20) as proxy:
        result = cli(command, CI_PUBLISH_PASSWORD=macaroon(), **{variable: proxy.url})
    assert result.code == 2, result.stdout + result.stderr
    assert f"({variable}) requires authentication: 407 Who are you?" in result.stdout + result.stderr
    assert "retry" not in result.stdout
    assert "proxy-authentication-required" in result.stdout + result.stderr


def in_subfolders(folder: Path) -> None:
    make_release(folder / "dist")
    make_wheel(folder / "dist" / "wheels-linux", tag="cp312-cp312-manylinux_2_28_x86_64", payload=b"x = 2\n")


@pytest.mark.parametrize("command", ["rehearse", "publish", "plan", "check", "attest", "verify"])
def test_a_release_with_wheels_in_subfolders_is_refused_before_anything_is_sent(cli: Cli, command: str) -> None:
    in_subfolders(cli.folder)
    with FaultServer() as index:
        outside = {"CI_PUBLISH_REPOSITORY_URL": index.upload_url, "CI_PUBLISH_INDEX_PROFILE": "pypi"}
        arguments = ("--output-dir", "out") if command == "attest" else ()
        credential = {} if command == "attest" else {"CI_PUBLISH_PASSWORD": "secret"}
        result = cli(command, *arguments, **credential, **outside)
        assert index.uploads == []
    assert result.code == 4, result.stdout + result.stderr
    assert "[distributions-in-subfolders]" in result.stdout + result.stderr
    assert "`dist/**`" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "files"),
    [
        (("--recursive",), {}, 3),
        (("dist/**",), {}, 3),
        ((), {"CI_PUBLISH_RECURSIVE": "true"}, 3),
        (("--ignore-subfolders",), {}, 2),
        ((), {"CI_PUBLISH_IGNORE_SUBFOLDERS": "true"}, 2),
    ],
)
def test_wheels_in_subfolders_are_taken_or_left_as_the_user_says(
    cli: Cli, arguments: tuple[str, ...], environment: dict[str, str], files: int
) -> None:
    in_subfolders(cli.folder)
    result = cli("rehearse", "--strict", *arguments, **environment)
    assert result.code == 0, result.stdout + result.stderr
    assert [file["status"] for file in result.receipt["files"]] == ["uploaded"] * files


def test_subfolders_cannot_be_taken_and_left(cli: Cli) -> None:
    in_subfolders(cli.folder)
    result = cli("check", "--recursive", "--ignore-subfolders")
    assert result.code == 2
    assert "--ignore-subfolders contradicts recursive" in result.stdout


@pytest.mark.parametrize("tag", ["", "demo-9.0"])
def test_the_tag_is_that_of_the_user_s_own_job_and_not_the_simulated_one(cli: Cli, tag: str) -> None:
    make_wheel(cli.folder / "dist")
    job = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": tag} if tag else {}
    result = cli("rehearse", "--version-tag", "error", **job)
    assert result.code == (4 if tag else 0)
    assert "v1.0.0" not in result.stdout + result.stderr
    assert ("demo-9.0" in result.stdout) is bool(tag)
