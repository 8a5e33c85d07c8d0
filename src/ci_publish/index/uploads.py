"""Uploads files and retries: what to do after each response, and when the index's own listing decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from ci_publish.hints import Hint, option
from ci_publish.http.messages import Authorization, BodyChanged, HttpRequest, NoAnswer, NoAnswerReason, Transport
from ci_publish.http.retries import (
    FailedAttempt,
    GiveUp,
    RetryState,
    SingleRetry,
    TryAgain,
    decide_retry,
    failed_attempt_without_answer,
)
from ci_publish.http.urls import redacted_url
from ci_publish.index import upload_api
from ci_publish.index.current_endpoints import CurrentEndpoints, Sources
from ci_publish.index.endpoints import index_kind_of_upload_url
from ci_publish.index.upload_body import LONGEST_PAUSE, FormBody, hashed_file_md5
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Noted, Retrying, UploadProgressed, UploadsCollided, UploadStarted
from ci_publish.model.index import (
    Accepted,
    Cancelled,
    FileChanged,
    IndexProfile,
    IndexState,
    ProjectListing,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.model.waiting import Waiting


@dataclass(slots=True)
class _Attempts:
    """The retries of one file so far, and its turn to be completed."""

    turn: CompletionTurn
    history: RetryState = field(default_factory=RetryState)
    unclear: bool = False

    @property
    def count(self) -> int:
        return self.history.attempts


_REFUSALS_RETRIED_ONCE = frozenset(
    {SingleRetry.DIGEST_MISMATCH, SingleRetry.DAMAGED_TRANSFER, SingleRetry.ATTESTATION_ERROR}
)


class Uploader:
    """Sends files to one index. Thread-safe.

    *listed* returns what the index's own listing shows of a file's release, freshly fetched.
    """

    def __init__(  # noqa: PLR0913  (collaborators, by name)
        self,
        *,
        endpoints: CurrentEndpoints,
        transport: Transport,
        listed: Callable[[Distribution], IndexState],
        emit: Emit,
        waiting: Waiting,
        sources: Sources,
    ) -> None:
        self._endpoints = endpoints
        self._transport = transport
        self._listed = listed
        self._emit = emit
        self._waiting = waiting
        self._sources = sources

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; see ``publishing.ports.Index``."""
        attempts = _Attempts(turn)
        try:
            needs_md5 = index_kind_of_upload_url(self._endpoints.now.upload) == "artifactory"
            digest = hashed_file_md5(distribution) if needs_md5 else None
        except BodyChanged as error:
            return FileChanged(0, str(error))
        form = upload_api.upload_form_fields(distribution, attestations, md5=digest)
        while not self._waiting.stopped:
            attempts.history = attempts.history.with_attempt()
            match response := self._send_upload_request(distribution, form, authorization, attempts):
                case NoAnswer():
                    outcome = self._retry_unanswered_upload(distribution, response, attempts)
                case upload_api.Later():
                    outcome = self._retry_postponed_upload(distribution, response, attempts, throttled)
                case _:
                    outcome = response
            if outcome is not None:
                return outcome
        return Cancelled(attempts.count, "the run was stopped before this file was finished", unclear=attempts.unclear)

    def _send_upload_request(
        self,
        distribution: Distribution,
        form: Sequence[upload_api.Field],
        authorization: Authorization | None,
        attempts: _Attempts,
    ) -> upload_api.ServerResponse | NoAnswer:
        """Send the form once, or twice if the upload address lacks its trailing slash."""
        name, url, filename = self._endpoints.now.name, self._endpoints.now.upload, distribution.filename
        framing = upload_api.multipart_framing(form, filename, self._sources.boundary())
        self._emit(UploadStarted(index=name, filename=filename, size=distribution.size, attempt=attempts.count))

        def progress(sent: int) -> None:
            self._emit(UploadProgressed(index=name, filename=filename, sent=sent, total=body.length))

        body = FormBody(distribution=distribution, framing=framing, progress=progress, turn=attempts.turn)
        request = HttpRequest(
            method="POST",
            url=url,
            headers=upload_api.HEADERS,
            authorization=authorization,
            body=body,
            pause=LONGEST_PAUSE,
        )
        try:
            answer = self._transport.send(request)
        finally:
            attempts.turn.end()
        if isinstance(answer, NoAnswer):
            return answer
        response = upload_api.interpret_upload_response(answer, url, attempts.count, self._sources.clock())
        if not isinstance(response, upload_api.MissingSlash):
            return response
        if self._endpoints.correct(upload=response.url):  # for all files from now on, and reported once
            shown = redacted_url(response.url)
            message = f"The index accepts uploads at {shown}; the trailing slash of repository-url was missing."
            hint = Hint("Set it in full: ", option("repository_url", shown))
            self._emit(Noted(slug="missing-slash", message=message, hints=(hint,)))
        return self._send_upload_request(distribution, form, authorization, attempts)

    def _retry_postponed_upload(
        self, distribution: Distribution, later: upload_api.Later, attempts: _Attempts, throttled: Callable[[], None]
    ) -> UploadOutcome | None:
        """Retry, immediately if the index was only busy with other uploads of this run."""
        endpoints = self._endpoints.now
        attempts.unclear = attempts.unclear or later.unclear
        if later.status == 500 and attempts.turn.may_have_collided():  # noqa: PLR2004  (what a deadlock is answered with)
            self._emit(
                UploadsCollided(
                    index=endpoints.name,
                    filename=distribution.filename,
                    project=distribution.project,
                    version=distribution.version,
                )
            )
            attempts.history = attempts.history.without_last_attempt()
            return None
        if later.throttled or (later.status >= 500 and endpoints.profile is not IndexProfile.PYPI):  # noqa: PLR2004
            throttled()
        ask = later.failure.once is SingleRetry.MALFORMED_ANSWER
        return self._wait_for_retry(distribution, later.failure, attempts, ask=ask, page=later.page)

    def _retry_unanswered_upload(
        self, distribution: Distribution, lost: NoAnswer, attempts: _Attempts
    ) -> UploadOutcome | None:
        if lost.reason is NoAnswerReason.FILE_CHANGED:
            return FileChanged(attempts.count, lost.text)
        attempts.unclear = attempts.unclear or lost.sent
        if lost.reason is NoAnswerReason.CANCELLED:
            return Cancelled(attempts.count, lost.text, unclear=attempts.unclear)
        failure = failed_attempt_without_answer(lost)
        if failure is None:
            untrusted = lost.reason is NoAnswerReason.UNTRUSTED_CERTIFICATE
            return Unavailable(
                attempts=attempts.count, message=lost.text, unclear=attempts.unclear, untrusted=untrusted
            )
        return self._wait_for_retry(distribution, failure, attempts, ask=lost.sent)

    def _wait_for_retry(
        self, distribution: Distribution, failure: FailedAttempt, attempts: _Attempts, *, ask: bool, page: bool = False
    ) -> UploadOutcome | None:
        """Wait for another attempt and return None, or return how the upload ended.

        Where the index may have stored the file (*ask*, or before giving up), its own listing is read first. A web
        *page* in place of the index's response is left to the listing.
        """
        if ask and self._is_file_listed(distribution):
            return _accepted_by_listing(attempts)
        decision = decide_retry(attempts.history, failure, random=self._sources.random(), left=self._waiting.left())
        match decision:
            case GiveUp(reason):
                if attempts.unclear and not ask and self._is_file_listed(distribution):
                    return _accepted_by_listing(attempts)
                if failure.once in _REFUSALS_RETRIED_ONCE:
                    return Refused(
                        attempts=attempts.count,
                        status=400,
                        message=failure.reason,
                        advice=upload_api.advice_for_upload_refusal(failure.reason),
                    )
                if page:
                    return Accepted(attempts.count, reason, doubt=reason)
                return Unavailable(attempts=attempts.count, message=reason, unclear=attempts.unclear)
            case TryAgain(wait):
                self._emit(
                    Retrying(
                        what=distribution.filename,
                        attempt=attempts.count,
                        reason=failure.reason,
                        wait=wait,
                        index=self._endpoints.now.name,
                    )
                )
                attempts.history = attempts.history.with_wait(failure, wait)
                self._waiting.wait(wait)
                return None
            case _:
                assert_never(decision)

    def _is_file_listed(self, distribution: Distribution) -> bool:
        """Whether the index lists this content under this name: by SHA-256, or by MD5 if it shows no SHA-256."""
        state = self._listed(distribution)
        if not isinstance(state, ProjectListing):
            return False
        published = state.files.get(distribution.filename)
        if published is None or published.inherited:
            return False
        if published.sha256 is not None or published.md5 is None:
            return published.sha256 == distribution.sha256
        try:
            return published.md5 == hashed_file_md5(distribution)
        except BodyChanged:
            return False


def _accepted_by_listing(attempts: _Attempts) -> Accepted:
    return Accepted(attempts.count, "the response was lost, but the index lists the file with our digest")
