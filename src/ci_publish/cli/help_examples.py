"""The end of each command's help: examples, and its possible exit codes (pure)."""

from collections.abc import Iterator, Mapping
from typing import Final

from ci_publish.about import DOCS_URL, NAME
from ci_publish.errors import CiPublishError

EXAMPLES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "publish": (
        ("publish", "publish the files in dist/ to PyPI, with Trusted Publishing"),
        ("publish --repository-url testpypi --keep-going", "publish to TestPyPI, and continue if a file is rejected"),
    ),
    "plan": (("plan wheelhouse/*.whl --receipt plan.json", "show what would be published, and write it as JSON"),),
    "check": (("check --strict", "check dist/, treating warnings as errors"),),
    "diff": (("diff", "compare dist/ with the newest release on PyPI"),),
    "attest": (("attest --output-dir attestations", "in a CI job, sign the files in dist/ and keep the attestations"),),
    "verify": (
        ("verify", "check whether PyPI has exactly the files in dist/"),
        ("verify demo==1.0 --publisher github:octo-org/demo", "check a release, and who published it"),
    ),
    "rehearse": (
        ("rehearse", "publish dist/ to an index on this machine"),
        ("rehearse --serve", "keep that index running, and view the project's page in a browser"),
    ),
    "doctor": (
        ("doctor", "check whether Trusted Publishing would work from this job"),
        ("doctor --mint", "also try the exchange; the upload token is burned immediately"),
    ),
    "settings": (("settings", "show every value, and where it comes from"),),
}
"""The arguments of examples, with what each does."""

_CODES: Final[Mapping[str, tuple[int, ...]]] = {
    "publish": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 130, 143),
    "plan": (2, 3, 4, 5, 6, 8, 9, 10, 130, 143),
    "check": (2, 3, 4, 130, 143),
    "diff": (2, 3, 4, 10, 130, 143),
    "attest": (2, 3, 4, 5, 7, 130, 143),
    "verify": (2, 3, 4, 8, 10, 11, 130, 143),
    "rehearse": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 130, 143),
    "doctor": (2, 4, 5, 6, 7, 8, 9, 10, 130, 143),
    "settings": (2,),
}


def exit_codes_of_command(command: str) -> Iterator[tuple[int, str]]:
    """Yield each exit code that *command* can end with, and its slug; a bug (1) is not expected."""
    yield 0, "done" if command != "doctor" else "ready, or unknown without an attempt"
    slugs = {each.exit_code: each.slug for each in reversed(CiPublishError.__subclasses__())}
    slugs |= {12: "deferred", 130: "interrupted", 143: "terminated"}
    yield from ((code, slugs[code]) for code in _CODES[command])


def help_epilog(command: str) -> str:
    """Return the end of the help of *command*."""
    lines = ["examples:"]
    for arguments, what in EXAMPLES[command]:
        lines += [f"  {NAME} {arguments}", f"      {what}"]
    lines += ["", "exit codes:", *(f"  {code:>3}  {slug}" for code, slug in exit_codes_of_command(command))]
    return "\n".join([*lines, "", f"documentation: {DOCS_URL}/reference/commands/#{command}"])
