"""What the actions, the component and the workflows promise, held against the code and against each other."""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import component_input_variable, load_settings
from ci_publish.model.events import Outcome, RunFinished, RunStarted
from ci_publish.reports.ci_outputs import Artifacts, action_outputs

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = [ROOT / "action.yml", ROOT / "native" / "action.yml"]
COMPOSITES = sorted((ROOT / "native").glob("**/action.yml"))
COMPONENT = ROOT / "templates" / "publish.yml"

# Every input of pypa/gh-action-pypi-publish: its names are kept, so that migrating is one line.
THEIRS = {
    *("user", "password", "repository-url", "packages-dir", "verify-metadata", "skip-existing", "verbose"),
    *("print-hash", "attestations"),
    *("repository_url", "packages_dir", "verify_metadata", "skip_existing", "print_hash"),
}


def read(path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    return YAML(typ="safe", pure=True).load(path)


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(path))


def jobs() -> list[tuple[Path, str, Any]]:
    return [(path, name, job) for path in WORKFLOWS for name, job in read(path)["jobs"].items()]


def steps() -> list[tuple[Path, Any]]:
    found = [(path, step) for path, _, job in jobs() for step in job.get("steps", [])]
    return found + [(path, step) for path in COMPOSITES for step in read(path)["runs"]["steps"]]


def references() -> list[str]:
    found = [step["uses"] for _, step in steps() if "uses" in step]
    return found + [job["uses"] for _, _, job in jobs() if "uses" in job]


# inputs and outputs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ACTIONS, ids=str)
def test_an_action_takes_every_input_of_the_peer_and_of_the_settings(path: Path) -> None:
    declared = set(read(path)["inputs"])

    assert declared >= THEIRS
    assert declared == THEIRS | {option.input_name for option in declared_options().values() if option.input_name}


@pytest.mark.parametrize("path", ACTIONS, ids=str)
def test_no_input_has_a_default_so_that_a_file_may_say_it(path: Path) -> None:
    assert not [name for name, declared in read(path)["inputs"].items() if "default" in declared]


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_every_input_reaches_its_setting(name: str, tmp_path: Path) -> None:
    value = "testpypi" if name.startswith("repository") else "false"
    environment = {"CI_PUBLISH_ACTION": "docker", f"INPUT_{name.upper()}": value}

    origins = load_settings({}, environment, tmp_path / "none.toml").origins

    assert [origin.spelled for origin in origins.values()] == [name]


@pytest.mark.parametrize("path", ACTIONS, ids=str)
def test_an_action_declares_the_outputs_that_a_run_writes(path: Path) -> None:
    events = (RunStarted("publish", 0.0), RunFinished(outcome=Outcome.PUBLISHED, exit_code=0, time=1.0))

    assert set(read(path)["outputs"]) == set(action_outputs(events, Artifacts()))


def test_the_image_says_whose_the_inputs_are() -> None:
    runs = read(ROOT / "action.yml")["runs"]

    assert (runs["using"], runs["args"]) == ("docker", ["publish"])
    assert runs["env"]["CI_PUBLISH_ACTION"]


def test_the_component_hands_every_input_on() -> None:
    header, pipeline = documents(COMPONENT)
    (job,) = pipeline.values()
    given = {name: option.input_name for name, option in declared_options().items() if option.input_name}
    handed_on = {title: name for name, title in given.items() if title not in {"password", "output"}}

    assert job["variables"] == {
        component_input_variable(name): f"$[[ inputs.{title} ]]" for title, name in handed_on.items()
    }
    of_the_job = {"image", "stage", "job-name", "environment", "rules"}
    assert set(header["spec"]["inputs"]) == of_the_job | set(handed_on)


def component_defaults() -> dict[str, str]:
    """Return the variables that GitLab sets in a job that gives no input."""
    declared = documents(COMPONENT)[0]["spec"]["inputs"]
    names = {option.input_name: name for name, option in declared_options().items() if option.input_name}
    said = {names[title]: each["default"] for title, each in declared.items() if title in names}
    return {component_input_variable(name): str(value).lower() for name, value in said.items()}


def test_the_component_s_defaults_leave_the_settings_as_they_are(tmp_path: Path) -> None:
    origins = load_settings({}, component_defaults(), tmp_path / "none.toml").origins

    assert set(origins) == {"receipt", "reports_dir"}


def test_inputs_that_are_not_given_leave_the_variables_of_the_pipeline_alone(tmp_path: Path) -> None:
    ours = {
        "CI_PUBLISH_REPOSITORY_URL": "https://private.example/legacy/",
        "CI_PUBLISH_DRY_RUN": "true",
        "CI_PUBLISH_VERIFY": "false",
        "CI_PUBLISH_JOBS": "3",
        "CI_PUBLISH_TIMEOUT": "7",
        "CI_PUBLISH_ATTESTATIONS": "off",
    }

    loaded = load_settings({}, {**ours, **component_defaults()}, tmp_path / "none.toml")

    assert {origin.spelled for origin in loaded.origins.values() if origin.source == "environment"} == set(ours)


def test_the_component_s_switches_and_numbers_have_gitlab_s_own_types() -> None:
    declared = documents(COMPONENT)[0]["spec"]["inputs"]
    types = {
        option.input_name: {"bool": "boolean", "int": "number", "float": "number", "float | None": "number"}.get(
            annotation.__name__ if isinstance(annotation, type) else str(annotation), "string"
        )
        for name, option in declared_options().items()
        for annotation in [Settings.model_fields[name].annotation]
        if option.input_name and option.input_name in declared
    }

    assert {title: declared[title]["type"] for title in types} == types
    assert (types["strict"], types["jobs"], types["timeout"]) == ("boolean", "number", "number")


def test_the_component_publishes_from_tags_only_unless_told_otherwise() -> None:
    header, pipeline = documents(COMPONENT)
    (job,) = pipeline.values()
    declared = header["spec"]["inputs"]

    assert (job["rules"], job["environment"]) == ("$[[ inputs.rules ]]", "$[[ inputs.environment ]]")
    assert declared["rules"]["default"] == [{"if": "$CI_COMMIT_TAG"}]
    assert re.search(declared["environment"]["regex"], declared["environment"]["default"])


def test_the_component_that_rehearses_is_that_one_without_an_identity() -> None:
    header, pipeline = documents(ROOT / "templates" / "rehearse.yml")
    publishing, published = documents(COMPONENT)
    (job,), (with_identity,) = pipeline.values(), published.values()
    own = {"environment", "stage", "job-name", "rules"}

    assert job.keys() == with_identity.keys() - {"environment", "id_tokens"}
    assert job["script"] == ["ci-publish rehearse"]
    assert {name: job[name] for name in ("image", "variables", "artifacts")} == {
        name: with_identity[name] for name in ("image", "variables", "artifacts")
    }
    assert {name: each for name, each in header["spec"]["inputs"].items() if name not in own} == {
        name: each for name, each in publishing["spec"]["inputs"].items() if name not in own
    }


def test_the_component_takes_every_word_that_its_description_gives(tmp_path: Path) -> None:
    declared_options = documents(COMPONENT)[0]["spec"]["inputs"]["attestations"]["options"]
    given = {
        word: load_settings({}, {component_input_variable("attestations"): word}, tmp_path / "none.toml").settings
        for word in declared_options
    }

    assert set(declared_options) == {"", "auto", "required", "if-possible", "off", "true", "false"}
    assert given["true"].attestations == given["auto"].attestations
    assert given["false"].attestations == given["off"].attestations


def test_the_component_keeps_all_that_it_writes_and_never_the_whole_project() -> None:
    header, pipeline = documents(COMPONENT)
    (job,) = pipeline.values()
    *always, perhaps = job["artifacts"]["paths"]

    assert always == ["$[[ inputs.reports-dir ]]", "$[[ inputs.receipt ]]"]
    assert perhaps == "./$[[ inputs.attestations-dir ]]/*.attestation"
    declared = [header["spec"]["inputs"][name] for name in ("reports-dir", "receipt")]
    assert all(re.search(each["regex"], each["default"]) and not re.search(each["regex"], "") for each in declared)


def test_the_component_runs_its_script_in_any_image_and_asks_for_every_identity() -> None:
    _, pipeline = documents(COMPONENT)
    (job,) = pipeline.values()

    assert job["image"]["entrypoint"] == [""]
    assert {token["aud"] for token in job["id_tokens"].values()} == {"pypi", "testpypi", "sigstore"}
    assert job["artifacts"]["when"] == "always"


# rules for every workflow --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_grants_nothing_and_names_its_jobs(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {}
    assert "group" in workflow["concurrency"]
    assert all(job["name"] and "permissions" in job for job in workflow["jobs"].values())
    assert all("timeout-minutes" in job for job in workflow["jobs"].values() if "steps" in job)


def test_every_reference_is_a_commit_with_its_version_or_this_very_repository() -> None:
    assert references()
    assert all(re.fullmatch(r"\$/\S*|[\w-]+/[\w-]+@[0-9a-f]{40}", reference) for reference in references())
    for path in WORKFLOWS:
        pinned = re.findall(r"uses: \S+@[0-9a-f]{40}(.*)", path.read_text(encoding="utf-8"))
        assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", comment) for comment in pinned)


def test_one_action_has_one_commit() -> None:
    pins = {reference.split("@")[0]: set[str]() for reference in references() if "@" in reference}
    for reference in references():
        if "@" in reference:
            pins[reference.split("@")[0]].add(reference)

    assert all(len(each) == 1 for each in pins.values())


def test_no_expression_stands_in_a_script() -> None:
    scripts = [step["run"] for _, step in steps() if "run" in step]

    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_no_checkout_leaves_its_credentials_behind() -> None:
    checkouts = [step for _, step in steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_whoever_may_have_an_identity_or_write_does_nothing_but_that() -> None:
    mighty = {
        (path.name, name)
        for path, name, job in jobs()
        if any(access == "write" for access in (job["permissions"] or {}).values())
    }

    assert mighty == {
        ("build-with-provenance.yml", "provenance"),
        ("ci.yml", "pages"),
        ("release.yml", "build"),
        ("release.yml", "image"),
        ("release.yml", "images"),
        ("release.yml", "publish"),
        ("release.yml", "tag"),
    }


def test_the_site_is_deployed_from_main_only_by_a_job_that_does_nothing_else() -> None:
    site = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    deploy = site["pages"]

    assert site["docs"]["steps"][2]["run"] == "make docs"
    assert deploy["if"] == "${{ github.event_name == 'push' && github.ref == 'refs/heads/main' }}"
    assert (deploy["needs"], deploy["environment"]["name"]) == ("docs", "github-pages")
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step["uses"].split("@")[0] for step in deploy["steps"]] == ["actions/deploy-pages"]


def test_what_is_rehearsed_is_the_artifact_that_was_uploaded_and_not_its_name() -> None:
    download = read(ROOT / ".github" / "workflows" / "build.yml")["jobs"]["rehearse"]["steps"][0]["with"]

    assert download == {"artifact-ids": "${{ needs.build.outputs.artifact-id }}", "path": "dist"}


def test_what_is_installed_is_that_artifact_in_a_job_that_has_nothing_to_take() -> None:
    job = read(ROOT / ".github" / "workflows" / "build.yml")["jobs"]["install"]
    download, install = job["steps"]

    assert (job["permissions"], job["if"], job["needs"]) == ({}, "inputs.install", "build")
    assert "outputs" not in job
    assert download["with"] == {"artifact-ids": "${{ needs.build.outputs.artifact-id }}", "path": "dist"}
    assert install["with"]["install"] is True


# reusable workflows --------------------------------------------------------------------------------------------------

REUSABLE = [path for path in WORKFLOWS if "workflow_call" in (read(path).get("on") or read(path)[True])]
_ACCESS = ("none", "read", "write")


def needed(path: Path) -> dict[str, str]:
    """Return what the jobs of a workflow need together, those of the workflows that it calls included."""
    found: dict[str, str] = {}
    for job in read(path)["jobs"].values():
        inside = needed(ROOT / job["uses"].removeprefix("$/")) if "uses" in job else job["permissions"]
        assert all(
            _ACCESS.index(access) <= _ACCESS.index(job["permissions"].get(name, "none"))
            for name, access in inside.items()
        ), "a called job needs more than its caller has"
        for name, access in job["permissions"].items():
            found[name] = max(found.get(name, "none"), access, key=_ACCESS.index)
    return found


def documented(path: Path) -> list[dict[str, str]]:
    """Return the permissions that each example in the documentation grants to a job that calls a workflow."""
    found = []
    for page in sorted((ROOT / "docs").glob("**/*.md")):
        for block in re.findall(r"^ *```yaml\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            if f"/.github/workflows/{path.name}@" in block:
                lines = textwrap.dedent(block)
                example = YAML(typ="safe", pure=True).load(lines)
                calls = [job for job in example["jobs"].values() if f"/{path.name}@" in job.get("uses", "")]
                found += [dict(job["permissions"]) for job in calls]
    return found


def test_the_reusable_workflows_are_known() -> None:
    assert [path.name for path in REUSABLE] == ["build-with-provenance.yml", "build.yml", "publish.yml"]


@pytest.mark.parametrize("path", [path for path in REUSABLE if needed(path)], ids=lambda path: path.name)
def test_callers_are_told_to_grant_exactly_what_the_jobs_of_a_reusable_workflow_need(path: Path) -> None:
    granted = documented(path)

    assert granted
    assert granted == [needed(path)] * len(granted)


def test_the_workflow_that_builds_needs_no_identity_and_the_one_that_publishes_nothing() -> None:
    assert needed(ROOT / ".github" / "workflows" / "build.yml") == {"contents": "read"}
    assert needed(ROOT / ".github" / "workflows" / "publish.yml") == {}


def test_build_provenance_is_signed_where_nothing_of_the_project_is() -> None:
    workflow, plain = (
        read(ROOT / ".github" / "workflows" / name) for name in ("build-with-provenance.yml", "build.yml")
    )
    build, provenance = workflow["jobs"]["build"], workflow["jobs"]["provenance"]
    called = (workflow.get("on") or workflow[True])["workflow_call"]
    plainly = (plain.get("on") or plain[True])["workflow_call"]

    assert called["inputs"] == plainly["inputs"]
    assert {name: each["description"] for name, each in plainly["outputs"].items()}.items() <= {
        name: each["description"] for name, each in called["outputs"].items()
    }.items()
    assert build["uses"] == "$/.github/workflows/build.yml"
    assert build["with"] == {name: f"${{{{ inputs.{name} }}}}" for name in called["inputs"]}
    assert build["permissions"] == {"contents": "read"}
    assert provenance["permissions"] == {"id-token": "write"}
    assert [step["uses"].split("@")[0] for step in provenance["steps"]] == [
        "$/native/attest",
        "actions/upload-artifact",
    ]
    # All that it is handed are names and digests, from a job in which nothing of the project runs.
    expressions = re.findall(r"\$\{\{ *(.*?) *\}\}", str(provenance["steps"]))
    assert set(expressions) == {"needs.build.outputs.files", "inputs.artifact"}
    assert plainly["outputs"]["files"]["value"] == "${{ jobs.rehearse.outputs.files }}"
    assert plain["jobs"]["rehearse"]["permissions"] == {}
    assert not [
        step for step in plain["jobs"]["rehearse"]["steps"] if "run" in step or "checkout" in step.get("uses", "")
    ]


def test_the_publishing_workflow_stops_before_anything_else_and_says_why() -> None:
    first = read(ROOT / ".github" / "workflows" / "publish.yml")["jobs"]["publish"]["steps"][0]

    assert first["env"] == {"GIVEN": "${{ secrets.password != '' }}"}
    assert "https://github.com/pypi/warehouse/issues/11096" in first["run"]


# the native action and the release ------------------------------------------------------------------------------------


def test_the_native_action_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((ROOT / "native" / "run.py").read_text(encoding="utf-8"))
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in imported if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_what_sigstore_keeps_lies_in_the_folder_that_the_native_action_removes(tmp_path: Path) -> None:
    program = """
import os, runpy, sys, types
entry = lambda: print(os.environ["XDG_CACHE_HOME"], os.environ["XDG_DATA_HOME"], "NATIVE_INPUTS" in os.environ)
sys.modules["ci_publish.cli.main"] = types.SimpleNamespace(entry=entry)
sys.prefix = sys.argv[2]
runpy.run_path(sys.argv[1])["main"](["publish"], os.environ)
"""
    command = [sys.executable, "-c", program, str(ROOT / "native" / "run.py"), str(tmp_path / "environment")]

    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"NATIVE_INPUTS": "{}", "XDG_CACHE_HOME": "/elsewhere", "PYTHONPATH": str(ROOT / "src")},
    )

    assert result.stdout.split() == [str(tmp_path / "cache"), str(tmp_path / "data"), "False"], result.stderr


def test_the_attesting_action_hands_names_and_digests_to_the_program_in_a_file(tmp_path: Path) -> None:
    program = """
import os, pathlib, runpy, sys, types
entry = lambda: print(*sys.argv, pathlib.Path(sys.argv[4]).read_text(), sorted(os.environ))
sys.modules["ci_publish.cli.main"] = types.SimpleNamespace(entry=entry)
runpy.run_path(sys.argv[1])["main"](["attest", "out"], os.environ)
"""
    listed = f'[{{"filename":"demo-1.0.tar.gz","sha256":"{"a" * 64}"}}]'
    environ = {"NATIVE_INPUTS": listed, "NATIVE_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}

    result = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "native" / "run.py")],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )

    subjects = tmp_path / "subjects.json"
    words = ["ci-publish", "attest", "--build", "--subjects", str(subjects), "--output-dir", "out", listed]
    assert result.stdout.split()[: len(words)] == words, result.stderr
    assert "NATIVE_" not in result.stdout


ACTION_IMAGE = f"ghcr.io/example/name@sha256:{'a' * 64}"
GITLAB_IMAGE = f"ghcr.io/example/name@sha256:{'b' * 64}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("scripts/release_image.py", "action.yml", "templates/publish.yml", "templates/rehearse.yml"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return tmp_path


def release(folder: Path, *references: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(folder / "scripts" / "release_image.py"), *references]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_release_names_its_images_by_digest(copy: Path) -> None:
    assert release(copy, ACTION_IMAGE, GITLAB_IMAGE).returncode == 0

    released, before = read(copy / "action.yml"), read(ROOT / "action.yml")
    assert released["runs"].pop("image") == f"docker://{ACTION_IMAGE}"
    assert before["runs"].pop("image") == "Dockerfile"
    assert released == before
    for component in ("publish.yml", "rehearse.yml"):
        assert documents(copy / "templates" / component)[0]["spec"]["inputs"]["image"]["default"] == GITLAB_IMAGE


@pytest.mark.parametrize(
    "wrong", ["ghcr.io/example/name:v1", "ghcr.io/example/name@sha256:abc", f"name@sha256:{'a' * 64}"]
)
def test_a_release_refuses_what_is_not_an_image_by_digest(copy: Path, wrong: str) -> None:
    result = release(copy, wrong, GITLAB_IMAGE)

    assert result.returncode != 0
    assert "not an image by digest" in result.stderr
    assert read(copy / "action.yml")["runs"]["image"] == "Dockerfile"


def test_a_release_is_made_once(copy: Path) -> None:
    release(copy, ACTION_IMAGE, GITLAB_IMAGE)

    before = [(copy / name).read_bytes() for name in ("action.yml", "templates/publish.yml")]

    again = release(copy, ACTION_IMAGE, GITLAB_IMAGE)

    assert again.returncode == 1
    assert again.stderr.startswith("Nothing was written: action.yml does not build its image from the Dockerfile.")
    assert "Traceback" not in again.stderr
    assert [(copy / name).read_bytes() for name in ("action.yml", "templates/publish.yml")] == before


@pytest.mark.parametrize("references", [(), (ACTION_IMAGE,), (ACTION_IMAGE, GITLAB_IMAGE, GITLAB_IMAGE)])
def test_a_release_needs_two_images(copy: Path, references: tuple[str, ...]) -> None:
    result = release(copy, *references)

    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")


def test_a_release_writes_both_files_or_none(copy: Path) -> None:
    component = copy / "templates" / "publish.yml"
    text = component.read_text(encoding="utf-8")
    component.write_text(text.replace("    image:\n", "    picture:\n"), encoding="utf-8")

    assert release(copy, ACTION_IMAGE, GITLAB_IMAGE).returncode == 1
    assert read(copy / "action.yml")["runs"]["image"] == "Dockerfile"


# the places where others list them ------------------------------------------------------------------------------

# https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax#branding
COLOURS = {"white", "black", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"}
# Categories of the Marketplace, none of which may be an action's name.
CATEGORIES = {"deployment", "publishing", "security", "utilities", "continuous integration", "dependency management"}


def test_the_action_meets_the_rules_of_the_marketplace() -> None:
    action = read(ROOT / "action.yml")
    assert (ROOT / "README.md").is_file()
    assert not (ROOT / "action.yaml").exists()
    assert action["name"].lower() not in CATEGORIES
    assert action["author"] == "ci-publish"
    assert 20 < len(action["description"]) <= 125
    assert "\n" not in action["description"].strip()
    assert action["branding"]["color"] in COLOURS
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", action["branding"]["icon"])


def test_the_pipeline_on_gitlab_tests_the_component_and_releases_semantic_versions() -> None:
    pipeline = read(ROOT / ".gitlab-ci.yml")
    (component,) = pipeline["include"]
    assert component["component"] == "$CI_SERVER_FQDN/$CI_PROJECT_PATH/publish@$CI_COMMIT_SHA"
    declared = documents(COMPONENT)[0]["spec"]["inputs"]
    assert set(component["inputs"]) <= set(declared)
    assert component["inputs"]["rehearse"] is True
    release = pipeline["release"]
    assert release["needs"] == [component["inputs"]["job-name"]]
    (rule,) = release["rules"]
    pattern = rule["if"].removeprefix("$CI_COMMIT_TAG =~ /").removesuffix("/")
    assert [tag for tag in ("1.2.3", "v1.2.3", "1.2", "1.2.3rc1", "10.20.30") if re.search(pattern, tag)] == [
        "1.2.3",
        "10.20.30",
    ]
    assert release["release"]["tag_name"] == "$CI_COMMIT_TAG"
    assert (ROOT / "README.md").is_file()
    assert sorted(path.name for path in (ROOT / "templates").iterdir()) == ["publish.yml", "rehearse.yml"]


def test_the_images_say_what_they_are() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', dockerfile))
    assert labels["source"] == "https://github.com/ci-publish/ci-publish"
    assert labels["licenses"] == "Apache-2.0"
    assert set(labels) == {"title", "description", "url", "documentation", "source", "licenses"}


def test_a_release_labels_attests_and_names_its_images() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    pushed = [step for step in jobs["image"]["steps"] if "build-push-action" in step.get("uses", "")]
    labels = ("org.opencontainers.image.version=", "org.opencontainers.image.revision=")
    assert [step["with"]["target"] for step in pushed] == ["action", "gitlab"]
    assert all(label in step["with"]["labels"] for step in pushed for label in labels)
    attested = [step for step in jobs["images"]["steps"] if "attest-build-provenance" in step.get("uses", "")]
    digests = [step["with"]["subject-digest"] for step in attested]
    assert digests == ["${{ steps.indexes.outputs.action }}", "${{ steps.indexes.outputs.gitlab }}"]
    assert all(step["with"]["push-to-registry"] is True for step in attested)
    notes = jobs["tag"]["steps"][-1]["run"]
    assert "$IMAGE:$VERSION@$ACTION" in notes
    assert "$IMAGE:$VERSION-gitlab@$GITLAB" in notes
