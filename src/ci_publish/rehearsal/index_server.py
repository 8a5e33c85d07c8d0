"""The rehearsal's index: PyPI's addresses, rules and messages, for the projects of one folder.

Sources: Warehouse at 6b62157124ab, running and read; each module that it combines names its part.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from packaging.utils import canonicalize_name
from sigstore.models import TrustedRoot
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal import project_page, simple_pages
from ci_publish.rehearsal.hooks import Hooks, wsgi_app_with_hooks
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.index_records import (
    QUARANTINED,
    RehearsalState,
    ReleaseDated,
    ReleaseYanked,
    StatusSet,
    StoredFile,
    StoredProject,
)
from ci_publish.rehearsal.index_responses import (
    SIMPLE_JSON,
    cacheable_response,
    http_error_response,
    index_base_url,
    simple_api_media_type,
)
from ci_publish.rehearsal.index_state_rules import UploadRules
from ci_publish.rehearsal.message_responses import RefusedError, json_response, message_response
from ci_publish.rehearsal.overlay import UpstreamOverlay
from ci_publish.rehearsal.provenance import RehearsalIntegrityService
from ci_publish.rehearsal.storage import RehearsalStorage
from ci_publish.rehearsal.trusted_publishing import TOKEN_LIFETIME_SECONDS, Registration, RehearsalExchange
from ci_publish.rehearsal.upload_endpoint import UploadEndpoint
from ci_publish.rehearsal.upload_token_store import IssuedUploadToken, TokenUser, UploadTokenStore
from ci_publish.rehearsal.upload_validation import FileValidator, server_refusal_of_file

INTEGRITY_JSON: Final = "application/vnd.pypi.integrity.v1+json"
DISCOVERY_JSON: Final = "application/vnd.pypi.pytp.v1+json"
_JSON_API_SECONDS: Final = 15 * 60
_DAY_SECONDS: Final = 24 * 60 * 60
_USER: Final = "rehearsal"

# An endpoint is the name of a method of the index, or of its `trusted_publishing`.
_ROUTES: Final = Map(
    [
        Rule("/", endpoint="_serve_home_page", methods=["GET"]),
        Rule("/_/oidc/audience", endpoint="trusted_publishing.serve_oidc_audience", methods=["GET"]),
        Rule("/_/oidc/mint-token", endpoint="trusted_publishing.mint_upload_token", methods=["POST"]),
        Rule("/_/oidc/github/mint-token", endpoint="trusted_publishing.mint_upload_token", methods=["POST"]),
        Rule("/_/oidc/burn-token", endpoint="trusted_publishing.burn_upload_token", methods=["POST"]),
        Rule("/.well-known/pytp", endpoint="_serve_discovery_document", methods=["GET"]),
        Rule("/legacy", endpoint="_redirect_upload_without_slash", methods=["POST"]),
        Rule("/legacy/", endpoint="_accept_upload", methods=["POST"]),
        Rule("/legacy/", endpoint="_refuse_other_than_upload"),
        Rule("/simple/", endpoint="_serve_simple_project_list", methods=["GET"]),
        Rule("/simple/<name>/", endpoint="_serve_simple_project_page", methods=["GET"]),
        Rule("/pypi/<name>/json", endpoint="_serve_json_api", methods=["GET"]),
        Rule("/pypi/<name>/<version>/json", endpoint="_serve_json_api", methods=["GET"]),
        Rule("/integrity/<name>/<version>/<filename>/provenance", endpoint="_serve_provenance", methods=["GET"]),
        Rule("/packages/<path:path>", endpoint="_serve_stored_file", methods=["GET"]),
        Rule("/upstream/<name>/<filename>", endpoint="_serve_upstream_file", methods=["GET"]),
        Rule("/project/<name>/", endpoint="_serve_project_page", methods=["GET"]),
        Rule("/project/<name>/<version>/", endpoint="_serve_project_page", methods=["GET"]),
        Rule("/style.css", endpoint="_serve_stylesheet", methods=["GET"]),
    ],
    strict_slashes=False,
    redirect_defaults=False,
    merge_slashes=False,
)


@frozen(kw_only=True)
class IndexBehaviour:
    """How a rehearsal's index differs from PyPI, or is set up for tests.

    ``validate_file`` returns why a file is refused. ``registrations`` are the Trusted Publishers; without any, every
    identity of the rehearsal's CI may publish every project. ``discovery`` turns PEP 807's document on.
    ``token_lifetime`` is in seconds. ``overlay`` answers installers for the projects that this index does not have.
    """

    validate_file: FileValidator = server_refusal_of_file
    registrations: Sequence[Registration] | None = None
    discovery: bool = False
    token_lifetime: float = TOKEN_LIFETIME_SECONDS
    overlay: UpstreamOverlay | None = None


class RehearsalIndex:
    """An index that follows PyPI's rules, as one WSGI application `app`. Thread-safe.

    `hooks` intercept requests and responses; `rules` and `trusted_publishing` are its settings; the properties and
    methods below show its state and change it for tests.
    """

    def __init__(
        self,
        *,
        storage: RehearsalStorage,
        identity_provider: RehearsalIdentityProvider,
        trusted_root: TrustedRoot,
        behaviour: IndexBehaviour = IndexBehaviour(),  # noqa: B008  (frozen)
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Serve what *storage* has; trust *identity_provider*; verify attestations against *trusted_root*."""
        self._overlay = behaviour.overlay
        self.hooks = Hooks()
        self.app = wsgi_app_with_hooks(self._handle_index_request, self.hooks)
        self.rules = UploadRules()
        self._discovery = behaviour.discovery
        self._storage = storage
        self._clock = clock
        self._tokens = UploadTokenStore("127.0.0.1", clock)
        self._uploads = UploadEndpoint(
            storage=storage,
            tokens=self._tokens,
            integrity=RehearsalIntegrityService(trusted_root),
            rules=self.rules,
            validate_file=behaviour.validate_file,
            clock=clock,
        )
        self.trusted_publishing = RehearsalExchange(
            identity_provider=identity_provider,
            tokens=self._tokens,
            clock=clock,
            create=self._uploads.create_project,
            exists=lambda name: storage.state.project(name) is not None,
            registrations=None if behaviour.registrations is None else list(behaviour.registrations),
            lifetime=behaviour.token_lifetime,
            flags=self.rules.flags,
        )

    # What tests read and change

    @property
    def state(self) -> RehearsalState:
        """Everything the index has now."""
        return self._storage.state

    @property
    def files(self) -> Mapping[str, StoredFile]:
        """All files by name."""
        return self.state.files

    @property
    def mint_log(self) -> tuple[IssuedUploadToken, ...]:
        """Every upload token that was given for an identity token: its `jti`, `expires`, and whether it is `burnt`."""
        return tuple(token for token in self._tokens.issued if token.jti is not None)

    def issue_api_token(self, project: str | None = None, *, expires: float | None = None) -> str:
        """Return an API token of the index's one user, for all projects or for one; *expires* is Unix time."""
        caveats: list[list[Any]] = [[3, _USER]] if project is None else [[1, [canonicalize_name(project)]], [3, _USER]]
        if expires is not None:
            caveats.append([0, int(expires), 0])
        return self._tokens.issue_upload_token(TokenUser(_USER), caveats)

    def accept_anonymous(self) -> None:
        """Accept uploads without a credential from now on, as some private indexes do; PyPI never does."""
        self.rules.anonymous = f"Bearer {self.issue_api_token()}"

    def create_project(self, name: str) -> None:
        """Register an empty project."""
        self._uploads.create_project(name)

    def path_of(self, filename: str) -> Path:
        """Return the path of a stored file."""
        return self._storage.path_of_stored_file(self.files[filename])

    def set_status(self, project: str, status: str) -> None:
        """Set a project's status marker (PEP 792)."""
        self._storage.record_events(StatusSet(canonicalize_name(project), status))

    def yank(self, project: str, version: str, reason: str = "", *, yanked: bool = True) -> None:
        """Yank a release, or unyank it."""
        self._storage.record_events(
            ReleaseYanked(project=canonicalize_name(project), version=version, yanked=yanked, reason=reason)
        )

    def delete_file(self, filename: str) -> None:
        """Delete a file; its name can never be used again."""
        self._storage.delete_stored_file(self.files[filename])

    def set_release_age(self, project: str, version: str, days: float) -> None:
        """Make a release *days* old."""
        created = self._clock() - days * _DAY_SECONDS
        self._storage.record_events(ReleaseDated(canonicalize_name(project), version, created))

    # What clients see

    def _handle_index_request(self, request: Request) -> Response:
        try:
            endpoint, arguments = _ROUTES.bind_to_environ(request.environ).match()
            response: Response = attrgetter(endpoint)(self)(request, **arguments)
        except RefusedError as refusal:
            return message_response(request.accept_mimetypes, refusal.status, refusal.message, refusal.headers)
        except HTTPException as error:
            if isinstance(error, NotFound) and "text/html" in request.headers.get("Accept", ""):
                return project_page.html_page_response(project_page.not_found_html_page(), status=404)
            return http_error_response(request, error)
        response.autocorrect_location_header = True  # it names the host, as WebOb writes it
        return response

    def _serve_discovery_document(self, request: Request) -> Response:
        """Serve the discovery document of PEP 807 (draft of August 2026)."""
        if not self._discovery or request.args.get("discover") != quote("/legacy/", safe=""):
            raise NotFound
        base = index_base_url(request)
        content = {
            "audience-endpoint": f"{base}/_/oidc/audience",
            "token-mint-endpoint": f"{base}/_/oidc/mint-token",
        }
        response = json_response(content)
        response.content_type = DISCOVERY_JSON
        return response

    def _redirect_upload_without_slash(self, request: Request) -> Response:
        message = "An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a trailing slash)"
        return message_response(request.accept_mimetypes, 308, message, {"Location": "/legacy/"})

    def _accept_upload(self, request: Request) -> Response:
        headers = self._uploads.accept_upload(request)
        return message_response(request.accept_mimetypes, 200, headers=headers)

    def _refuse_other_than_upload(self, _request: Request) -> Response:
        """Respond to anything but an upload at the upload URL: PyPI has no route for it."""
        raise NotFound

    def _serve_simple_project_list(self, request: Request) -> Response:
        state, media_type = self.state, simple_api_media_type(request)
        as_json = media_type == SIMPLE_JSON
        page = _json_line(simple_pages.project_list_json(state)) if as_json else simple_pages.project_list_html(state)
        return cacheable_response(request, media_type, page, serial=state.serial)

    def _serve_simple_project_page(self, request: Request, name: str) -> Response:
        if self._overlay is not None and self.state.project(name) is None:
            return self._overlay.serve_project_listing(request, name)
        project = self._require_project(name)
        if name != project.normalized or not request.path.endswith("/"):
            return Response(status=301, headers={"Location": f"/simple/{project.normalized}/"})
        base, media_type = index_base_url(request), simple_api_media_type(request)
        if media_type == SIMPLE_JSON:
            page = _json_line(simple_pages.project_listing_json(project, base))
        else:
            page = simple_pages.project_listing_html(project, base)
        return cacheable_response(request, media_type, page, serial=project.serial)

    def _serve_json_api(self, request: Request, name: str, version: str | None = None) -> Response:
        project = self._require_visible_project(name)
        if name != project.normalized:
            middle = f"{quote(version)}/" if version else ""
            return Response(status=301, headers={"Location": f"/pypi/{project.normalized}/{middle}json"})
        release = project.latest_release if version is None else project.find_release(version)
        if release is None:
            raise NotFound
        content = simple_pages.json_api_content(project, release, index_base_url(request), all_releases=version is None)
        return cacheable_response(
            request, "application/json", _json_line(content), seconds=_JSON_API_SECONDS, serial=project.serial
        )

    def _serve_provenance(self, request: Request, name: str, version: str, filename: str) -> Response:
        project = self._require_project(name)
        file = project.files.get(filename)
        if file is None or file not in project.files_of_release(version):
            raise NotFound
        accept = request.accept_mimetypes
        media_type = accept.best_match([INTEGRITY_JSON, "application/json"]) if accept else INTEGRITY_JSON
        if media_type is None:
            return json_response({"message": "Request not acceptable"}, 406)
        if "disable-pep740" in self.rules.flags:
            return json_response({"message": "Attestations temporarily disabled"}, 403)
        if file.provenance is None:
            return json_response({"message": f"No provenance available for {filename}"}, 404)
        return cacheable_response(request, media_type, json.dumps(file.provenance))

    def _serve_stored_file(self, request: Request, path: str) -> Response:
        if (found := self._storage.find_served_file(path)) is None:
            raise NotFound
        return send_file(
            found, request.environ, mimetype="application/octet-stream", conditional=True, max_age=365 * _DAY_SECONDS
        )

    def _serve_upstream_file(self, request: Request, name: str, filename: str) -> Response:
        if self._overlay is None or self.state.project(name) is not None:
            raise NotFound
        return self._overlay.serve_upstream_file(request, name, filename)

    def _serve_home_page(self, _request: Request) -> Response:
        return project_page.html_page_response(project_page.project_list_html_page(self.state))

    def _serve_project_page(self, request: Request, name: str, version: str | None = None) -> Response:
        project = self._require_visible_project(name)
        release = project.latest_release if version is None else project.find_release(version)
        if name != project.normalized or not request.path.endswith("/"):
            end = f"{quote(version)}/" if version else ""
            return Response(status=301, headers={"Location": f"/project/{project.normalized}/{end}"})
        if release is None and version is not None:
            raise NotFound
        page = project_page.project_html_page(project, release, index_base_url(request))
        return project_page.html_page_response(page)

    def _serve_stylesheet(self, _request: Request) -> Response:
        return Response(project_page.STYLESHEET, content_type="text/css; charset=utf-8")

    def _require_project(self, name: str) -> StoredProject:
        project = self.state.project(name)
        if project is None:
            raise NotFound
        return project

    def _require_visible_project(self, name: str) -> StoredProject:
        project = self._require_project(name)
        if project.status == QUARANTINED:
            raise NotFound
        return project


def _json_line(content: Mapping[str, Any]) -> str:
    return f"{json.dumps(content, separators=(',', ':'))}\n"
