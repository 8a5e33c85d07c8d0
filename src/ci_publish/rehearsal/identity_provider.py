"""The rehearsal's CI identity provider: signs the identity tokens that the real CI systems would sign.

It acts as GitHub, GitLab, Google, Buildkite and CircleCI with one key of its own, so that its tokens are valid in a
rehearsal only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
import uuid
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.ci_claims import (
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    KNOWN_ISSUERS,
    Claims,
    simulated_buildkite_claims,
    simulated_buildkite_variables,
    simulated_circleci_claims,
    simulated_circleci_variables,
    simulated_github_claims,
    simulated_github_variables,
    simulated_gitlab_claims,
    simulated_gitlab_token_variable,
    simulated_gitlab_variables,
)
from ci_publish.rehearsal.ci_executables import install_fake_buildkite_agent, install_fake_circleci
from ci_publish.rehearsal.hooks import Hooks, wsgi_app_with_hooks
from ci_publish.rehearsal.message_responses import json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from werkzeug.wrappers import Request, Response

_LIFETIME_SECONDS: Final = 300  # GitHub's; a GitLab token lives as long as the job may run
_NOT_BEFORE_MARGIN_SECONDS: Final[Mapping[str, int]] = {GITHUB_ISSUER: 600, GITLAB_ISSUER: 5}


class IdentityTokenError(ValueError):
    """An identity token was refused; the message says why."""


@frozen(kw_only=True)
class IssuedToken:
    """What the provider records about a token that it issued; never the token itself."""

    jti: object
    audience: object
    issued_at: object
    expires_at: object


class RehearsalIdentityProvider:
    """Issues and verifies identity tokens; safe across threads."""

    def __init__(
        self,
        *,
        claims: Claims | None = None,
        clock: Callable[[], float] = time.time,
        key: rsa.RSAPrivateKey | None = None,
    ) -> None:
        """Make a provider with a fresh key, or with `key` (RSA, at least 2048 bits).

        `claims` are the claims of a token by default (otherwise: a GitHub Actions job that publishes a tag), `clock`
        gives Unix time.
        """
        self.claims: Claims = simulated_github_claims() if claims is None else dict(claims)
        self.hooks = Hooks()
        self.app: WSGIApplication = wsgi_app_with_hooks(self._handle_request, self.hooks)
        self._clock = clock
        self._key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der, spki = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        self._key_id = hashlib.sha256(self._key.public_key().public_bytes(der, spki)).hexdigest()[:32]
        self._lock = threading.Lock()
        self._jobs: dict[str, Claims] = {}
        self._issued: list[IssuedToken] = []

    @property
    def issued(self) -> tuple[IssuedToken, ...]:
        """Every token issued so far, oldest first."""
        with self._lock:
            return tuple(self._issued)

    def issue(
        self,
        audience: str | Sequence[str],
        base: Claims | None = None,
        /,
        *,
        lifetime: float = _LIFETIME_SECONDS,
        **claims: object,
    ) -> str:
        """Return a fresh signed token for `audience`.

        It says what `base` says (default: the provider's own set), except for single `claims`, which are taken as they
        are: `issue("pypi", simulated_gitlab_claims(), ref="v2")`. aud, jti, iat, exp and (where the issuer has it) nbf
        are added unless `claims` give them. `lifetime` is in seconds.
        """
        given = {**(self.claims if base is None else base), **claims}
        now = int(self._clock())
        times = {"iat": now, "exp": now + int(lifetime)}
        if (margin := _NOT_BEFORE_MARGIN_SECONDS.get(str(given["iss"]))) is not None:
            times["nbf"] = now - margin
        payload = {"jti": str(uuid.uuid4()), **times, **given, "aud": audience}
        token = jwt.encode(payload, self._key, algorithm="RS256", headers={"kid": self._key_id})
        record = IssuedToken(
            jti=payload["jti"], audience=payload["aud"], issued_at=payload["iat"], expires_at=payload["exp"]
        )
        with self._lock:
            self._issued.append(record)
        return token

    def verify(
        self, token: str, audience: str, *, leeway: float = 30.0, single_audience: bool = True
    ) -> dict[str, object]:
        """Return the claims of a token that this provider signed for `audience`; raises an `IdentityTokenError`.

        The defaults are PyPI's: 30 s of leeway, and a list of audiences is refused even with only one in it.
        """
        required = {"verify_signature": False, "require": ["iss", "aud", "iat", "exp"]}
        unchecked = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            unverified = jwt.decode_complete(token, options=required)  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            raise IdentityTokenError(f"malformed JWT: {error}") from error
        if unverified["payload"]["iss"] not in KNOWN_ISSUERS:
            raise IdentityTokenError(f"unknown issuer {unverified['payload']['iss']!r}")
        if unverified["header"].get("kid") != self._key_id:
            raise IdentityTokenError("signed with an unknown key")
        try:
            claims = dict(jwt.decode(token, self._key.public_key(), algorithms=["RS256"], options=unchecked))  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            raise IdentityTokenError(f"signature does not verify: {error}") from error
        claimed = claims["aud"]
        accepted = [claimed] if isinstance(claimed, str) or single_audience else claimed
        if not isinstance(accepted, list) or audience not in accepted:
            raise IdentityTokenError(f"meant for {claimed!r}, not for {audience!r}")
        self._require_valid_token_times(claims, leeway)
        return claims

    def github_environment(
        self, base_url: str, /, *, may_request_tokens: bool = True, **claims: object
    ) -> dict[str, str]:
        """Return the environment of a GitHub Actions job whose runner finds this provider's `app` at `base_url`.

        The job's claims are the provider's own set if it is GitHub's, else `simulated_github_claims()`, except for
        single `claims`. Each job gets a bearer token of its own; without `may_request_tokens` it is a job without
        `id-token: write`. A child process needs nothing else to act as that job.
        """
        job = self._job_claims(simulated_github_claims(), claims)
        variables = simulated_github_variables(job)
        if not may_request_tokens:
            return variables
        url, bearer = self._register_rehearsed_job(base_url, job)
        return {**variables, "ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer}

    def gitlab_environment(
        self, audiences: Sequence[str], /, *, lifetime: float = 3600.0, **claims: object
    ) -> dict[str, str]:
        """Return the environment of a GitLab job with one identity token for each audience, issued now.

        The job's claims are the provider's own set if it is GitLab's, else `simulated_gitlab_claims()`, except for
        single `claims`. `lifetime` is in seconds.
        """
        job = self._job_claims(simulated_gitlab_claims(), claims)
        tokens = {simulated_gitlab_token_variable(name): self.issue(name, job, lifetime=lifetime) for name in audiences}
        return {**simulated_gitlab_variables(job), **tokens}

    def buildkite_environment(self, base_url: str, folder: Path, /, **claims: object) -> dict[str, str]:
        """Return the environment of a Buildkite job whose `buildkite-agent`, written into `folder`, asks `base_url`.

        The job's claims are the provider's own if they are Buildkite's, else `simulated_buildkite_claims()`, except
        for single `claims`. POSIX only.
        """
        job = self._job_claims(simulated_buildkite_claims(), claims)
        agent = install_fake_buildkite_agent(folder, *self._register_rehearsed_job(base_url, job))
        return {**simulated_buildkite_variables(job), **agent}

    def circleci_environment(self, base_url: str, folder: Path, /, **claims: object) -> dict[str, str]:
        """Return the environment of a CircleCI job whose `circleci`, written into `folder`, asks `base_url`.

        As `buildkite_environment`, with `simulated_circleci_claims()`.
        """
        job = self._job_claims(simulated_circleci_claims(), claims)
        agent = install_fake_circleci(folder, *self._register_rehearsed_job(base_url, job))
        return {**simulated_circleci_variables(job), **agent}

    def _register_rehearsed_job(self, base_url: str, job: Claims) -> tuple[str, str]:
        """Return the URL and the bearer token with which a job of these claims can ask for identity tokens."""
        bearer = secrets.token_urlsafe(32)
        with self._lock:
            self._jobs[bearer] = job
        return f"{base_url.rstrip('/')}/idtoken?api-version=2.0", bearer

    def _job_claims(self, example: Claims, claims: Claims) -> Claims:
        """Return the provider's own claims if they are of the example's issuer, else the example, with *claims*."""
        return {**(self.claims if self.claims["iss"] == example["iss"] else example), **claims}

    def _require_valid_token_times(self, claims: Claims, leeway: float) -> None:
        now = self._clock()
        expires = _numeric_claim(claims, "exp")
        begins = max(_numeric_claim(claims, "iat"), _numeric_claim(claims, "nbf", 0.0))
        if now >= expires + leeway:
            raise IdentityTokenError(f"expired {now - expires:.0f} s ago")
        if begins > now + leeway:
            raise IdentityTokenError(f"not valid for another {begins - now:.0f} s")

    def _handle_request(self, request: Request) -> Response:
        if request.method != "GET":
            return json_response({"message": "method not allowed"}, 405)
        match request.path:
            case "/idtoken":
                return self._answer_identity_token_request(request)
            case "/.well-known/jwks":
                return json_response(self.jwks())
            case "/.well-known/openid-configuration":
                url = request.root_url.rstrip("/")
                return json_response(
                    {
                        "issuer": url,
                        "jwks_uri": f"{url}/.well-known/jwks",
                        "subject_types_supported": ["public"],
                        "response_types_supported": ["id_token"],
                        "id_token_signing_alg_values_supported": ["RS256"],
                        "scopes_supported": ["openid"],
                    }
                )
            case _:
                return json_response({"message": "not found"}, 404)

    def jwks(self) -> dict[str, object]:
        """Return the provider's public key as a JSON Web Key Set (RFC 7517)."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self._key_id, "alg": "RS256", "use": "sig"}]}

    def _answer_identity_token_request(self, request: Request) -> Response:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        with self._lock:
            jobs = list(self._jobs.items())
        job = next((job for bearer, job in jobs if hmac.compare_digest(bearer.encode(), given.encode())), None)
        if job is None or scheme.lower() != "bearer":
            return json_response({"message": "the request token is not one of this run's jobs"}, 401)
        # GitHub's default audience is the URL of the repository owner.
        audience = request.args.get("audience") or f"https://github.com/{job.get('repository_owner', '')}"
        token = self.issue(audience, job)
        return json_response({"count": len(token), "value": token})


def _numeric_claim(claims: Claims, name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    if isinstance(value, int | float):
        return float(value)
    raise IdentityTokenError(f"the claim {name!r} is not a number")
