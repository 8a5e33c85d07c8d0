"""Claims, the certificate that Sigstore gives for them, and the predicate made from them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ci_publish.attestations.provenance_predicates import build_provenance_predicate
from ci_publish.attestations.signers import certificate_utf8_string
from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims
from ci_publish.rehearsal.fulcio_profile import fulcio_profile_of_claims

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILDER = "ci-publish/ci-publish/.github/workflows/build-with-provenance.yml@refs/tags/v1.0.0"
GITHUB = simulated_github_claims(reusable_workflow_ref=BUILDER)
GITLAB = simulated_gitlab_claims()


def certificate(claims: Mapping[str, object]) -> dict[str, str]:
    """Return the extensions of the certificate for *claims*, as far as they are DER strings."""
    found = {oid: certificate_utf8_string(value) for oid, value in fulcio_profile_of_claims(claims).extensions}
    return {oid: text for oid, text in found.items() if text is not None}


def changed(predicate: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy of *predicate* with the value at a dotted path; a value of ``...`` removes it."""
    made = copy.deepcopy(dict(predicate))
    *folders, last = path.split(".")
    place: Any = made
    for name in folders:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    key = int(last) if isinstance(place, list) else last
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return made


def predicate(claims: Mapping[str, object] = GITHUB) -> dict[str, Any]:
    return build_provenance_predicate(claims)
