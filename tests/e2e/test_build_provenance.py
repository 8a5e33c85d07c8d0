"""Build provenance from the job that builds to the user who verifies: made, used, omitted, demanded."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Response

from ci_publish.model.attestation import Subject
from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell, hooked
from tests.unit.attestations.tamperings import STRANGERS, TAMPERINGS, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIEnvironment

    from tests.e2e.conftest import Result

pytestmark = pytest.mark.e2e

NUMBERS = itertools.count()
BUILDER = "ci-publish/ci-publish/.github/workflows/build-with-provenance.yml@refs/tags/v1.0.0"
BUILDER_URI = f"https://github.com/{BUILDER}"
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
SLSA = "https://slsa.dev/provenance/v1"


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "dist", f"built{next(NUMBERS)}")
    (tmp_path / "summary.md").touch()
    return Shell(tmp_path)


def job(shell: Shell, world: RehearsalWorld) -> Shell:
    inside = shell.in_job_of(world, "github")
    return Shell(shell.folder, {**inside.environment, "GITHUB_STEP_SUMMARY": str(shell.folder / "summary.md")})


def build(shell: Shell, world: RehearsalWorld, *arguments: str, folder: str = "dist", **claims: str) -> Result:
    """Make build provenance as a job of a reusable workflow that the release workflow calls."""
    builder = shell.in_job_of(
        world, "github", **simulated_github_claims(**{"reusable_workflow_ref": BUILDER, **claims})
    )
    result = builder("attest", "--build", "--output-dir", folder, *arguments)
    assert result.code == 0, result.stdout
    return result


def served(world: RehearsalWorld, name: str) -> list[str]:
    provenance = world.index.files[name].provenance
    assert provenance is not None
    return sorted(
        json.loads(base64.b64decode(item["envelope"]["statement"]))["predicateType"]
        for bundle in provenance["attestation_bundles"]
        for item in bundle["attestations"]
    )


def names() -> list[str]:
    return sorted(path.name for path in Path("dist").iterdir() if path.name.endswith((".whl", ".tar.gz")))


def test_both_attestations_of_each_file_are_served_and_can_be_demanded(world: RehearsalWorld, shell: Shell) -> None:
    made = build(shell, world)
    assert [entry["signer"] for file in made.receipt["files"] for entry in file["attestations"]] == [BUILDER_URI] * 2

    published = job(shell, world)("publish", "--build-provenance", "required")

    assert published.code == 0, published.stdout
    assert [served(world, name) for name in names()] == [[PUBLISH, SLSA]] * 2
    build_said = (
        f"built by {BUILDER_URI} from github:octo-org/demo:release.yml at commit {simulated_github_claims()['sha']}"
    )
    assert build_said in published.stdout
    summary = (shell.folder / "summary.md").read_text(encoding="utf-8")
    assert "| Files | Builder | Source | Commit |" in summary
    assert BUILDER.partition("/.github")[0] in summary
    entries = [entry for file in published.receipt["files"] for entry in file["attestations"]]
    assert {(each["predicate_type"], each["source"], each["commit"]) for each in entries} == {
        (kind, "https://github.com/octo-org/demo", simulated_github_claims()["sha"]) for kind in (PUBLISH, SLSA)
    }

    verified = job(shell, world)(
        *(
            "verify",
            "--require-build-provenance",
            "--builder",
            "github:ci-publish/ci-publish:build-with-provenance.yml",
        ),
        *("--source", "github:octo-org/demo:release.yml"),
    )
    assert verified.code == 0, verified.stdout
    assert build_said in verified.stdout.splitlines()[-1]


def test_another_builder_or_source_is_exit_code_11(world: RehearsalWorld, shell: Shell) -> None:
    build(shell, world)
    assert job(shell, world)("publish").code == 0
    built_by, built_from = "github:ci-publish/ci-publish:build-with-provenance.yml", "github:octo-org/demo:release.yml"

    for option, demanded, said in (
        ("--builder", "github:octo-org/demo", f"built by {built_by}, not by github:octo-org/demo"),
        ("--builder", "github:ci-publish/ci-publish:build.yml", "not by github:ci-publish/ci-publish:build.yml"),
        ("--source", "github:octo-org/other", f"built from {built_from}, not from github:octo-org/other"),
        ("--source", "github:octo-org/demo:nightly.yml", "not from github:octo-org/demo:nightly.yml"),
    ):
        result = job(shell, world)("verify", option, demanded)
        assert result.code == 11, result.stdout
        assert result.receipt["error"]["slug"] == "build-provenance-unverified"
        assert said in result.receipt["error"]["detail"]


def test_a_release_without_build_provenance_cannot_be_demanded_to_have_it(world: RehearsalWorld, shell: Shell) -> None:
    inside = job(shell, world)
    assert inside("publish").code == 0
    assert inside("verify").code == 0

    result = inside("verify", "--require-build-provenance")

    assert result.code == 11, result.stdout
    assert "no build provenance is served" in result.receipt["error"]["detail"]
    contradiction = inside("verify", "--require-build-provenance", "--attestations", "off")
    assert contradiction.code == 2


def test_names_and_digests_are_enough(world: RehearsalWorld, shell: Shell) -> None:
    checked = shell("check").receipt
    Path("files.json").write_text(json.dumps(checked["files"]), encoding="utf-8")
    hidden = Path("dist").rename("elsewhere")

    made = build(shell, world, "--subjects", "files.json", folder="provenance")

    assert {file["sha256"] for file in made.receipt["files"]} == {file["sha256"] for file in checked["files"]}
    assert {path.name for path in Path("provenance").iterdir()} == {
        f"{file['filename']}.slsa.attestation" for file in checked["files"]
    }
    hidden.rename("dist")
    result = job(shell, world)("publish", "--attestations-dir", "provenance", "--build-provenance", "required")
    assert result.code == 0, result.stdout
    assert [served(world, name) for name in names()] == [[PUBLISH, SLSA]] * 2
    assert len(list(Path("provenance").glob("*.publish.attestation"))) == 2


def traces(world: RehearsalWorld) -> tuple[int, int, int]:
    return len(world.index.mint_log), len(world.sigstore.entries), len(world.index.files)


@pytest.mark.parametrize(
    ("claims", "said"),
    [({"workflow": "nightly.yml"}, "nightly.yml"), ({"sha": "b" * 40}, f"from commit {'b' * 40}")],
    ids=["workflow", "commit"],
)
def test_build_provenance_for_something_else_is_omitted_or_refused(
    world: RehearsalWorld, shell: Shell, claims: dict[str, str], said: str
) -> None:
    build(shell, world, **claims)
    before = traces(world)

    required = job(shell, world)("publish", "--build-provenance", "required")

    assert required.code == 7, required.stdout
    assert required.receipt["error"]["slug"] == "build-provenance-missing"
    assert said in required.receipt["error"]["detail"]
    assert traces(world) == before, "nothing was exchanged, signed or uploaded"

    planned = job(shell, world)("plan")
    assert planned.code == 0, planned.stdout
    foreseen = [each for each in planned.receipt["problems"] if each["rule"] == "build-provenance-omitted"]

    lenient = job(shell, world)("publish")
    assert lenient.code == 0, lenient.stdout
    assert [served(world, name) for name in names()] == [[PUBLISH]] * 2
    warned = [each for each in lenient.receipt["problems"] if each["rule"] == "build-provenance-omitted"]
    assert len(warned) == 2
    assert said in warned[0]["message"]
    assert [each["filename"] for each in foreseen] == [each["filename"] for each in warned]
    assert said in foreseen[0]["message"]


def test_another_run_of_the_same_commit_is_accepted(world: RehearsalWorld, shell: Shell) -> None:
    builder = shell.in_job_of(
        world, "github", **{**simulated_github_claims(reusable_workflow_ref=BUILDER), "run_id": "7"}
    )
    assert builder("attest", "--build", "--output-dir", "dist").code == 0

    assert job(shell, world)("publish", "--build-provenance", "required").code == 0


@pytest.mark.parametrize("fault", ["bytes", "repository"])
def test_what_does_not_verify_is_exit_code_7_under_both(world: RehearsalWorld, shell: Shell, fault: str) -> None:
    build(shell, world, **({"repository": "octo-org/other"} if fault == "repository" else {}))
    if fault == "bytes":
        wheel, sdist = sorted(Path("dist").glob("*.slsa.attestation"))
        first, second = wheel.read_bytes(), sdist.read_bytes()
        wheel.write_bytes(second)
        sdist.write_bytes(first)
    before = traces(world)

    for policy in ("required", "if-present"):
        result = job(shell, world)("publish", "--build-provenance", policy)
        assert result.code == 7, result.stdout
        slug = {"bytes": "attestation-invalid", "repository": "attestation-by-another"}[fault]
        assert result.receipt["error"]["slug"] == slug
    assert traces(world) == before
    assert job(shell, world)("publish", "--build-provenance", "off").code == 0
    assert [served(world, name) for name in names()] == [[PUBLISH]] * 2


def test_missing_build_provenance_is_refused_where_it_is_required(world: RehearsalWorld, shell: Shell) -> None:
    build(shell, world)
    next(Path("dist").glob("*.whl.slsa.attestation")).unlink()

    result = job(shell, world)("publish", "--build-provenance", "required")

    assert result.code == 7, result.stdout
    assert result.receipt["error"]["slug"] == "build-provenance-missing"
    assert result.receipt["error"]["summary"].startswith(names()[0])
    assert job(shell, world)("doctor", "--build-provenance", "required").code == 7


def test_build_provenance_cannot_be_required_where_no_attestations_are_sent(
    world: RehearsalWorld, shell: Shell
) -> None:
    build(shell, world)
    inside = job(shell, world)

    assert inside("publish", "--build-provenance", "required", "--attestations", "off").code == 2
    with_token = Shell(shell.folder, {**inside.environment, "CI_PUBLISH_PASSWORD": world.issue_api_token()})
    assert with_token("publish", "--build-provenance", "required").code == 2


def test_a_gitlab_job_attests_and_publishes_its_own_build(world: RehearsalWorld, shell: Shell) -> None:
    inside = shell.in_job_of(world, "gitlab", **simulated_gitlab_claims())
    made = inside("attest", "--build", "--with-publish", "--sigstore-bundle", "--output-dir", "out")
    assert made.code == 0, made.stdout
    assert len(list(Path("out").iterdir())) == 6
    for path in Path("out").glob("*.attestation"):
        path.rename(Path("dist") / path.name)

    result = shell.in_job_of(world, "gitlab", **simulated_gitlab_claims())("publish", "--build-provenance", "required")

    assert result.code == 0, result.stdout
    assert [served(world, name) for name in names()] == [[PUBLISH, SLSA]] * 2
    builder = shell.in_job_of(world, "gitlab")("verify", "--builder", "gitlab:octo-group/demo:.gitlab-ci.yml")
    assert builder.code == 0, builder.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("attest", "--with-publish", "--output-dir", "out"),
        ("attest", "dist", "--build", "--subjects", "files.json", "--output-dir", "out"),
        ("attest", "--build", "--subjects", "none.json", "--output-dir", "out"),
        ("verify", "--builder", "github:octo-org/demo#pypi"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    world: RehearsalWorld, shell: Shell, arguments: tuple[str, ...]
) -> None:
    Path("files.json").write_text(f"{'0' * 64}  dist/demo-1.0.tar.gz\n", encoding="utf-8")
    before = traces(world)

    assert job(shell, world)(*arguments).code == 2
    assert traces(world) == before


def test_a_reusable_workflow_cannot_make_publish_attestations(world: RehearsalWorld, shell: Shell) -> None:
    inside = shell.in_job_of(world, "github", **simulated_github_claims(reusable_workflow_ref=BUILDER))

    result = inside("attest", "--build", "--with-publish", "--output-dir", "out")

    assert result.code == 7, result.stdout
    assert result.receipt["error"]["slug"] == "unattestable-workflow"


@pytest.mark.stress
def test_tampered_build_provenance_is_refused_by_the_commands(world: RehearsalWorld, shell: Shell) -> None:
    """Every tampering of ``tamperings.py``, as a file that publish finds and as provenance that verify fetches."""
    files = [Subject(each["filename"], each["sha256"]) for each in shell("check").receipt["files"]]
    bench = Bench(
        trust_config=world.trust_config_path.read_text(encoding="utf-8"),
        provider=world.identity_provider,
        claims=simulated_github_claims(reusable_workflow_ref=BUILDER),
        file=files[0],
        other_file=files[1],
    )
    path = Path("dist", f"{files[0].filename}.slsa.attestation")
    tampered = {name: tamper(bench) for name, tamper in {**TAMPERINGS, **STRANGERS}.items()}
    before = traces(world)
    for name, attestation in tampered.items():
        path.write_text(json.dumps(attestation), encoding="utf-8")
        for policy in ("if-present", "required"):
            assert job(shell, world)("publish", "--build-provenance", policy).code == 7, name
    assert traces(world) == before
    path.write_text(json.dumps(bench.sound()), encoding="utf-8")
    assert job(shell, world)("publish").code == 0
    assert job(shell, world)("verify").code == 0

    for name, attestation in tampered.items():

        def serve(environ: WSGIEnvironment, response: Response, attestation: object = attestation) -> Response | None:
            if not environ["PATH_INFO"].startswith("/integrity/") or files[0].filename not in environ["PATH_INFO"]:
                return None
            served = json.loads(response.get_data())
            served["attestation_bundles"][0]["attestations"][1] = attestation
            return Response(json.dumps(served), content_type=response.content_type)

        with hooked(world.index.hooks, after=serve):
            assert job(shell, world)("verify").code == 11, name


def test_another_ci_has_no_build_provenance(world: RehearsalWorld, shell: Shell) -> None:
    entries = len(world.sigstore.entries)
    inside = shell.in_job_of(world, "github", runner_environment="")

    result = inside("attest", "--build", "--output-dir", "out")

    assert result.code == 7, result.stdout
    assert result.receipt["error"]["slug"] == "build-unprovable"
    assert "runner_environment" in result.receipt["error"]["detail"]
    assert len(world.sigstore.entries) == entries
