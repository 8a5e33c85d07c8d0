"""The index as the pipeline sees it: listings, uploads, provenance.

Requests are built and responses are read in the pure modules of this package; the transport sends.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urljoin

from ci_publish.errors import FileChangedDuringRun, IndexUnavailable
from ci_publish.http.messages import Authorization, BodyChanged, HttpAnswer, HttpRequest, NoAnswer, Transport
from ci_publish.http.response_texts import response_status_line
from ci_publish.http.retries import is_transient_status
from ci_publish.http.urls import have_same_origin, redacted_url
from ci_publish.index import simple_api
from ci_publish.index.current_endpoints import CurrentEndpoints, Sources
from ci_publish.index.endpoints import (
    REHEARSAL_HEADER,
    REHEARSAL_VERSION,
    Profile,
    may_be_rehearsal,
    rehearsal_endpoints,
)
from ci_publish.index.index_reader import IndexReader, complete_body
from ci_publish.index.listing_prefetch import PrefetchedListings, PrefetchEmitter
from ci_publish.index.listings import FRESH, Listings
from ci_publish.index.upload_body import hashed_file_md5
from ci_publish.index.uploads import Uploader
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit
from ci_publish.model.index import Endpoints, IndexState, PublishedFile, UploadOutcome
from ci_publish.model.waiting import Waiting

DISCOVERY_SECONDS = 5.0
# A question in the middle of an upload's retries must not use up the time of the run.
QUESTION_ATTEMPTS = 2
SOURCES = Sources()


def recognise_rehearsal(endpoints: Endpoints, transport: Transport, profile: Profile) -> Endpoints:
    """Return the addresses of the rehearsal that an index on loopback announces itself to be, *endpoints* otherwise.

    Only asks where *profile* is ``auto``; one request at most. A rehearsal has PyPI's profile and layout.
    """
    if not may_be_rehearsal(endpoints, profile):
        return endpoints
    request = HttpRequest(method="GET", url=endpoints.audience or urljoin(endpoints.upload, "/"))
    answer = transport.send(request, deadline=DISCOVERY_SECONDS)
    announced = isinstance(answer, HttpAnswer) and answer.headers.get(REHEARSAL_HEADER.lower()) == REHEARSAL_VERSION
    return rehearsal_endpoints(endpoints) if announced else endpoints


class HttpIndex:
    """The port ``publishing.ports.Index`` over HTTP. Thread-safe.

    *listing_authorization* is sent to the Simple API where that is on the origin of the upload API, and nowhere else.
    """

    def __init__(  # noqa: PLR0913  (collaborators, by name)
        self,
        *,
        endpoints: Endpoints,
        transport: Transport,
        emit: Emit,
        waiting: Waiting,
        listing_authorization: Authorization | None = None,
        sources: Sources = SOURCES,
    ) -> None:
        self._endpoints = CurrentEndpoints(endpoints)
        self._listing_authorization = listing_authorization
        self._reader = IndexReader(
            transport=transport,
            index=endpoints.name,
            authorization=self._listing_authorization_for,
            emit=emit,
            waiting=waiting,
            sources=sources,
        )
        self._listings = Listings(self._reader, self._endpoints)
        self._prefetched = PrefetchedListings(self._fetch_listing)
        self._uploader = Uploader(
            endpoints=self._endpoints,
            transport=transport,
            listed=self._fetch_listing_for_upload,
            emit=emit,
            waiting=waiting,
            sources=sources,
        )

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of this index."""
        return self._endpoints.now

    def _listing_authorization_for(self, url: str) -> Authorization | None:
        return self._listing_authorization if have_same_origin(url, self.endpoints.upload) else None

    def _fetch_listing_for_upload(self, file: Distribution) -> IndexState:
        budget = self._reader.retry_budget(max_attempts=QUESTION_ATTEMPTS)
        return self._listings.fetch_listing(file.project, file.version, budget, fresh=True)

    # --- listings

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Return what the index lists of *project*; see ``publishing.ports.Index``.

        No retry begins later than *patience* seconds after the call: 0 is one attempt, None the usual patience.
        """
        if not fresh and (prefetched := self._prefetched.take_listing(project, version)) is not None:
            return prefetched
        return self._fetch_listing(project, version, fresh=fresh, patience=patience)

    def _fetch_listing(
        self, project: str, version: str | None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        return self._listings.fetch_listing(project, version, self._reader.retry_budget(patience=patience), fresh=fresh)

    def begin_prefetch(self, releases: Iterable[tuple[str, str]], emitter: PrefetchEmitter) -> None:
        """Start fetching the listings of *releases*; *emitter* is what this index and its transport emit to."""
        self._prefetched.begin_prefetch(releases, emitter)

    def finish_prefetch(self) -> None:
        """Wait until the background fetches have ended."""
        self._prefetched.finish_prefetch()

    # --- upload

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; see ``publishing.ports.Index``."""
        return self._uploader.upload(distribution, attestations, authorization, throttled, turn)

    def md5(self, distribution: Distribution) -> str:
        """Return the MD5 of a file's bytes; see ``publishing.ports.Index``."""
        try:
            return hashed_file_md5(distribution)
        except BodyChanged as error:
            raise FileChangedDuringRun(
                f"{distribution.filename} changed during the run: {error}",
                detail="Its MD5 is needed to compare it with the file on the index.",
                hints=("Publish a finished build, from a folder that nothing writes to during the run.",),
            ) from error

    def download_sha256(self, published: PublishedFile, limit: int) -> str | None:
        """Download a listed file and return its SHA-256; see ``publishing.ports.Index``."""
        what = f"the content of {published.filename}"
        answer, _ = self._reader.get(published.url, {"Accept": "*/*"}, limit, what, self._reader.retry_budget())
        content = complete_body(answer)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def core_metadata(self, published: PublishedFile) -> bytes | None:
        """Fetch the core metadata that is served next to a listed file; see ``publishing.ports.Index``."""
        if published.core_metadata is False:
            return None
        url = f"{published.url.partition('#')[0]}.metadata"
        budget = self._reader.retry_budget(max_attempts=QUESTION_ATTEMPTS)
        what = f"the metadata of {published.filename}"
        answer, _ = self._reader.get(url, {"Accept": "*/*"}, simple_api.MAX_CORE_METADATA, what, budget)
        content, listed = complete_body(answer), published.core_metadata
        matches = content is not None and (listed is True or hashlib.sha256(content).hexdigest() == listed)
        return content if matches else None

    # --- provenance

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance that the index serves for a file; see ``publishing.ports.Index``."""
        if self.endpoints.integrity is not None:
            url: str | None = simple_api.provenance_url(self.endpoints.integrity, project, version, filename)
        else:
            known = self._listings.remembered_listing(project)
            published = None if known is None else known.listing.files.get(filename)
            url = None if published is None else published.provenance
        if url is None:
            return None
        headers = {"Accept": simple_api.ACCEPT_INTEGRITY, **FRESH}
        answer, url = self._reader.get(url, headers, simple_api.MAX_PROVENANCE, filename, self._reader.retry_budget())
        if isinstance(answer, NoAnswer):
            raise IndexUnavailable(f"The provenance of {filename} cannot be fetched.", detail=answer.text)
        if (content := complete_body(answer)) is not None:
            return content
        if is_transient_status(answer.status) or answer.truncated:
            raise IndexUnavailable(
                f"The provenance of {filename} cannot be fetched.",
                detail=f"{redacted_url(url)} responded with {response_status_line(answer)}",
            )
        return None
