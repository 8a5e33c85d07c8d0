"""Secrets never show themselves."""

import copy
import dataclasses
import pickle

import pytest

from ci_publish.http.messages import BasicAuthorization
from ci_publish.model.identity import Secret


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("canary")
    authorization = BasicAuthorization("me", secret)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>10}", f"{secret!r}", "%s" % secret]  # noqa: UP031
    shown += [str(authorization), str(dataclasses.asdict(authorization)), str([secret]), str(copy.deepcopy(secret))]
    assert not [text for text in shown if "canary" in text]
    assert secret.reveal() == "canary"


def test_a_secret_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("canary"))


def test_secrets_are_compared_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
    assert copy.copy(Secret("a")) == Secret("a")


def test_a_secret_of_white_space_is_blank() -> None:
    assert Secret(" \n\t").is_blank
    assert Secret("").is_blank
    assert not Secret(" x ").is_blank
