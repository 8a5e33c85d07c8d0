"""Reads listings: the Simple API as JSON or HTML, and PyPI's JSON API (pure).

Sources: PEP 503 (HTML), PEP 592 (yanked), PEP 658 (core metadata), PEP 691 (JSON), PEP 700 (versions, size,
upload-time), PEP 740 (provenance), PEP 792 (project status); docs.pypi.org/api/json. Everything read here comes from a
server that may be broken, hostile or not an index at all: whatever its shape, the functions return a value and never
raise.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urljoin

from ci_publish.http.response_texts import NotAnObject, parse_json_object
from ci_publish.http.urls import have_same_origin, split_url, url_host
from ci_publish.model.filename import version_in_filename
from ci_publish.model.frozen import frozen
from ci_publish.model.index import ProjectListing, ProjectStatus, PublishedFile

JSON_V1 = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{JSON_V1}, {HTML_V1};q=0.2, text/html;q=0.1"
ACCEPT_JSON_API = "application/json"
ACCEPT_INTEGRITY = "application/vnd.pypi.integrity.v1+json"

# The largest listing of PyPI has some ten thousand files and 15 MB; longer ones are not read to the end. Reading one
# takes at most two seconds: each file costs 25 microseconds, each object or array of JSON a tenth of one.
MAX_LISTING = 32 * 1024 * 1024
MAX_FILES = 60_000
MAX_JSON_PARTS = 1_000_000
# The root lists every project of an index; its beginning shows what it is.
MAX_ROOT = 64 * 1024
MAX_PROVENANCE = 4 * 1024 * 1024
MAX_CORE_METADATA = 4 * 1024 * 1024

PUBLIC_FILE_HOSTS = frozenset(
    {"files.pythonhosted.org", "test-files.pythonhosted.org", "pypi.org", "pypi.python.org", "test.pypi.org"}
)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_DEVPI_INDEX = re.compile(r"(.*/[^/]+/[^/]+)/(?:\+simple|\+f|\+e)/")
_MAX_TEXT = 2000
# What the title or heading of an index's pages says: pypiserver, devpi, Nexus, Artifactory, bandersnatch, pip's own.
_SAYS_SIMPLE = re.compile(rb"<(?:title|h1)[^>]*>[^<]{0,200}simple (?:index|list)")
_SAYS_LINKS = re.compile(rb"<(?:title|h1)[^>]*>[^<]{0,200}(?:links for|links to|simple index|simple list)")


@frozen
class Unreadable:
    """Not a listing; ``reason`` completes the sentence "the response …"."""

    reason: str


Parsed = ProjectListing | Unreadable


def listing_url(simple_root: str, project: str) -> str:
    """Return the address of a project's listing; *project* is normalised."""
    return f"{simple_root}{project}/"


def json_api_url(json_root: str, project: str, version: str) -> str:
    """Return the address of a release's page of the JSON API, or of the project's for an empty version."""
    if not version:
        return f"{json_root}{project}/json"
    return f"{json_root}{project}/{version}/json"


def provenance_url(integrity_root: str, project: str, version: str, filename: str) -> str:
    """Return the address of the provenance of a file, of PyPI's Integrity API."""
    return f"{integrity_root}{project}/{version}/{filename}/provenance"


def parse_listing(project: str, body: bytes, content_type: str, url: str, *, public: bool) -> Parsed:
    """Read a project's listing that came from *url*.

    *public*: the index is PyPI itself or a rehearsal of it, so that files on PyPI's own file hosts are its own.
    Elsewhere such files, and files below another devpi index, are marked as inherited.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in {JSON_V1, "application/json"} or body.lstrip()[:1] == b"{":
        listing = _parse_json_listing(project, body, url)
    else:
        listing = _parse_html_listing(project, body, url)
    if isinstance(listing, Unreadable) or public:
        return listing
    mixed = any(have_same_origin(file.url, url) for file in listing.files.values())
    files = {
        name: replace(file, inherited=True) if _is_inherited_file(file.url, url, mixed=mixed) else file
        for name, file in listing.files.items()
    }
    return replace(listing, files=files)


def is_simple_api_root(body: bytes, content_type: str, url: str) -> bool:
    """Whether a page at *url* is the root of a Simple API: the list of an index's projects (PEP 503, PEP 691).

    *body* may be cut off. A page of HTML must say that it is one, or link to nothing but pages directly below it.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in {JSON_V1, "application/json"}:
        start = body[:_MAX_TEXT]
        return body.lstrip()[:1] == b"{" and b'"meta"' in body and (media_type == JSON_V1 or b'"api-version"' in start)
    from ci_publish.model.html_scanner import parse_html_page  # noqa: PLC0415  (late: most indexes answer with JSON)

    page = parse_html_page(body.decode("utf-8", errors="replace"), MAX_FILES)
    if media_type == HTML_V1 or "pypi:repository-version" in page.meta or _SAYS_SIMPLE.search(body[:_MAX_TEXT].lower()):
        return True
    targets = [_resolve_listed_url(url, anchor.get("href", "")) for anchor in page.anchors]
    below = re.compile(f"{re.escape(split_url(url).path)}/*[^/]+/*")
    return bool(targets) and all(
        have_same_origin(each, url) and below.fullmatch(split_url(each).path) for each in targets
    )


def parse_json_api_release(project: str, body: bytes, url: str) -> Parsed:
    """Read the page of one release of PyPI's JSON API: its files, as they are listed there."""
    data = _parse_json_body(body)
    if isinstance(data, Unreadable):
        return data
    entries = data.get("urls")
    if not isinstance(entries, list):
        return Unreadable("has no list of files")
    files = _listed_files_by_name(
        ({**_mapping_or_empty(entry), "hashes": _mapping_or_empty(entry).get("digests")} for entry in entries), url
    )
    info = _mapping_or_empty(data.get("info"))
    version = _text_or_none(info.get("version"))
    return ProjectListing(
        project=project,
        files=files,
        versions=(version,) if version else (),
        serial=_integer_or_none(data.get("last_serial")),
    )


def merge_listings(first: ProjectListing | None, second: ProjectListing) -> ProjectListing:
    """Return both listings of a project merged; if both list a file, *second* (the fresher) counts."""
    if first is None:
        return second
    files = dict(first.files)
    for name, file in second.files.items():
        if (known := first.files.get(name)) is None:
            files[name] = file
        else:
            provenance, core_metadata = file.provenance or known.provenance, file.core_metadata or known.core_metadata
            files[name] = replace(file, provenance=provenance, core_metadata=core_metadata)
    serials = [serial for serial in (first.serial, second.serial) if serial is not None]
    return replace(
        first,
        files=files,
        versions=tuple(dict.fromkeys((*first.versions, *second.versions))),
        serial=max(serials, default=None),
    )


def lists_version(listing: ProjectListing, version: str) -> bool:
    """Whether *listing* shows at least one file of *version* (normalised)."""
    return any(version_in_filename(filename) == version for filename in listing.files)


# --- JSON


def _parse_json_listing(project: str, body: bytes, url: str) -> Parsed:
    data = _parse_json_body(body)
    if isinstance(data, Unreadable):
        return data
    meta = _mapping_or_empty(data.get("meta"))
    api_version = _text_or_none(meta.get("api-version")) or "1.0"
    if not api_version.startswith("1."):
        return Unreadable(f"speaks version {api_version[:20]} of the Simple API, which ci-publish does not support")
    entries = data.get("files")
    if not isinstance(entries, list):
        return Unreadable("has no list of files")
    versions = data.get("versions")
    return ProjectListing(
        project=project,
        files=_listed_files_by_name(map(_mapping_or_empty, entries), url),
        versions=tuple(filter(None, map(_text_or_none, versions[:MAX_FILES]))) if isinstance(versions, list) else (),
        status=_text_or_none(_mapping_or_empty(data.get("project-status")).get("status")) or ProjectStatus.ACTIVE.value,
        serial=_integer_or_none(meta.get("_last-serial")),
    )


def _parse_json_body(body: bytes) -> Mapping[str, Any] | Unreadable:
    if body.count(b"{") + body.count(b"[") > MAX_JSON_PARTS:
        return Unreadable("is JSON with more values than a file list can have")
    found = parse_json_object(body)
    return Unreadable(found.reason) if isinstance(found, NotAnObject) else found


def _listed_files_by_name(entries: Iterator[Mapping[str, Any]], url: str) -> dict[str, PublishedFile]:
    """Return the files by name; entries that name no file are left out, of two with one name the first counts."""
    files: dict[str, PublishedFile] = {}
    for _, entry in zip(range(MAX_FILES), entries, strict=False):
        file = _parse_listed_file(entry, url)
        if file is not None:
            files.setdefault(file.filename, file)
    return files


def _parse_listed_file(entry: Mapping[str, Any], url: str) -> PublishedFile | None:
    filename = _text_or_none(entry.get("filename"))
    if filename is None:
        return None
    yanked = entry.get("yanked", False)
    provenance = _text_or_none(entry.get("provenance"))
    hashes = _mapping_or_empty(entry.get("hashes"))
    requires_python = [entry[key] for key in ("requires-python", "requires_python") if key in entry][:1]
    core_metadata = entry.get("core-metadata", entry.get("data-dist-info-metadata"))
    return PublishedFile(
        filename=filename,
        url=_resolve_listed_url(url, _text_or_none(entry.get("url")) or ""),
        sha256=_digest_or_none(_SHA256, hashes.get("sha256")),
        size=_integer_or_none(entry.get("size")),
        upload_time=_text_or_none(entry.get("upload-time")) or _text_or_none(entry.get("upload_time_iso_8601")),
        yanked=yanked
        if isinstance(yanked, bool)
        else (_text_or_none(yanked) or _text_or_none(entry.get("yanked_reason")) or False),
        provenance=_resolve_listed_url(url, provenance) if provenance else None,
        md5=_digest_or_none(_MD5, hashes.get("md5")),
        # Empty where the entry says that there is none (null).
        requires_python=(_text_or_none(requires_python[0]) or "") if requires_python else None,
        # The digest of what is served next to the file, True for core metadata without one.
        core_metadata=_digest_or_none(_SHA256, _mapping_or_empty(core_metadata).get("sha256"))
        or core_metadata is True
        or isinstance(core_metadata, dict),
    )


def _mapping_or_empty(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None


def _integer_or_none(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _digest_or_none(pattern: re.Pattern[str], value: object) -> str | None:
    return value.lower() if isinstance(value, str) and pattern.fullmatch(value) else None


def _resolve_listed_url(base: str, reference: str) -> str:
    """Resolve *reference*; what cannot be resolved is returned as it is."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


# --- HTML


def _parse_html_listing(project: str, body: bytes, url: str) -> Parsed:
    from ci_publish.model.html_scanner import parse_html_page  # noqa: PLC0415  (late: most indexes answer with JSON)

    page = parse_html_page(body.decode("utf-8", errors="replace"), MAX_FILES)
    base = _resolve_listed_url(url, page.base or "")
    files = _listed_files_by_name(filter(None, (_anchor_as_json_entry(anchor, base) for anchor in page.anchors)), base)
    known = "pypi:repository-version" in page.meta
    if not known and page.anchors and not any(map(version_in_filename, files)):
        return Unreadable("is a web page without any link to a distribution")
    is_listing = known or page.anchors or _SAYS_LINKS.search(body[:_MAX_TEXT].lower())
    if not (page.whole and is_listing):
        return Unreadable("is not a page of a Simple API")
    return ProjectListing(
        project=project,
        files=files,
        status=page.meta.get("pypi:project-status", "")[:_MAX_TEXT] or ProjectStatus.ACTIVE.value,
    )


def _anchor_as_json_entry(anchor: Mapping[str, str], base: str) -> Mapping[str, Any]:
    """Return an anchor as an entry of the JSON form: PEP 691 maps each attribute, also PEP 658's (a digest or true)."""
    target = _resolve_listed_url(base, anchor.get("href", ""))
    address, _, fragment = target.partition("#")
    algorithm, _, digest = fragment.partition("=")
    core_metadata = anchor.get("data-core-metadata", anchor.get("data-dist-info-metadata", ""))
    metadata_algorithm, _, metadata_digest = core_metadata.partition("=")
    return {
        "filename": unquote(split_url(address).path.rpartition("/")[2]),
        "url": address,
        "hashes": {algorithm.lower(): digest.partition("&")[0]},
        "yanked": (anchor["data-yanked"] or True) if "data-yanked" in anchor else False,
        "provenance": anchor.get("data-provenance"),
        "core-metadata": {metadata_algorithm: metadata_digest}
        if metadata_digest
        else core_metadata not in {"", "false"},
        **({"requires-python": anchor["data-requires-python"]} if "data-requires-python" in anchor else {}),
    }


# --- files that an index only forwards


def _is_inherited_file(file_url: str, url: str, *, mixed: bool) -> bool:
    """Whether the index at *url* only forwards a file from another index, as far as the file's URL shows it.

    That is: from PyPI's own file hosts; from another devpi index than the one asked; and from another origin, if the
    listing is *mixed*: other files of it are on this one (an index that keeps all its files on another host is not
    suspected).
    """
    if not have_same_origin(file_url, url):
        return mixed or url_host(file_url) in PUBLIC_FILE_HOSTS
    own, other = _DEVPI_INDEX.match(split_url(url).path), _DEVPI_INDEX.match(split_url(file_url).path)
    return own is not None and other is not None and own[1] != other[1]
