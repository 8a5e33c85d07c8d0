"""Who uploads: the credential of a request, and whether it is good for a project.

Source: `warehouse/macaroons/security_policy.py` and `warehouse/accounts/security_policy.py` at 6b62157124ab.
"""

import base64
import binascii

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.message_responses import HELP, RefusedError
from ci_publish.rehearsal.upload_token_store import IssuedUploadToken, UploadTokenStore


@frozen
class Uploader:
    """A request's credential: the token as sent, and what the index knows of it."""

    raw: str
    token: IssuedUploadToken


def authenticate_uploader(authorization: str, tokens: UploadTokenStore, *, any_user: bool = False) -> Uploader:
    """Return who sent this Authorization header; raises RefusedError (403) for an unknown credential.

    With *any_user*, the API token may come as the password of a user.
    """
    raw = _token_in_authorization_header(authorization, any_user=any_user)
    token = tokens.find_unburnt_token(raw) if raw else None
    if raw is None or token is None:
        raise RefusedError(
            403, f"Invalid or non-existent authentication information. See {HELP}#invalid-auth for more information."
        )
    return Uploader(raw, token)


def _token_in_authorization_header(authorization: str, *, any_user: bool) -> str | None:
    scheme, _, value = authorization.partition(" ")
    match scheme.lower():
        case "basic":
            return _password_in_basic_authorization(value, any_user=any_user)
        case "bearer" | "token":
            return value
        case _:
            return None


def _password_in_basic_authorization(value: str, *, any_user: bool) -> str | None:
    try:
        user, colon, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not colon:
        return None
    if user == "__token__" or any_user:
        return password.strip()
    raise RefusedError(
        403,
        "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers instead. "
        f"See {HELP}#apitoken and {HELP}#trusted-publishers",
    )


def require_upload_token_for_project(uploader: Uploader, tokens: UploadTokenStore, project: str, spelled: str) -> None:
    """Refuse a token that is expired, forged, or meant for other projects (403)."""
    failures = tokens.reasons_against_token(uploader.raw, uploader.token, project, spelled)
    if failures:
        raise RefusedError(403, f"Invalid API Token: {', '.join(failures)}")
