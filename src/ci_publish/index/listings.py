"""Fetches what an index lists of a project: from its Simple API and, on PyPI, from the fresher JSON API of a release.

A 404 means that a project does not exist only at an address that was given, is known, or has proved to be the root of a
Simple API; at a guessed address it means nothing.
"""

from threading import Lock

from ci_publish.http.messages import HttpAnswer, NoAnswer, NoAnswerReason
from ci_publish.http.response_texts import response_status_line
from ci_publish.http.retries import is_transient_status
from ci_publish.http.urls import have_same_origin, redacted_url, split_url, url_has_secrets
from ci_publish.index import simple_api
from ci_publish.index.current_endpoints import CurrentEndpoints
from ci_publish.index.index_reader import REDIRECTS, IndexReader, RetryBudget, complete_body, index_redirect_target
from ci_publish.model.frozen import frozen
from ci_publish.model.index import (
    IndexProfile,
    IndexState,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
)

FRESH = {"Cache-Control": "no-cache, max-age=0", "Pragma": "no-cache"}
HINT = "Set index-url to the root of its Simple API, the address that pip installs from."


@frozen
class _RememberedListing:
    """A listing that was read in this run, and its ETag (empty without one), to ask whether it has changed."""

    etag: str
    listing: ProjectListing


class Listings:
    """Fetches listings from one index. Thread-safe.

    *endpoints* are corrected where a guessed root of the Simple API proves right.
    """

    def __init__(self, reader: IndexReader, endpoints: CurrentEndpoints) -> None:
        self._reader = reader
        self._endpoints = endpoints
        self._lock = Lock()
        self._known: dict[str, _RememberedListing] = {}
        self._serials: dict[str, int] = {}
        self._proved: dict[str, bool] = {}

    def fetch_listing(self, project: str, version: str | None, budget: RetryBudget, *, fresh: bool) -> IndexState:
        """Return what the index lists of *project*; see ``publishing.ports.Index``."""
        endpoints = self._endpoints.now
        if endpoints.simple is None:
            reason = f"the address of the Simple API cannot be derived from {redacted_url(endpoints.upload)}. {HINT}"
            return NotVisible(project, reason)
        if endpoints.simple_guesses:
            return self._fetch_from_guessed_roots(project, endpoints.simple_guesses, budget, fresh=fresh)
        known = self.remembered_listing(project)
        first = self._fetch_from_root(endpoints.simple, project, known, budget, fresh=fresh)
        same = known is not None and first is known.listing
        state = self._complete_from_json_api(first, version, budget, fresh=fresh, same=same)
        if isinstance(state, ProjectListing) and state.serial is not None:
            with self._lock:
                self._serials[project] = max(state.serial, self._serials.get(project, 0))
        return state

    def remembered_listing(self, project: str) -> "_RememberedListing | None":
        """Return the listing of *project* that was read last in this run."""
        with self._lock:
            return self._known.get(project)

    # --- addresses that are only guessed

    def _fetch_from_guessed_roots(
        self, project: str, guesses: tuple[str, ...], budget: RetryBudget, *, fresh: bool
    ) -> IndexState:
        """Try each guessed root until one proves to be a Simple API; without one, the state is unknown."""
        elsewhere: NotVisible | None = None
        for root in guesses:
            state = self._fetch_from_root(root, project, None, budget, fresh=fresh)
            if isinstance(state, ListingUnavailable):
                return state
            if isinstance(state, NotVisible) and state.index_url is not None:
                elsewhere = state
            if isinstance(state, ProjectListing) or (
                isinstance(state, NoSuchProject) and self._is_simple_api_root(root, budget)
            ):
                self._endpoints.correct(simple=root, simple_guesses=())
                return state
        if elsewhere is not None:
            return elsewhere
        addresses = " nor ".join(redacted_url(root) for root in guesses)
        neither = "neither " if len(guesses) > 1 else ""
        verb = "responds" if len(guesses) > 1 else "does not respond"
        return NotVisible(
            project, f"the address of its Simple API is not known: {neither}{addresses} {verb} as one. {HINT}"
        )

    def _is_simple_api_root(self, root: str, budget: RetryBudget) -> bool:
        """Whether *root* answers as the root of a Simple API."""
        if root not in self._proved:
            headers = {"Accept": simple_api.ACCEPT}
            answer, url = self._reader.get(root, headers, simple_api.MAX_ROOT, "the Simple API", budget)
            self._proved[root] = (
                isinstance(answer, HttpAnswer)
                and answer.status == 200  # noqa: PLR2004
                and simple_api.is_simple_api_root(answer.body, answer.headers.get("content-type", ""), url)
            )
        return self._proved[root]

    # --- one address

    def _fetch_from_root(
        self, root: str, project: str, known: _RememberedListing | None, budget: RetryBudget, *, fresh: bool
    ) -> IndexState:
        """Return the listing at *root*: *known* itself if the index responds that it has not changed."""
        url = simple_api.listing_url(root, project)
        headers = {"Accept": simple_api.ACCEPT, **(FRESH if fresh else {})}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag  # beside no-cache: caches on the way ask, too (RFC 9111 §5.2.1.4)
        answer, url = self._reader.get(url, headers, simple_api.MAX_LISTING, project, budget)
        unchanged = isinstance(answer, HttpAnswer) and answer.status == 304  # noqa: PLR2004
        if known is not None and known.etag and unchanged:
            return known.listing
        state = self._state_from_response(project, answer, url)
        if isinstance(state, ProjectListing) and isinstance(answer, HttpAnswer):
            with self._lock:
                self._known[project] = _RememberedListing(answer.headers.get("etag", ""), state)
        return state

    def _state_from_response(self, project: str, answer: HttpAnswer | NoAnswer, url: str) -> IndexState:
        """Return what a response of the Simple API means."""
        if isinstance(answer, NoAnswer):
            reason = f"{redacted_url(url)} cannot be reached: {answer.text}"
            if answer.reason is NoAnswerReason.REFUSED_LOCALLY and not self._is_pypi:
                return NotVisible(project, f"{reason}. {HINT}")
            return ListingUnavailable(project, reason, untrusted=answer.reason is NoAnswerReason.UNTRUSTED_CERTIFICATE)
        match answer.status:
            case 200:
                return self._parse_listing_response(project, answer, url)
            case 404 | 410:
                return NoSuchProject(project)
            case status if status in REDIRECTS:
                return self._state_from_redirect(project, answer, url)
            case status:
                said = f"{redacted_url(url)} responded with {response_status_line(answer)}"
                why = ": the credential of this run may not read there" if status in {401, 403} else ""
                unavailable = self._is_pypi or is_transient_status(status)
                return (
                    ListingUnavailable(project, said)
                    if unavailable
                    else self._not_visible_state(project, f"{said}{why}", url)
                )

    def _state_from_redirect(self, project: str, answer: HttpAnswer, url: str) -> NotVisible | ListingUnavailable:
        target = index_redirect_target(url, answer)
        if have_same_origin(target, url) or split_url(target).scheme == "https":
            return ListingUnavailable(project, f"{redacted_url(url)} redirects too many times")
        reason = f"{redacted_url(url)} redirects to {redacted_url(target)[:300]}, which is not followed"
        return (
            ListingUnavailable(project, reason) if self._is_pypi else self._not_visible_state(project, reason, target)
        )

    def _parse_listing_response(self, project: str, answer: HttpAnswer, url: str) -> IndexState:
        if answer.truncated:
            return ListingUnavailable(
                project, f"the response of {redacted_url(url)} is incomplete, or too long for a file list"
            )
        content_type = answer.headers.get("content-type", "")
        parsed = simple_api.parse_listing(project, answer.body, content_type, url, public=self._is_pypi)
        if isinstance(parsed, ProjectListing):
            return parsed
        reason = f"the response of {redacted_url(url)} {parsed.reason}"
        return ListingUnavailable(project, reason) if self._is_pypi else self._not_visible_state(project, reason, url)

    def _not_visible_state(self, project: str, reason: str, url: str) -> NotVisible:
        """Return why the state is unknown, with the root to set if a redirect to *url* names another one."""
        endpoints = self._endpoints.now
        root, _, last = url.rstrip("/").rpartition("/")
        if split_url(endpoints.simple or "").scheme == "https":
            root = root.replace("http://", "https://", 1)  # a proxy in front of an index that does not know of TLS
        asked = {endpoints.simple, *endpoints.simple_guesses}
        if last != project or f"{root}/" in asked or url_has_secrets(root) or not split_url(root).hostname:
            return NotVisible(project, f"{reason}. {HINT}")
        return NotVisible(project, f"{reason}. It points to another Simple API: set index-url to {root}/", f"{root}/")

    @property
    def _is_pypi(self) -> bool:
        return self._endpoints.now.profile is IndexProfile.PYPI

    # --- the Simple API of PyPI comes through a cache that may be ten minutes old; the page of a release is fresher

    def _complete_from_json_api(
        self, first: IndexState, version: str | None, budget: RetryBudget, *, fresh: bool, same: bool
    ) -> IndexState:
        """Return *first* with what the JSON API adds, if it may be old; *same*: it was read before."""
        json_api, project = self._endpoints.now.json_api, first.project
        if not self._is_pypi or json_api is None:
            return first
        if isinstance(first, ProjectListing):
            with self._lock:
                seen = self._serials.get(project)
            known = same or (first.serial is not None and seen is not None and first.serial <= seen)
            may_be_old = version is not None and ((fresh and known) or not simple_api.lists_version(first, version))
        else:
            may_be_old = isinstance(first, NoSuchProject) and (version is not None or fresh)
        if not may_be_old:
            return first
        url = simple_api.json_api_url(json_api, project, version or "")
        headers = {"Accept": simple_api.ACCEPT_JSON_API, **FRESH}
        answer, url = self._reader.get(url, headers, simple_api.MAX_LISTING, project, budget)
        body = complete_body(answer)
        second = None if body is None else simple_api.parse_json_api_release(project, body, url)
        if not isinstance(second, ProjectListing):
            return first
        return simple_api.merge_listings(first if isinstance(first, ProjectListing) else None, second)
