"""The credential of an upload request, and whether it is valid for a project.

Source: `warehouse/macaroons/security_policy.py` and `warehouse/accounts/security_policy.py` at 6b62157124ab.
"""

import base64
import binascii

from ci_publish.rehearsal.message_responses import HELP, RefusedError
from ci_publish.rehearsal.upload_token_store import PresentedToken, UploadTokenStore


def authenticate_uploader(authorization: str, tokens: UploadTokenStore, *, any_user: bool) -> PresentedToken:
    """Return the token in an Authorization header; raises RefusedError (403) for an unknown credential.

    With *any_user*, the API token may be sent as the password of any user.
    """
    scheme, _, raw = authorization.partition(" ")
    if scheme.lower() == "basic":
        raw = _password_in_basic_authorization(raw, any_user=any_user)
    elif scheme.lower() not in {"bearer", "token"}:
        raw = ""
    token = tokens.find_unburnt_token(raw)
    if token is None:
        raise RefusedError(
            403, f"Invalid or non-existent authentication information. See {HELP}#invalid-auth for more information."
        )
    return token


def _password_in_basic_authorization(value: str, *, any_user: bool) -> str:
    """Return the password, "" if there is none. Raises RefusedError for that of a user."""
    try:
        user, colon, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    if not colon or user == "__token__" or any_user:
        return password.strip()
    raise RefusedError(
        403,
        "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers instead. "
        f"See {HELP}#apitoken and {HELP}#trusted-publishers",
    )


def require_upload_token_for_project(
    token: PresentedToken, tokens: UploadTokenStore, project: str, spelled: str
) -> None:
    """Refuse a token that is expired, forged, or meant for other projects (403)."""
    if failures := tokens.reasons_against_token(token, project, spelled):
        raise RefusedError(403, f"Invalid API Token: {', '.join(failures)}")
