"""Text that strangers wrote goes through every parser: a verdict or an error with a class, never a bug.

2,000 inputs in ``make test``, 100,000 in one process with CI_PUBLISH_STRESS=1. Each is made of fragments that broke
something somewhere: nested groups, long numbers, control characters, broken markup.
"""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ci_publish.app.project_file import project_tables
from ci_publish.app.recording import recorded
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.attestations.libraries import read_attestation, read_provenance
from ci_publish.attestations.statements import Subject, WrongStatement, predicate_of
from ci_publish.attestations.trouble import Unsound, answer_trouble
from ci_publish.distributions.checks import form_validation
from ci_publish.distributions.checks.rendering import rendering
from ci_publish.distributions.entry_points import entry_points, fault_of
from ci_publish.distributions.metadata import normalized_version, parse_metadata
from ci_publish.distributions.record import parse_record
from ci_publish.errors import ConfigurationError
from ci_publish.http import responses
from ci_publish.http.messages import HttpAnswer
from ci_publish.identity import oidc_protocol
from ci_publish.identity.jwt import decode_claims
from ci_publish.index import simple_api, upload_api
from ci_publish.model.core_metadata_form import form_fields
from ci_publish.model.events import Outcome
from ci_publish.model.filename import version_of
from tests.unit.fakes import PYPI

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
COUNT = 100_000 if STRESS else 2_000

FRAGMENTS = (
    "(" * 3_000,
    "[" * 3_000,
    "{" * 3_000,
    '{"a":' * 2_000,
    "<a " * 300,
    "<!--",
    "<![CDATA[",
    "<!doctype",
    "&#" + "9" * 5_000,
    "1" * 5_000,
    "1." * 2_000,
    "0!" * 100,
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "\0",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\ufffe",
    "\r",
    "\r\n",
    "\n",
    "\n\n",
    "\n ",
    "\t",
    " ",
    "",
    ":",
    ";",
    ",",
    "=",
    "==",
    ">=",
    "~=",
    "@",
    "#",
    "%",
    "%zz",
    "\\",
    '"',
    "'",
    "a",
    "demo",
    "demo-1.0",
    ".tar.gz",
    ".whl",
    "-py3-none-any",
    "a." * 300,
    "é",
    "İ",
    "ß",
    "\uff11",
    "²",
    "http://[",
    "https://[::1",
    "https://e:99999/",
    "//",
    "?",
    "<script>",
    "</script",
    "<a href='",
    "a@b",
    "<a@b>",
    "(a)",
    "a (",
    "; python_version<'3'",
    " and ",
    " or ",
    "not ",
    "==1.*",
    "[x]",
    "MIT",
    "WITH",
    " OR ",
    "text/markdown",
    "; charset=",
    "UNKNOWN",
    "None",
    "true",
    "[a]",
    "a = 1",
    "a = [",
    "'''",
    '"""',
    "1979-05-27",
    "1979-05-27T99:99:99",
    "0x",
    "0o8",
    "inf",
    "[[a]]",
    "a.b.c = ",
)
FIELDS = (
    "Metadata-Version",
    "Name",
    "Version",
    "Summary",
    "Requires-Dist",
    "Provides-Dist",
    "Obsoletes-Dist",
    "Requires-Python",
    "Author-Email",
    "Maintainer-Email",
    "License",
    "License-Expression",
    "License-File",
    "Home-Page",
    "Download-URL",
    "Project-URL",
    "Classifier",
    "Dynamic",
    "Keywords",
    "Description-Content-Type",
    "Description",
    "Provides-Extra",
    "Import-Name",
    "Import-Namespace",
    "Platform",
    "Requires-External",
    "X-Unknown",
)
KEYS = (
    "files",
    "urls",
    "meta",
    "api-version",
    "filename",
    "hashes",
    "sha256",
    "url",
    "token",
    "expires",
    "message",
    "errors",
    "code",
    "audience",
    "subject",
    "name",
    "digest",
    "predicateType",
    "yanked",
    "versions",
    "info",
)
TYPES = ("text/html", "application/json", "application/vnd.pypi.simple.v1+json", "text/plain", "\0", "")
URL = "https://index.example/simple/demo/"


def text(chance: random.Random) -> str:
    return "".join(chance.choice(FRAGMENTS) for _ in range(chance.randint(0, 6)))


def data(chance: random.Random) -> bytes:
    return text(chance).encode("utf-8", "surrogatepass") + chance.randbytes(chance.choice((0, 0, 0, 5)))


def value(chance: random.Random, depth: int = 3) -> str:
    """Return JSON of the known keys with strange values."""
    kind = chance.random()
    if depth and kind < 0.4:
        return "{" + ",".join(f'"{chance.choice(KEYS)}":{value(chance, depth - 1)}' for _ in range(4)) + "}"
    if depth and kind < 0.55:
        return "[" + ",".join(value(chance, depth - 1) for _ in range(3)) + "]"
    if kind < 0.8:
        return '"' + text(chance).replace("\\", "\\\\").replace('"', '\\"')[:500].replace("\n", "\\n") + '"'
    return chance.choice(("null", "true", "0", "-1", "1.5", "1e999", "1" * 4_000, "1" * 5_000, '"' + "0" * 64 + '"'))


def body(chance: random.Random) -> bytes:
    return data(chance) if chance.random() < 0.5 else value(chance).encode("utf-8", "surrogatepass")


def answer(chance: random.Random) -> HttpAnswer:
    names = ("retry-after", "ratelimit", "date", "location", "content-type")
    headers = {name: text(chance)[:300] for name in names if chance.random() < 0.3}
    return HttpAnswer(
        chance.choice((200, 201, 204, 301, 307, 400, 403, 409, 429, 500, 503, 999)), text(chance), headers, body(chance)
    )


def core_metadata(chance: random.Random) -> None:
    lines = ["Metadata-Version: 2.4", "Name: demo", "Version: 1.0"] if chance.random() < 0.7 else []
    lines += [f"{chance.choice(FIELDS)}: {text(chance)}" for _ in range(chance.randint(0, 4))]
    parsed = parse_metadata("\n".join(lines).encode("utf-8", "surrogatepass") + b"\n\n" + data(chance))
    form: dict[str, list[str]] = {}
    for name, item in form_fields(parsed.metadata):
        form.setdefault(name, []).append(item)
    assert isinstance(form_validation.validate_form(form), tuple)
    normalized_version(parsed.metadata.version)


def description(chance: random.Random) -> None:
    words = text(chance)[:2_000].encode("utf-8", "replace").decode()
    for nested in ("(" * 100, "[" * 100, "<a <a"):  # another process renders these, which takes a while
        words = words.replace(nested, "")
    kind = chance.choice(("text/markdown", "text/x-rst", "text/plain", text(chance)))
    rendering(words, kind)


def members(chance: random.Random) -> None:
    parse_record(data(chance), (text(chance),))
    list(entry_points(data(chance)))
    fault_of(data(chance))
    version_of(text(chance))


def listings(chance: random.Random) -> None:
    parsed = simple_api.parse("demo", body(chance), chance.choice(TYPES), URL, public=chance.random() < 0.5)
    if not isinstance(parsed, simple_api.Unreadable):
        simple_api.lists_version(parsed, "1.0")
    simple_api.parse_json_api("demo", body(chance), URL)


def uploads(chance: random.Random) -> None:
    upload_api.understand(answer(chance), PYPI.upload, 1, 1_700_000_000.0)
    responses.message_of(answer(chance))


def exchanges(chance: random.Random) -> None:
    oidc_protocol.read_discovery(answer(chance), PYPI)
    oidc_protocol.read_audience(answer(chance), PYPI)
    oidc_protocol.read_mint(answer(chance), 1_700_000_000.0)
    oidc_protocol.read_burn(answer(chance))
    decode_claims(".".join(text(chance) for _ in range(3)))


def sigstore(chance: random.Random) -> None:
    said = answer(chance)
    answer_trouble("Rekor", said.status, said.body.decode("utf-8", "replace"), said.headers, 1_700_000_000.0)
    for read in (read_attestation, lambda content: list(read_provenance(content))):
        with suppress(Unsound):
            read(body(chance))
    try:
        predicate_of(body(chance), Subject("demo-1.0.tar.gz", "0" * 64))
    except WrongStatement:
        return


PARSERS: tuple[Callable[[random.Random], None], ...] = (core_metadata, members, listings, uploads, exchanges, sigstore)


def test_no_parser_meets_what_it_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    for seed in range(COUNT):
        chance = random.Random(seed)  # noqa: S311  (a test's dice)
        try:
            as_main_maps_it(PARSERS[seed % len(PARSERS)], chance)
            if seed % 20 == 0:
                description(chance)
            if seed % 5 == 0:
                file.write_bytes(b"[tool.ci-publish]\n" + data(chance))
                with_errors(lambda: project_tables(file))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


def as_main_maps_it(parser: Callable[[random.Random], None], chance: random.Random) -> None:
    """Run *parser* as a command: an exception that is none of ours ends it as an InternalError, which is raised."""

    def work(_: RuntimeContext) -> Outcome:
        parser(chance)
        return Outcome.READY

    recorded("check", work, RuntimeContext(environ={}))


def with_errors(work: Callable[[], object]) -> None:
    try:
        work()
    except ConfigurationError:
        return
