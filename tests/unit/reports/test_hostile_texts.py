"""Text from outside through every report at once: nothing but our own commands reaches the runner."""

import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from ci_publish.model.events import Event
from ci_publish.reports.ci_outputs import Artifacts, CiReportOptions
from ci_publish.reports.console import open_console
from ci_publish.reports.dispatcher import Dispatcher
from ci_publish.reports.github import GitHubReport
from ci_publish.reports.gitlab import GitLabFiles, GitLabReport
from ci_publish.reports.json import JsonReport
from ci_publish.reports.receipt_file import ReceiptFile
from tests.unit.reports.recorded_runs import every_event, hostile_texts
from tests.unit.reports.runner import commands, file_commands

OURS = {"group", "endgroup", "error", "warning", "notice"}
OUTPUTS = {
    "outcome",
    "exit-code",
    "files",
    "uploaded",
    "already-published",
    "receipt",
    "attestations-dir",
    "release-url",
    "resume-after",
}
TAGS = {"p", "code", "pre", "a", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "em"} | {
    "details",
    "summary",
    "h2",
    "h3",
}


def run(events: list[Event], folder: Path) -> tuple[str, str, dict[str, str]]:
    """Send *events* through all reports; return what a runner hears, what people read, and the files by name."""
    heard, read, files = io.StringIO(), io.StringIO(), folder / "files"
    names = {"GITHUB_OUTPUT": str(folder / "outputs"), "GITHUB_STEP_SUMMARY": str(folder / "github.md")}
    gitlab = GitLabFiles(files / "publish.env", files / "checks.xml", files / "gitlab.md")
    settings = [(text, text, text) for text in ("jobs",)]
    reports = Dispatcher()
    reports.add_report(ReceiptFile(files / "receipt.json", reports))
    shown = CiReportOptions(artifacts=Artifacts(files / "receipt.json"), settings=settings)
    reports.add_report(GitHubReport(stream=heard, environ=names, emit=reports, options=shown))
    reports.add_report(GitLabReport(stream=read, emit=reports, files=gitlab))
    reports.add_report(open_console(heard, {}, verbose=True, print_hash=True))
    reports.add_report(JsonReport(heard))
    for event in events:
        reports(event)
    reports.close()
    assert reports.report_failures == ()
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}
    return heard.getvalue(), read.getvalue(), written


@pytest.mark.parametrize("number", range(10))
def test_no_command_but_ours_through_any_report(number: int, tmp_path: Path) -> None:
    for place, text in enumerate(list(hostile_texts())[number::10]):
        folder = tmp_path / str(place)
        folder.mkdir()
        heard, read, files = run(every_event(text), folder)
        found = commands(heard)
        assert {command.name for command in found} <= OURS
        assert {command.data for command in found if command.name == "group"} >= {"collect", "check", "plan at pypi"}
        assert [line for line in heard.split("\n") if not line.isprintable()] == []
        assert commands(read) == []
        assert set(file_commands(files["outputs"])) == OUTPUTS
        assert file_commands(files["outputs"])["outcome"] == "failed"
        only_known_tags(files["github.md"])
        only_known_tags(files["gitlab.md"])
        assert ET.fromstring(files["checks.xml"]).get("tests") == "3"  # noqa: S314  (our own document)
        assert len(files["publish.env"].splitlines()) == len(OUTPUTS) - 1


def only_known_tags(document: str) -> None:
    """Fail when rendering *document* gives an element, a link or a heading that we did not write."""
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(document)
    tags = {piece.split(">")[0].split(" ")[0].strip("/\n") for piece in rendered.split("<")[1:]}
    assert tags <= TAGS, tags - TAGS
    assert rendered.count("<h2>") == 1
    hrefs = [piece.split('"')[0] for piece in rendered.split('href="')[1:]]
    known = ("https://ci-publish.github.io/", "https://search.sigstore.dev/", "https://pypi.org/project/demo/1.0/")
    assert [href for href in hrefs if not href.startswith(known)] in ([], hrefs_from_outside(hrefs))
    assert "<img" not in rendered


def hrefs_from_outside(hrefs: list[str]) -> list[str]:
    """Return the addresses of files that the index gave: links are made of whole http addresses only."""
    return [href for href in hrefs if href.startswith(("https://evil.example", "http://evil.example"))]
