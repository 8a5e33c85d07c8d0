"""Whether the upstream of a rehearsal responds: if not, a failed installation says nothing about the file."""

from collections.abc import Callable
from typing import Final

from ci_publish.app.upstreams import UpstreamAddress
from ci_publish.errors import CiPublishError, CredentialRejected, IndexUnavailable, UntrustedCertificate
from ci_publish.hints import Hint, option
from ci_publish.http.messages import HttpAnswer, NoAnswer, NoAnswerReason
from ci_publish.http.response_texts import response_status_line
from ci_publish.http.retries import is_transient_status
from ci_publish.http.transport import HttpTransport
from ci_publish.http.urls import redacted_url, url_has_secrets
from ci_publish.model.events import Noted
from ci_publish.rehearsal.upstream import DistributionFolder, ForwardedIndex, RedirectedIndex

# Any index may be asked for this project. No name of the run is asked for: the upstream may be a public index.
_PROJECT: Final = "pip"
_SECONDS: Final = 60.0
_SECONDS_FOR_WARNING: Final = 5.0
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


class UpstreamCheck:
    """Checks whether the upstream at an address responds. Thread-safe."""

    def __init__(
        self,
        address: UpstreamAddress,
        upstream: RedirectedIndex | ForwardedIndex | DistributionFolder,
        transport: Callable[[], HttpTransport],
    ) -> None:
        self._address = address
        self._name = f"upstream index {redacted_url(address.text)}"
        comes_from = f" It comes from {address.named_by}." if address.named_by else ""
        self._detail = f"Dependencies are installed from it, so the installation could not be tested.{comes_from}"
        if isinstance(upstream, RedirectedIndex):
            upstream = ForwardedIndex(url=upstream.root, authorization=None, transport=transport())
        self._upstream = upstream

    def require_answering_upstream(self) -> None:
        """Return if the upstream responds, even with the response that it does not have the project.

        Raises IndexUnavailable, UntrustedCertificate or CredentialRejected.
        """
        if (error := self._upstream_error(_SECONDS)) is not None:
            raise error

    def unavailable_upstream_warning(self) -> Noted | None:
        """Return the warning that dependencies cannot be installed, None if they can."""
        error = self._upstream_error(_SECONDS_FOR_WARNING)
        if error is None:
            return None
        message = f"{error.summary} Until that changes, only the rehearsed projects can be installed."
        return Noted(slug="upstream-unavailable", message=message, hints=error.hints)

    def _upstream_error(self, seconds: float) -> CiPublishError | None:
        upstream = self._upstream
        if isinstance(upstream, DistributionFolder):
            missing = f"The upstream folder {upstream.folder} no longer exists."
            return None if upstream.folder.is_dir() else self._upstream_unavailable_error(missing)
        answer, _ = upstream.ask_upstream(f"{_PROJECT}/", seconds)
        if isinstance(answer, HttpAnswer) and answer.status == _FORBIDDEN:  # some file servers say so instead of 404
            answer, _ = upstream.ask_upstream("", seconds)
        if (error := self._index_failure(answer)) is not None:
            return error
        if (asked := upstream.ask_file_host(_PROJECT, seconds)) is None:
            return None
        answer, host = asked
        file_host = f"{host}, which has the files of the {self._name}"
        if isinstance(answer, NoAnswer):
            return self._upstream_unavailable_error(f"Cannot reach {file_host}: {answer.text}.")
        if is_transient_status(answer.status):
            return self._upstream_unavailable_error(f"{file_host}, responds with {response_status_line(answer)}.")
        return None

    def _index_failure(self, answer: HttpAnswer | NoAnswer) -> CiPublishError | None:
        if isinstance(answer, NoAnswer):
            summary = f"Cannot reach the {self._name}: {answer.text}."
            untrusted = answer.reason is NoAnswerReason.UNTRUSTED_CERTIFICATE
            return UntrustedCertificate(summary) if untrusted else self._upstream_unavailable_error(summary)
        if is_transient_status(answer.status):
            return self._upstream_unavailable_error(f"The {self._name} responds with {response_status_line(answer)}.")
        if answer.status not in {_UNAUTHORIZED, _FORBIDDEN}:
            return None
        example = "https://USER:PASSWORD@HOST/simple/"
        given, hint = (
            ("its credential", f"Correct the user and password in its address, {example}; they may have expired.")
            if url_has_secrets(self._address.text)
            else (
                "requests without a credential",
                f"Put a user name and password from a secret in its address: {example}",
            )
        )
        return CredentialRejected(
            f"The {self._name} rejects {given}: {response_status_line(answer)}.",
            detail=self._detail,
            hints=(hint,),
        )

    def _upstream_unavailable_error(self, summary: str) -> IndexUnavailable:
        return IndexUnavailable(
            summary,
            detail=self._detail,
            hints=(
                "Run it again when the upstream index responds. Behind a proxy, set HTTPS_PROXY.",
                Hint("Or specify another index, or a folder with the dependencies: ", option("upstream", "FOLDER")),
            ),
        )
