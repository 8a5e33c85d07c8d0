"""Trusted Publishing at an index over fakes, and answers that it may give."""

from ci_publish.http.messages import HttpAnswer, NoAnswer, NoAnswerReason
from ci_publish.identity.credential_choice import CredentialOptions, choose_credential
from ci_publish.identity.upload_tokens import TrustedPublishingCredential
from ci_publish.model.identity import Provider, Purpose
from ci_publish.model.index import Endpoints
from tests.unit.identity.credential_harness import (
    GITLAB,
    PYPI,
    FakeCI,
    Harness,
    answer,
)

REFUSED = {"errors": [{"code": "invalid-publisher", "description": "Publisher with matching claims was not found"}]}


LOST = NoAnswer(NoAnswerReason.RESET, "the connection was reset", sent=True)


def credential(world: Harness, endpoints: Endpoints = PYPI, *, attesting: bool = False) -> TrustedPublishingCredential:
    purpose = Purpose(("demo",), attesting=attesting)
    chosen = choose_credential(endpoints, CredentialOptions(), world.tools(), purpose=purpose)
    assert isinstance(chosen, TrustedPublishingCredential)
    return chosen


def gitlab() -> Harness:
    return Harness(ci=FakeCI(Provider.GITLAB, GITLAB))


def refusal(code: str) -> HttpAnswer:
    return answer(422, {"message": "Token request failed", "errors": [{"code": code, "description": "no"}]})
