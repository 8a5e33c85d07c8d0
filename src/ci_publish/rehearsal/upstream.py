"""Upstreams, which answer for the projects that are not rehearsed: a folder of distributions, or another index.

Installers are redirected to an index that needs no credential, and talk to it themselves. Where a credential is
involved, it stays here: pages and files are passed on, the files as they arrive.

Sources: PEPs 503, 592, 629, 658, 691, 700, 714.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote, unquote, urljoin

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from ci_publish.http.messages import Authorization, HttpAnswer, HttpRequest, NoAnswer
from ci_publish.http.response_texts import NotAnObject, parse_json_object
from ci_publish.http.transport import HttpTransport
from ci_publish.http.urls import have_same_origin, redacted_url, split_url, url_has_secrets, url_host, url_with_slash
from ci_publish.index.simple_api import ACCEPT, JSON_V1, MAX_FILES, MAX_JSON_PARTS, MAX_LISTING
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen
from ci_publish.model.html_scanner import parse_html_page
from ci_publish.rehearsal.index_responses import index_base_url
from ci_publish.rehearsal.message_responses import RefusedError

Entry: TypeAlias = Mapping[str, Any]
"""One file of a project's page, as in the JSON form of the Simple API."""

MAX_FILE: Final = 8 * 1024 * 1024 * 1024
"""Bytes of a file that is passed on."""

_BLOCK: Final = 1024 * 1024
_SLOWEST: Final = 1800.0
_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SECRET_IN_PATH: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9_~-]{20,}")
_METADATA: Final = ".metadata"
_KEPT: Final = (
    *("filename", "hashes", "requires-python", "size", "upload-time", "yanked"),
    *("core-metadata", "data-dist-info-metadata", "dist-info-metadata"),
)
_FROM_CLIENT: Final = ("Range", "If-Range")
_FROM_UPSTREAM: Final = ("content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified")


class ServedUpstream(Protocol):
    """What answers for projects that are not rehearsed, from here; *project* is a normalised name. Thread-safe."""

    def listing_entries(self, project: str, base: str) -> list[Entry]:
        """Return the files of a project, with addresses below *base*. Raises NotFound or RefusedError."""

    def serve_file(self, request: Request, project: str, filename: str) -> Response:
        """Return one of those files, or its core metadata (``.metadata``). Raises NotFound or RefusedError."""


def url_holds_no_credential(url: str) -> bool:
    """Return whether nothing in *url* can be a credential: no user, no query, no long random part of the path."""
    parts = split_url(url)
    random = any(_SECRET_IN_PATH.fullmatch(part) for part in parts.path.split("/"))
    return not (url_has_secrets(url) or parts.query or random)


@frozen
class RedirectedIndex:
    """An index without credentials, to which installers are sent. ``root`` is that of its Simple API."""

    root: str

    def project_page_location(self, project: str) -> str:
        """Return the project's page there."""
        return f"{url_with_slash(self.root)}{project}/"


class DistributionFolder:
    """A folder of wheels and sdists, those of a project also in a subfolder with its normalised name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def listing_entries(self, project: str, base: str) -> list[Entry]:
        """Return the files of a project in the folder. Raises NotFound if there are none."""
        paths = self._project_files_in_folder(project)
        if not paths:
            raise NotFound
        return [self._listing_entry(path, project, base) for path in paths.values()]

    def serve_file(self, request: Request, project: str, filename: str) -> Response:
        """Return a file of the folder. Raises NotFound."""
        path = self._project_files_in_folder(project).get(filename)
        if path is None:
            raise NotFound
        return send_file(path.resolve(), request.environ, mimetype="application/octet-stream", conditional=True)

    def _project_files_in_folder(self, project: str) -> dict[str, Path]:
        found = [
            path
            for folder in (self.folder, self.folder / project)
            if folder.is_dir()
            for path in folder.iterdir()
            if _project_of_filename(path.name) == project and path.is_file()
        ]
        return {path.name: path for path in sorted(found)}

    @staticmethod
    def _listing_entry(path: Path, project: str, base: str) -> Entry:
        facts = path.stat()
        return {
            "filename": path.name,
            "url": _served_file_address(base, project, path.name),
            "hashes": {"sha256": _sha256_of_file(path, facts.st_size, facts.st_mtime_ns)},
            "size": facts.st_size,
        }


class ForwardedIndex:
    """An index whose pages and files are passed on, so that its credential reaches no installer.

    *authorization* is sent to the origin of *url* only. A file elsewhere whose address holds no credential is left to
    the installer, unless *everything* is to come from here.
    """

    def __init__(
        self, *, url: str, authorization: Authorization | None, transport: HttpTransport, everything: bool = False
    ) -> None:
        self._url = url_with_slash(url)
        self._everything = everything
        self._authorization = authorization
        self._transport = transport
        self._addresses: dict[tuple[str, str], str] = {}

    def listing_entries(self, project: str, base: str) -> list[Entry]:
        """Return the upstream's files, with digests and core metadata. Raises as ``ServedUpstream``."""
        answer, url = self.ask_upstream(f"{project}/")
        if isinstance(answer, NoAnswer):
            raise RefusedError(502, f"The upstream index {redacted_url(self._url)} cannot be reached: {answer.text}.")
        if answer.status in {404, 410}:
            raise NotFound
        if answer.status in _REDIRECTS:
            raise _too_many_redirects_error()
        if answer.status != 200 or answer.truncated:  # noqa: PLR2004
            raise RefusedError(
                502, f"The upstream index responds with {answer.status} for {project}: {redacted_url(url)}"
            )
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind in {JSON_V1, "application/json"} or answer.body.lstrip()[:1] == b"{"
        found = (
            _parse_upstream_json_listing(answer.body, redacted_url(url))
            if is_json
            else _parse_upstream_html_listing(answer.body)
        )
        return [
            entry
            for entry in (self._entry_with_own_address(entry, url, project, base) for entry in found)
            if entry is not None
        ]

    def ask_upstream(self, path: str, seconds: float | None = None) -> tuple[HttpAnswer | NoAnswer, str]:
        """Return the answer to *path* below the upstream's root, and the URL that gave it; each request has *seconds*.

        Redirects are followed; the answer is one of them where there are too many.
        """
        url = f"{self._url}{path}"
        answer = self._fetch_upstream_page(url, seconds)
        for _ in range(_MAX_REDIRECTS):
            if isinstance(answer, NoAnswer) or answer.status not in _REDIRECTS:
                break
            url = urljoin(url, answer.headers.get("location", ""))
            answer = self._fetch_upstream_page(url, seconds)
        return answer, url

    def ask_file_host(self, project: str, seconds: float) -> tuple[HttpAnswer | NoAnswer, str] | None:
        """Ask the host from which installers download a file of *project* directly; return its answer and its name.

        None if there is no such host: the index is not asked again.
        """
        try:
            addresses = [str(entry["url"]) for entry in self.listing_entries(project, "")]
        except (NotFound, RefusedError):
            return None
        elsewhere = [address.partition("#")[0] for address in addresses if "://" in address]
        if not elsewhere:
            return None
        answer = self._transport.send(HttpRequest(method="HEAD", url=elsewhere[-1]), deadline=seconds)
        return answer, url_host(elsewhere[-1])

    def _fetch_upstream_page(self, url: str, seconds: float | None) -> HttpAnswer | NoAnswer:
        return self._transport.send(
            self._upstream_request(url, {"Accept": ACCEPT}), limit=MAX_LISTING, deadline=seconds
        )

    def _entry_with_own_address(self, entry: Entry, url: str, project: str, base: str) -> Entry | None:
        """Return an entry with an address that works without the credential; None for a file of another project."""
        filename = entry.get("filename")
        if not isinstance(filename, str) or _project_of_filename(filename) != project:
            return None
        address = urljoin(url, str(entry.get("url", "")))
        kept = {name: entry[name] for name in _KEPT if name in entry}
        if not (self._everything or have_same_origin(address, url)) and url_holds_no_credential(address):
            return {**kept, "url": address}
        self._addresses[project, filename] = address
        return {**kept, "url": _served_file_address(base, project, filename)}

    def serve_file(self, request: Request, project: str, filename: str) -> Response:
        """Pass a file on while it arrives. Raises NotFound or RefusedError."""
        name = filename.removesuffix(_METADATA)
        if (project, name) not in self._addresses:
            self.listing_entries(project, index_base_url(request))
        if (project, name) not in self._addresses:
            raise NotFound
        address = self._addresses[project, name] + filename[len(name) :]
        wanted = {header: value for header in _FROM_CLIENT if (value := request.headers.get(header)) is not None}
        with ExitStack() as stack:
            for _ in range(_MAX_REDIRECTS):
                asked = self._upstream_request(address, wanted)
                answer = stack.enter_context(self._transport.stream(asked, limit=MAX_FILE))
                if isinstance(answer, NoAnswer):
                    raise RefusedError(502, f"The upstream index cannot be reached: {answer.text}.")
                if answer.status in {404, 410}:
                    raise NotFound
                if answer.status not in _REDIRECTS:
                    headers = {name: answer.headers[name] for name in _FROM_UPSTREAM if name in answer.headers}
                    response = Response(answer.body, status=answer.status, headers=headers)
                    response.call_on_close(stack.pop_all().close)  # until then, the connection stays open
                    return response
                address = urljoin(address, answer.headers.get("location", ""))
        raise _too_many_redirects_error()

    def _upstream_request(self, url: str, headers: Mapping[str, str]) -> HttpRequest:
        authorization = self._authorization if have_same_origin(url, self._url) else None
        return HttpRequest(method="GET", url=url, headers=headers, authorization=authorization, pause=_SLOWEST)


def _too_many_redirects_error() -> RefusedError:
    return RefusedError(502, "The upstream index redirects too often.")


def _parse_upstream_json_listing(body: bytes, url: str) -> Iterator[Entry]:
    found = (
        parse_json_object(body) if body.count(b"{") + body.count(b"[") <= MAX_JSON_PARTS else NotAnObject("is too long")
    )
    files = None if isinstance(found, NotAnObject) else found.get("files")
    if not isinstance(files, list):
        raise RefusedError(502, f"The upstream index has no readable page at {url}")
    return (entry for entry in files[:MAX_FILES] if isinstance(entry, dict))


def _parse_upstream_html_listing(body: bytes) -> Iterator[Entry]:
    page = parse_html_page(body.decode("utf-8", errors="replace"), MAX_FILES)
    for anchor in page.anchors:
        address, _, fragment = urljoin(page.base or "", anchor.get("href", "")).partition("#")
        algorithm, _, digest = fragment.partition("=")
        metadata = anchor.get("data-core-metadata", anchor.get("data-dist-info-metadata"))
        entry: dict[str, Any] = {
            "filename": unquote(split_url(address).path.rpartition("/")[2]),
            "url": address,
            "hashes": {algorithm.lower(): digest.partition("&")[0]} if digest else {},
            "yanked": (anchor["data-yanked"] or True) if "data-yanked" in anchor else False,
        }
        if metadata is not None:
            kind, _, value = metadata.partition("=")
            entry["core-metadata"] = {kind: value} if value else True
        if "data-requires-python" in anchor:
            entry["requires-python"] = anchor["data-requires-python"]
        yield entry


def _served_file_address(base: str, project: str, filename: str) -> str:
    return f"{base}/upstream/{project}/{quote(filename)}"


def _project_of_filename(filename: str) -> str | None:
    parsed = DistributionFilename.parse_or_none(filename)
    return None if parsed is None else parsed.project


@lru_cache(maxsize=4096)
def _sha256_of_file(path: Path, _size: int, _modified: int) -> str:
    """Return the digest of a file; size and time of modification tell a changed file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
