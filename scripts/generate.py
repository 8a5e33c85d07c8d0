"""Write every file, or part of a file, that this project computes from its own sources.

    python -m scripts.generate            write what is stale, and name it
    python -m scripts.generate --check    write nothing; exit 1 when something is stale (`make lint`)

Each generator yields the files that it owns, whole, as they should be. None needs the network.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from ci_publish.app.settings_schema import tool_schema
from ci_publish.distributions.checks import page
from scripts import action_inputs, completions, docs_errors, docs_reference, man_page, own_version, stdlib_names
from tests import situations

ROOT: Final = Path(__file__).resolve().parent.parent

Files = Iterable[tuple[Path, str]]


def messages() -> Files:
    """Yield the messages of all situations, which a reviewer reads, and which the pages about errors quote."""
    yield situations.MESSAGES, situations.all_messages()


def settings_schema() -> Files:
    """Yield the JSON schema of `[tool.ci-publish]`."""
    text = json.dumps(tool_schema(), indent=2, ensure_ascii=False)
    yield ROOT / "docs" / "settings.schema.json", f"{text}\n"


def checks() -> Files:
    """Yield the page about the check rules."""
    yield ROOT / "docs" / "checks.md", page.checks_page()


# In this order: the pages about errors quote the messages.
GENERATORS: Final[tuple[Callable[[], Files], ...]] = (
    action_inputs.files,
    docs_reference.files,
    settings_schema,
    checks,
    messages,
    docs_errors.files,
    own_version.files,
    completions.files,
    man_page.files,
    stdlib_names.files,
)


def stale(files: Files) -> Iterator[tuple[Path, str]]:
    """Yield those of *files* that are missing or not as they should be."""
    return ((path, text) for path, text in files if not path.is_file() or path.read_text(encoding="utf-8") != text)


def generate(generators: Iterable[Callable[[], Files]], *, check: bool) -> list[Path]:
    """Return the files that were stale, after writing them unless this is a *check*."""
    found = []
    for generator in generators:
        for path, text in stale(generator()):
            found.append(path)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return found


def main() -> int:
    """Write what is stale, or only name it; return 1 in that case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is stale")
    check = parser.parse_args().check
    found = generate(GENERATORS, check=check)
    for path in found:
        print(f"{path.relative_to(ROOT)}{': stale; run: make generate' if check else ''}")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
