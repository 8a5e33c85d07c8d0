"""The documentation says what is: every address that the program prints is a page, every option and code is current."""

import ast
import importlib.resources
import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import build.util
import pytest

import ci_publish
from ci_publish.about import DOCS_URL
from ci_publish.app.commands import COMMANDS
from ci_publish.app.settings import declared_options
from ci_publish.cli.arguments import parse_command_line
from ci_publish.distributions.checks.relative_links import find_dead_links
from ci_publish.distributions.checks.table import RULES
from ci_publish.errors import error_classes
from scripts import docs_errors, docs_reference, own_version
from scripts.action_inputs import OUTPUTS
from tests.distributions import make_release

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
EVERYTHING = {ROOT / "README.md": README, **PAGES}


def by_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def section(text: str, heading: str) -> str:
    """Return what stands below a heading of the second level."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


# --- the threat model ----------------------------------------------------------------------------------------------


def defences() -> list[str]:
    """Return every bullet and table row that says what is done; parsers have their tests in test_bounded_work.py."""
    text = PAGES[DOCS / "threat-model.md"].partition("## Defences { #what-is-done }\n")[2].partition("\n## ")[0]
    text = re.sub(r"^\| Input \| Parser \|.*?\n\n", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^(?:- .*(?:\n  .*)*|\| .*)", text, re.MULTILINE)
    return [block for block in blocks if not block.startswith("| Threat | ")]


def test_every_defence_names_a_test_that_exists() -> None:
    files: dict[str, str] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        files[path.name] = files.get(path.name, "") + path.read_text(encoding="utf-8")
    missing = []
    for block in defences():
        named = re.findall(r"`(?:tests/[a-z0-9_/]+/)?(test_[a-z0-9_]+\.py)`", block)
        tests = "\n".join(files.get(name, "") for name in named)
        there = all(f"def {name}(" in tests for name in re.findall(r"`(test_[a-z0-9_]+)`", block))
        if not (named and there and all(name in files for name in named)):
            missing.append(block)
    assert len(defences()) > 25
    assert missing == []


def test_every_path_of_a_test_in_the_threat_model_exists() -> None:
    paths = re.findall(r"`(tests/[a-z0-9_/]+\.py)`", PAGES[DOCS / "threat-model.md"])
    assert [path for path in paths if not (ROOT / path).is_file()] == []


# --- what is generated ---------------------------------------------------------------------------------------------


def test_every_option_has_its_section() -> None:
    page = docs_reference.page()
    assert [name for name in declared_options() if f"\n### {name.replace('_', '-')}\n" not in page] == []


def test_a_page_without_marks_is_noticed() -> None:
    with pytest.raises(LookupError, match="no marks for facts"):
        docs_errors.generated("# A page that somebody wrote", {"facts": "x"})


# --- addresses that the program prints -----------------------------------------------------------------------------


@pytest.mark.parametrize("slug", [each.slug for each in error_classes()])
def test_every_error_has_a_page_with_cause_example_and_fix(slug: str) -> None:
    text = (DOCS / "errors" / f"{slug}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {slug}\n")
    for heading in ("Cause", "Example", "Fix"):
        assert len(section(text, heading)) > 40, f"{slug}: {heading}"
    assert f"errors/{slug}.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def test_no_page_is_about_an_error_that_is_gone() -> None:
    pages = {path.stem for path in (DOCS / "errors").glob("*.md")} - {"index"}
    assert pages == {each.slug for each in error_classes()}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_check_rule_has_its_section(rule: str) -> None:
    heading = rf"^#+ {rule}( {{ #{rule} }})?\n(.*?)(?=^##? |\Z)"
    found = re.search(heading, PAGES[DOCS / "checks.md"], re.MULTILINE | re.DOTALL)
    assert found is not None
    assert len(found[2].split("\n### ", 1)[0]) > 40


def test_every_address_of_ours_leads_to_a_page() -> None:
    """Those in messages, in help and in the README; anchors are checked by `mkdocs build --strict`."""
    wrong = [
        f"{by_name(path)}: {address}"
        for path, text in {**SOURCES, **EVERYTHING}.items()
        for address in re.findall(rf"(?:{re.escape(DOCS_URL)}|{{DOCS_URL}})/([\w./-]*)", text)
        if "{" not in address and not _is_page(address)
    ]
    assert wrong == []


def _is_page(address: str) -> bool:
    stem = address.strip("/.")
    # `/errors/{slug}/` and `/checks/#{rule}` end where what is put in begins.
    return stem in {"", "errors"} or (DOCS / f"{stem}.md").is_file() or (DOCS / stem).is_file()


# --- names that people meet ----------------------------------------------------------------------------------------


def noted_slugs() -> set[str]:
    """Return the names of all notes and warnings that the sources hold."""
    calls = re.compile(r"""(?:Noted\(|\.warn\(|slug\s*=)\s*(?:slug=)?\s*"([a-z]+(?:-[a-z]+)*)\"""")
    names = {name for path, text in SOURCES.items() if path.name != "errors.py" for name in calls.findall(text)}
    return names - {each.slug for each in error_classes() if each.slug != "empty-secret"}


def test_every_note_and_warning_is_explained_and_no_other() -> None:
    page = PAGES[DOCS / "reference" / "notes.md"]
    explained = {
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])
    }
    assert noted_slugs() - explained == set()
    assert explained - noted_slugs() == set()


def test_the_description_of_the_wheel_has_addresses_in_full_where_the_readme_names_files() -> None:
    """The control: the README itself has a picture and links that would be dead on an index."""
    relative = {(link.target, link.image) for link in find_dead_links(README, "text/markdown")}
    assert relative >= {("docs/assets/terminal.png", True), ("SECURITY.md", False), ("CHANGELOG.md", False)}
    assert [target for target, _ in relative if not (ROOT / target).is_file()] == []
    metadata = build.util.project_wheel_metadata(ROOT, isolated=False)
    assert metadata["Description-Content-Type"] == "text/markdown"
    description = metadata["Description"]
    assert list(find_dead_links(description, "text/markdown")) == []
    repository = "https://github.com/ci-publish/ci-publish"
    raw = "https://raw.githubusercontent.com/ci-publish/ci-publish/main"
    for target, image in relative:
        assert f"]({raw if image else f'{repository}/blob/main'}/{target})" in description


def test_every_exit_code_is_in_the_table_to_which_the_readme_links() -> None:
    codes = {str(each.exit_code) for each in error_classes()}
    table = PAGES[DOCS / "reference" / "exit-codes.md"]
    assert f"]({DOCS_URL}/reference/exit-codes/)" in README
    assert {code for code in codes if f"| {code} |" not in table} == set()


def test_every_output_of_the_action_is_named() -> None:
    text = PAGES[DOCS / "github.md"]
    assert [name for name in OUTPUTS if f"`{name}`" not in text] == []


def test_the_readme_is_short_and_its_picture_is_shown_at_its_own_size() -> None:
    """GitHub shows 824 pixels in a window of 1280; so much is a screen and a half of 800 there."""
    picture = (DOCS / "assets" / "terminal.png").read_bytes()
    width, height = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))
    assert (width, height <= 360) == (824, True)
    assert len(README.splitlines()) <= 46
    assert [line for line in README.splitlines() if len(line) > 140] == []


def inputs_in(text: str) -> Iterator[str]:
    """Yield the inputs that examples give to our actions and component."""
    for block in re.findall(r"uses: ci-publish/ci-publish(?:/native)?@.*?\n\s+with:\n((?:\s{10,}.*\n)+)", text):
        indent = min(len(line) - len(line.lstrip()) for line in block.splitlines())
        yield from re.findall(rf"^ {{{indent}}}([a-z-]+):", block, re.MULTILINE)


def test_examples_give_inputs_that_exist() -> None:
    known = {option.input_name for option in declared_options().values()}
    given = {name for text in EVERYTHING.values() for name in inputs_in(text)}
    assert given
    assert given - known == set()


def commands_in(text: str) -> Iterator[str]:
    """Yield the command lines of ours in code blocks."""
    for block in re.findall(r"```(?:console|bash)\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            found = re.match(r"\s*(?:\$ )?(ci-publish (?:[a-z]+).*)", line)
            if found:
                yield found[1].partition(" #")[0].partition(" ||")[0].partition(" &&")[0].partition(" >")[0]


EXAMPLES = sorted({command for text in EVERYTHING.values() for command in commands_in(text)})


@pytest.mark.parametrize("command", EXAMPLES)
def test_commands_in_examples_are_understood(command: str) -> None:
    arguments = parse_command_line(shlex.split(command)[1:])
    assert arguments.command in COMMANDS


# --- links and examples --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERYTHING, ids=by_name)
def test_links_between_files_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", EVERYTHING[path], flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [urlsplit(target).path for target in targets if not urlsplit(target).scheme]
    assert [target for target in local if target and not (path.parent / target).exists()] == []


def test_pictures_are_small() -> None:
    pictures = list((DOCS / "assets").glob("*.png"))
    assert pictures
    assert [picture.name for picture in pictures if not 1000 < picture.stat().st_size < 200_000] == []


def test_the_examples_of_the_python_api_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_release(tmp_path / "dist")
    monkeypatch.chdir(tmp_path)
    text = PAGES[DOCS / "python-api.md"]
    names: dict[str, Any] = {}
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL), 1):
        exec(compile(block, f"python-api.md, example {number}", "exec"), names)  # noqa: S102 - the page's own examples
    assert isinstance(names["receipt"], ci_publish.Receipt)
    assert [path.name for path in sorted((tmp_path / "published").iterdir())] == [
        "demo-1.0-py3-none-any.whl",
        "demo-1.0.tar.gz",
    ]


PYTHON_EXAMPLES = {
    f"{by_name(path)}, example {number}": block
    for path, text in EVERYTHING.items()
    for number, block in enumerate(re.findall(r"^ *```py(?:thon)?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE), 1)
}


def names_used(example: str) -> Iterator[str]:
    """Yield what an example takes from this package: names of `ci_publish`, or modules below it."""
    for node in ast.walk(ast.parse(textwrap.dedent(example))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("ci_publish."))
        elif isinstance(node, ast.ImportFrom) and node.module == "ci_publish":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ci_publish."):
            yield str(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ci_publish":
            yield node.attr


@pytest.mark.parametrize("example", PYTHON_EXAMPLES)
def test_python_examples_use_public_names_only(example: str) -> None:
    assert set(names_used(PYTHON_EXAMPLES[example])) - set(ci_publish.__all__) == set()


def test_names_that_are_not_public_are_noticed_in_examples() -> None:
    assert {"python-api.md", "rehearsal.md"} <= {Path(name.partition(",")[0]).name for name in PYTHON_EXAMPLES}
    imports = "import ci_publish.errors\nfrom ci_publish.http import urls\nfrom ci_publish import app\n"
    assert set(names_used(imports + "ci_publish.cli.main()")) == {"ci_publish.errors", "ci_publish.http", "app", "cli"}


def test_every_public_name_is_on_the_page_of_the_python_api() -> None:
    text = PAGES[DOCS / "python-api.md"]
    assert [name for name in ci_publish.__all__ if name != "__version__" and f"`{name}`" not in text] == []


# --- facts of others -----------------------------------------------------------------------------------------------


def test_the_hosts_of_sigstore_are_those_that_it_brings_along() -> None:
    store = importlib.resources.files("sigstore") / "_store" / quote("https://tuf-repo-cdn.sigstore.dev", safe="")
    signing = json.loads((store / "signing_config.v0.2.json").read_text(encoding="utf-8"))
    urls = [
        each["url"] for kind in ("caUrls", "rekorTlogUrls") for each in signing[kind] if "end" not in each["validFor"]
    ]
    hosts = {urlsplit(url).hostname for url in urls} | {"tuf-repo-cdn.sigstore.dev"}
    table = section(PAGES[DOCS / "hosts.md"], "Publishing to PyPI with Trusted Publishing and attestations")
    assert {host for host in hosts if f"| `{host}` |" not in table} == set()


def test_the_workflow_of_the_guide_to_monorepos_is_the_one_that_is_linted_and_run() -> None:
    example = (ROOT / "docs" / "examples" / "monorepo.yml").read_text(encoding="utf-8")
    named = example.replace("uses: $/native", "uses: ci-publish/ci-publish/native@main")
    shown = own_version.restated(named, own_version.current())
    assert f"```yaml\n{shown}```\n" in (ROOT / "docs" / "monorepos.md").read_text(encoding="utf-8")
