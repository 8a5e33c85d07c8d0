"""Every parser of outside text in docs/threat-model.md, with its cap and the worst strings that were found for it.

A string is given as what it begins with, what is repeated, and what it ends with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from ci_publish.app.index_names import IndexNames
from ci_publish.app.listed_subjects import read_listed_subjects
from ci_publish.app.project_file import MAX_PROJECT_FILE, read_project_tables
from ci_publish.attestations.examiner import parse_attestation, parse_provenance
from ci_publish.attestations.in_toto_statements import WrongStatement, parse_in_toto_statement
from ci_publish.attestations.sigstore_trouble import MAX_BODY, Trouble, trouble_of_sigstore_response
from ci_publish.attestations.sigstore_trust import sigstore_instance_hosts
from ci_publish.distributions.checks import form_validation
from ci_publish.distributions.checks.comparison.python_versions import MAX_SPECIFIER, admitted_python_versions
from ci_publish.distributions.checks.comparison.stated import (
    MAX_PATTERN,
    NOTHING_STATED,
    Stated,
    matches_wheel_pattern,
    parse_expected_wheels,
)
from ci_publish.distributions.checks.comparison.stated_rules import MAX_TAG, version_tag_faults
from ci_publish.distributions.checks.rendering import MAX_MARKDOWN, is_shallow_description
from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.distributions.checks.table import RULES, release_faults
from ci_publish.distributions.core_metadata import parse_core_metadata
from ci_publish.distributions.entry_points import entry_points_refusal_reason, parse_entry_points
from ci_publish.distributions.limits import MAX_ATTESTATION, MAX_METADATA_HEADERS, MAX_RECORD, MAX_SMALL_TEXT
from ci_publish.distributions.wheel_reading import ZipContents
from ci_publish.distributions.wheel_record import parse_wheel_record
from ci_publish.errors import ConfigurationError
from ci_publish.http import response_texts
from ci_publish.http.messages import HttpAnswer
from ci_publish.identity import oidc_protocol
from ci_publish.identity.jwt import decode_jwt_claims
from ci_publish.index import simple_api
from ci_publish.model.attestation import Subject
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.distribution import Kind
from ci_publish.model.filename import MAX_FILENAME, DistributionFilename
from ci_publish.model.release import Comparison, Release, ReleaseFile
from ci_publish.regular_files import MAX_SETTINGS
from tests.unit.fakes import PYPI

Piece = tuple[bytes, bytes, bytes]
URL = "https://index.example/simple/demo/"
SALT = count()
ANSWER = 64 * 1024
"""Bytes of an answer that are read where nothing else is said (``http.messages``)."""

HTML = (b"<a ", b"<a x='", b"<!--", b"<script>", b"<a =", b"</", b"<a\t\n", b"<a x = ", b"&#", b"<", b"<b>", b"x")
JSON: tuple[Piece, ...] = (
    (b"", b"[", b""),
    (b"", b'{"a":', b""),
    (b'{"files":[', b"{},", b"{}]}"),
    (b'{"files":[', b'{"filename":"demo-1.0.tar.gz","url":"a","hashes":{"sha256":"00"}},', b"{}]}"),
    (b'{"message":"', b"\\u0041", b'"}'),
    (b'{"message":"', b"<a ", b'"}'),
    (b'{"message":', b"1", b"}"),
    (b'{"message":1e', b"9", b"}"),
    (b'{"errors":[', b'{"code":"a","description":"b"},', b"{}]}"),
    (b'{"token":"', b"a", b'"}'),
    (b"", b" ", b"1"),
)


@dataclass(frozen=True)
class Parser:
    """One row of the table: what reads the text, the most of it that is read, and the worst strings."""

    read: Callable[[bytes], object]
    cap: int
    pieces: tuple[Piece, ...]

    @staticmethod
    def text(piece: Piece, length: int) -> bytes:
        """Return about *length* bytes made of *piece*."""
        begin, unit, end = piece
        return begin + unit * max(1, (length - len(begin) - len(end)) // len(unit)) + end


def plain(*units: bytes) -> tuple[Piece, ...]:
    return tuple((b"", unit, b"") for unit in units)


def _html(body: bytes) -> None:
    simple_api.parse_listing("demo", body, "text/html", URL, public=True)


def _json(body: bytes) -> None:
    simple_api.parse_listing("demo", body, "application/vnd.pypi.simple.v1+json", URL, public=True)


def _json_api(body: bytes) -> None:
    simple_api.parse_json_api_release("demo", body, URL)


def _filename(text: bytes) -> None:
    DistributionFilename.parse_or_none(text.decode())


def _releases(text: bytes) -> None:
    tags = [line.replace("#", str(number)) for number, line in enumerate(text.decode().splitlines())]
    salt = next(SALT)  # so that nothing is remembered from the text before
    ours, before = (_release(version, tags) for version in (f"1.{salt}", f"0.{salt}"))
    release_faults(Comparison(ours=ours, before=before, new_files=ours.files), NOTHING_STATED)


def _release(version: str, tags: Sequence[str]) -> Release:
    names = [DistributionFilename.parse_or_none(f"demo-{version}-{line}.whl") for line in tags]
    files = tuple(ReleaseFile(name=name, size=len(name.text) << 20) for name in names if name is not None)
    return Release(project="demo", version=version, files=files)


def _requires_python(text: bytes) -> None:
    admitted_python_versions.cache_clear()
    ours = Release(project="demo", version="1.1", files=(), requires_python=text.decode())
    before = replace(ours, requires_python=">=3.9")
    release_faults(Comparison(ours=ours, before=before), NOTHING_STATED)


def _served_metadata(data: bytes) -> None:
    ours = Release(project="demo", version="1.1", files=(), metadata=parse_core_metadata(data).metadata)
    before = replace(ours, metadata=parse_core_metadata(HEAD + b"Requires-Dist: a>=2\n").metadata)
    release_faults(Comparison(ours=ours, before=before), NOTHING_STATED)


def _tag(text: bytes) -> None:
    version_tag_faults({"demo": {"1.0"}, "demo-cli": {"2.0"}}, Stated(tag=text.decode()))


def _expected(text: bytes) -> None:
    try:
        expected = parse_expected_wheels((text.decode(),))
    except ConfigurationError:
        return
    name = DistributionFilename.parse("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
    for each in expected:
        matches_wheel_pattern(each.pattern, name)


def _refusal(body: bytes) -> None:
    for content_type in ("text/html", "application/json"):
        response_texts.response_message(
            HttpAnswer(status=400, reason="Bad Request", headers={"content-type": content_type}, body=body)
        )
    response_texts.response_message(HttpAnswer(status=400, reason=body.decode(), headers={}, body=b""))


def _sigstore(body: bytes) -> None:
    trouble = trouble_of_sigstore_response("Rekor", 400, body.decode(), {}, 0.0)
    assert isinstance(trouble, Trouble)


def _exchange(body: bytes) -> None:
    for status in (200, 422):
        answer = HttpAnswer(status=status, reason="", headers={"content-type": "application/json"}, body=body)
        oidc_protocol.parse_discovery_response(answer, PYPI)
        oidc_protocol.parse_audience_response(answer, PYPI)
        oidc_protocol.parse_mint_response(answer, 0.0)
        oidc_protocol.parse_burn_response(answer)
    decode_jwt_claims(body.decode())


def _metadata(data: bytes) -> None:
    form: dict[str, list[str]] = {}
    for name, value in core_metadata_form_fields(parse_core_metadata(data).metadata):
        form.setdefault(name, []).append(value)
    form_validation.validate_upload_form(form)


def _description(text: bytes) -> None:
    is_shallow_description(text.decode())


def _record(text: bytes) -> None:
    parse_wheel_record(text)


def _entry_points(text: bytes) -> None:
    list(parse_entry_points(text))
    entry_points_refusal_reason(text)


def _wheel_file(text: bytes) -> None:
    contents = ZipContents(info_folder="demo-1.0.dist-info", texts=(("WHEEL", text),))
    file = CheckedFile(filename="demo-1.0-py3-none-any.whl", kind=Kind.WHEEL, size=1, form={}, wheel=contents)
    list(RULES["wheel-file-invalid"].faults_of_file(file))


def _settings(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "settings")
        file.write_bytes(content)
        try:
            IndexNames((), file).pypirc_section("a")
        except ConfigurationError:
            return


def _trust(content: bytes) -> None:
    sigstore_instance_hosts(content.decode())


def _attestation(content: bytes) -> None:
    for read in (parse_attestation, lambda text: list(parse_provenance(text))):
        try:
            read(content)
        except (ValueError, Trouble):
            continue
    try:
        parse_in_toto_statement(content, Subject("demo-1.0.tar.gz", "0" * 64))
    except WrongStatement:
        return


def _subjects(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "files")
        file.write_bytes(content)
        try:
            read_listed_subjects(file)
        except ConfigurationError:
            return


def _project_file(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "pyproject.toml")
        file.write_bytes(content)
        try:
            read_project_tables(file)
        except ConfigurationError:
            return


PROVENANCE: Piece = (
    b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"demo-1.0.tar.gz","digest":{"sha256":"'
    + b"0" * 64
    + b'"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"a:b",'
    b'"externalParameters":{},"resolvedDependencies":[',
    b'{"uri":"a:b","digest":{"sha1":"00"},"content":"YQ=="},',
    b'{"uri":"a:b"}]},"runDetails":{"builder":{"id":"a:b"}}}}',
)
"""Build provenance with many dependencies, as a statement."""

VALUED = (
    b"Requires-Dist",
    b"Requires-Python",
    b"Version",
    b"Author-Email",
    b"License-Expression",
    b"Project-URL",
    b"Home-Page",
    b"Description-Content-Type",
    b"Keywords",
    b"Name",
    b"Import-Name",
)
UNITS = (b"(", b"[", b"a@", b"<", b"1.", b"1", b"a, ", b"\\", b'"', b"; a=b", b"MIT OR ", b"https://[", b"a")
HEAD = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
PARSERS: Mapping[str, Parser] = {
    "HTML file list": Parser(
        _html, simple_api.MAX_LISTING, plain(*HTML, b"<a href=demo-1.0-py3-none-any.whl#sha256=00>x</a>", b"<a href='")
    ),
    "JSON file list": Parser(_json, simple_api.MAX_LISTING, JSON),
    "JSON API": Parser(_json_api, simple_api.MAX_LISTING, JSON),
    "filenames": Parser(
        _filename,
        MAX_FILENAME,
        (
            (b"demo-1.0-", b"a.", b"a-none-any.whl"),
            (b"demo-1.0-py3-none-", b"a.", b"a.whl"),
            (b"demo-", b"1.", b"1.tar.gz"),
            (b"demo-", b"1", b".tar.gz"),
            (b"demo-1.0", b"+a.", b"a.tar.gz"),
            (b"demo", b"-1", b"-py3-none-any.whl"),
            (b"", b"a_", b"-1.0-py3-none-any.whl"),
            (b"", b"-_.", b"-1.0.tar.gz"),
        ),
    ),
    "releases in a file list": Parser(
        _releases,
        250_000,
        plain(
            b"cp3#-abi3-plat_#\n",
            b"cp3#-cp3#-manylinux_2_17_x86_64\n",
            b"a.b.c.d-a.b.c.d-a.b.c.d#\n",
        ),
    ),
    "`Requires-Python` in a file list": Parser(_requires_python, MAX_SPECIFIER, plain(b">=3.1,", b"!=3.9.1,", b"9")),
    "core metadata of a published file": Parser(
        _served_metadata,
        simple_api.MAX_CORE_METADATA,
        (
            *plain(b"Requires-Dist: a>=1\n", b"Requires-Dist: a; python_version<'3'\n", b"a", b"Provides-Extra: a\n"),
            (b"Requires-Dist: a", b">=1,", b"<2\n"),
            (b"Requires-Dist: a; ", b"(", b"\n"),
            (b"Requires-Dist: a; python_version<'3'", b" and extra=='a'", b"\n"),
            (b"License: ", b"a ", b"\n"),
            (b"", b"Project-URL: a, b\n", b""),
        ),
    ),
    "the job's tag": Parser(_tag, MAX_TAG, plain(b"1.", b"9", b"demo-", b"-", b"1!")),
    "`expect-wheels`": Parser(
        _expected, MAX_PATTERN, (*plain(b"*", b"a*", b"[", b"{", b",", b"?"), (b"{", b"a,", b"b}-*"))
    ),
    "error responses of an index": Parser(_refusal, ANSWER, (*plain(*HTML, b"a b ", b"\xc3\xa9", b"\n"), *JSON)),
    "error responses of Sigstore": Parser(_sigstore, MAX_BODY, (*plain(*HTML), *JSON)),
    "responses to the token exchange": Parser(
        _exchange, ANSWER, (*JSON, (b"e30.", b"W1td", b".x"), (b"e30.", b"e30", b"."), *plain(b".", b"a.", b"W1td"))
    ),
    "core metadata": Parser(
        _metadata,
        MAX_METADATA_HEADERS,
        (
            *plain(b"a", b"a: b\n", b" a\n", b":", b"\n", b"\r", b"Requires-Dist: a\n", b"\xff"),
            *((HEAD + field + b": ", unit, b"\n") for field in VALUED for unit in UNITS),
            *((HEAD, field + b": (\n", b"") for field in VALUED),
            (HEAD, b"Requires-Dist: " + b"(" * 99 + b"\n", b""),
            (HEAD, b"Requires-Dist: a; python_version<'3' and (extra=='a')\n", b""),
            (HEAD, b"Author-Email: a <b@c.example>, " * 50 + b"\n", b""),
            (HEAD, b"Classifier: Private :: a\n", b""),
            (HEAD + b"Description: a\n", b"        a\n", b""),
        ),
    ),
    "descriptions": Parser(
        _description,
        MAX_MARKDOWN,
        plain(b">", b"> ", b"- ", b"1. ", b"[", b"*a ", b" ", b"a\n", b"|", b"1", b"-", b"`a"),
    ),
    "RECORD": Parser(_record, MAX_RECORD, plain(b"a,b,c\n", b'"', b",", b"\n", b"a", b'"a""', b"\r", b"\xc2\x85")),
    "WHEEL": Parser(
        _wheel_file,
        MAX_SMALL_TEXT,
        (
            *plain(b"Wheel-Version:", b"Wheel-Version: \n", b"Wheel-Version: 1.", b"\n", b"a: b\n", b" "),
            *((b"Wheel-Version:", unit, end) for unit in (b" ", b"\n", b"1", b" \t") for end in (b"", b"x")),
            *((b"Wheel-Version: 1.1", unit, b"x") for unit in (b" ", b"\n", b"1")),
        ),
    ),
    "entry points": Parser(
        _entry_points,
        MAX_SMALL_TEXT,
        (
            *plain(b"[a]\n", b"[", b"a", b"\n", b"a=b\n", b" "),
            *(
                ((b"[a]\n"), unit, b"")
                for unit in (b"a=b\n", b"=", b"a\n b", b" a\n", b"#\n", b"a=\n\n ", b" " + b"a" * 51 + b"\n")
            ),
        ),
    ),
    "existing attestations": Parser(
        _attestation,
        MAX_ATTESTATION,
        (
            *JSON,
            (b'{"version":1,"verification_material":{"certificate":"', b"AAAA", b'"}}'),
            (b'{"version":1,"attestation_bundles":[', b'{"publisher":{"kind":"GitHub"},"attestations":[]},', b"{}]}"),
            PROVENANCE,
        ),
    ),
    "the file list for `attest --subjects`": Parser(
        _subjects,
        MAX_SETTINGS,
        (
            *plain(b"0" * 64 + b"  demo-1.0.tar.gz\n", b"0", b"\n", b"a "),
            *((head, unit, end) for head, unit, end in JSON if head.startswith(b"[") or not head),
            (b"[", b'{"filename":"demo-1.0.tar.gz","sha256":"' + b"0" * 64 + b'"},', b"{}]"),
            (b"0" * 64 + b"  ", b"a/", b"demo-1.0.tar.gz"),
        ),
    ),
    "`.pypirc`": Parser(
        _settings,
        MAX_SETTINGS,
        (
            *plain(b"[a]\n", b"[", b"\n", b"a", b" ", b"#\n"),
            *((b"[a]\n", unit, b"") for unit in (b"a=b\n", b"=", b"a\n b", b" a\n", b"#\n", b"a=\n\n ")),
            (b"[a]\nrepository=", b"a\n b", b""),
        ),
    ),
    "Sigstore trust configuration": Parser(
        _trust,
        MAX_SETTINGS,
        (
            *JSON,
            (b'{"signingConfig":{"caUrls":[', b'{"url":"https://a"},', b'{"url":"b"}]}}'),
            (b'{"signingConfig":{"caUrls":[{"url":"//', b"[", b'"}]}}'),
        ),
    ),
    "`pyproject.toml`": Parser(
        _project_file,
        MAX_PROJECT_FILE,
        (
            *plain(b"[", b"a = 1\n", b"[a]\n", b"[[a]]\n", b"#\n", b"\n", b"'", b'"', b"{"),
            (b"", b"a.", b"a = 1"),
            (b"", b'"a".', b"a = 1"),
            (b"[", b"a.", b"a]"),
            (b"a = [", b"1,", b"]"),
            (b"a = [", b"[],", b"]"),
            (b"a = ", b"[", b""),
            (b"a = ", b"{a=", b""),
            (b'a = """', b"a\n", b'"""'),
            (b'a = "', b"\\u0041", b'"'),
            (b"a = ", b"1", b""),
            (b"a = ", b"1_", b"1"),
            (b"a = {", b"b.c=1,", b"}"),
            (b"", b"[[a.b]]\n", b""),
            (b"a = '", b"a", b"'"),
        ),
    ),
}
