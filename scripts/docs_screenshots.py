"""Take the pictures of the documentation from real runs: `python scripts/docs_screenshots.py`.

It needs Chromium, tmux and a font with emoji (Debian: chromium, tmux, fonts-noto-color-emoji).

Every picture shows what a rehearsal of a small project printed, wrote or served on this machine.
"""

import html
import io
import os
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

from readme_renderer.markdown import variants
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import ci_publish  # noqa: E402
from ci_publish.rehearsal.world import RehearsalWorld  # noqa: E402
from tests import distributions  # noqa: E402
from tests.e2e.browser import Page, browser, find_browser  # noqa: E402

ASSETS: Final = ROOT / "docs" / "assets"
# As wide as GitHub shows a README in a window of 1280 pixels, so that the letters keep their size.
README_WIDTH: Final = 824
COLUMNS: Final = 100
DESCRIPTION: Final = """# sampledemo

A small library, as a project could publish it.

- reads *everything*, writes **nothing**
- has a [home page](https://example.org/)

```python
import sampledemo

print(sampledemo.answer())  # 42
```

| Python | supported |
|--------|-----------|
| 3.11   | yes       |
| 3.13   | yes       |
"""
EXTRA: Final = (
    "License-Expression: Apache-2.0\nAuthor-email: Ada Example <ada@example.org>\n"
    "Project-URL: Source, https://example.org/sampledemo\nRequires-Dist: packaging>=24\n"
    "Classifier: Programming Language :: Python :: 3\n"
)
# What GitHub's job page looks like, roughly, with nothing of GitHub's.
STYLE: Final = """
body { margin: 24px; font: 14px/1.5 system-ui, sans-serif; color: #1f2328; background: #ffffff; }
h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: 8px; }
table { border-collapse: collapse; margin-bottom: 16px; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; }
td code { overflow-wrap: anywhere; }
tr:nth-child(2n) { background: #f6f8fa; }
code, pre { font: 12px/1.45 ui-monospace, monospace; background: #eff1f3; border-radius: 6px; padding: 2px 5px; }
pre { padding: 12px; white-space: pre-wrap; }
pre code { padding: 0; }
a { color: #0969da; }
"""


def make_project(folder: Path, tag: str = "win_amd64") -> Path:
    """Write a release of two files and return its folder."""
    distributions.DESCRIPTION = DESCRIPTION
    dist = folder / "dist"
    distributions.make_wheel(dist, "sampledemo", extra=EXTRA)
    distributions.make_wheel(dist, "sampledemo", tag=f"cp313-cp313-{tag}", extra=EXTRA, payload=b"y = 2\n")
    return dist


def run(folder: Path, *arguments: str, **environment: str) -> None:
    """Run the command line in *folder*, whatever its exit code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB", "CI_PUBLISH"))}
    command = [sys.executable, "-m", "ci_publish", *arguments]
    subprocess.run(command, cwd=folder, env={**kept, **environment}, stdout=subprocess.DEVNULL, check=False)


def summary(folder: Path, *arguments: str) -> str:
    """Return the job summary of a run as a page."""
    path = folder / "summary.md"
    path.unlink(missing_ok=True)
    run(folder, *arguments, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(path))
    body = variants["GFM"](path.read_text(encoding="utf-8"))
    return f"<!DOCTYPE html><meta charset=utf-8><title>summary</title><style>{STYLE}</style>{body}"


def terminal(folder: Path, command: str) -> str:
    """Run *command* in a real terminal, and return what the screen shows in the end, as a page."""
    socket = f"ci-publish-{os.getpid()}"
    program = f"clear; echo '$ {command}'; {shlex.quote(sys.executable)} -m {command.replace('-', '_', 1)}; sleep 60"
    start = ["tmux", "-L", socket, "new-session", "-d", "-x", str(COLUMNS), "-y", "40", program]
    subprocess.run(start, cwd=folder, env={**os.environ, "TERM": "xterm-256color"}, check=True)
    try:
        shown = _wait_for(socket, "Rehearsed")
    finally:
        subprocess.run(["tmux", "-L", socket, "kill-server"], check=False)
    return _page_of(shown)


def _wait_for(socket: str, word: str) -> str:
    shown = ""
    for _ in range(120):
        time.sleep(0.5)
        capture = ["tmux", "-L", socket, "capture-pane", "-e", "-p", "-t", "0"]
        shown = subprocess.run(capture, capture_output=True, text=True, check=True).stdout
        if word in shown:
            return shown.rstrip() + "\n"
    raise TimeoutError(shown)


def _page_of(shown: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown), end="")
    inner = console.export_html(theme=MONOKAI, inline_styles=True, code_format="{code}")
    style = (
        "margin:0;padding:12px;background:#0c0c0c;color:#e6e9ed;font:13px/1.3 ui-monospace,monospace;white-space:pre"
    )
    return f"<!DOCTYPE html><meta charset=utf-8><title>terminal</title><body style='{html.escape(style)}'>{inner}"


def take(page: Page, folder: Path, content: str, name: str, width: int) -> None:
    """Show *content*, and keep a picture of all of it."""
    path = folder / f"{name}.html"
    path.write_text(content, encoding="utf-8")
    page.open(path.as_uri(), width=width, height=100)
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.open(path.as_uri(), width=width, height=height)
    page.screenshot(ASSETS / f"{name}.png")


def preview(page: Page, dist: Path) -> None:
    """Take the pictures of the project's page."""
    with RehearsalWorld() as world:
        with world.ambient("github"), redirect_stdout(io.StringIO()):
            ci_publish.publish(
                ci_publish.Settings(
                    paths=(str(dist),),
                    repository_url=(world.repository_url,),
                    sigstore_trust_config=world.trust_config_path,
                )
            )
        url = f"{world.base_url}/project/sampledemo/"
        page.open(url, width=1100, height=1000)
        page.screenshot(ASSETS / "preview.png")
        page.open(url, width=390, height=844, dark=True)
        page.screenshot(ASSETS / "preview-phone.png")


def main() -> int:
    """Take all pictures; return 1 where there is no browser."""
    executable = find_browser()
    if executable is None:
        print("The pictures need Chromium.")
        return 1
    ASSETS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, browser(executable, Path(name)) as page:
        folder, broken = Path(name) / "project", Path(name) / "broken"
        dist = make_project(folder)
        make_project(broken, "linux_x86_64")
        one = Path(name) / "one"
        distributions.make_wheel(one / "dist", "sampledemo", extra=EXTRA)
        take(page, one, terminal(one, "ci-publish rehearse dist"), "terminal", README_WIDTH)
        take(page, folder, summary(folder, "rehearse", "dist"), "summary", 1100)
        take(page, broken, summary(broken, "check", "dist"), "summary-failure", 1100)
        preview(page, dist)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
