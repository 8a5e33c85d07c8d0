"""Where secrets are revealed: by the clients that send them and by the masking port, nowhere else."""

import copy
import dataclasses
import pickle
import re
from pathlib import Path

import pytest

import ci_publish
from ci_publish.http.messages import BasicAuthorization
from ci_publish.model.identity import Secret

# http.transport sends to the index, attestations.libraries hands the identity to Sigstore's client, identity decodes
# the claims of a token and looks at the prefix of an API token, app.token_guard tells upload tokens to the process that
# burns them, over a pipe.
REVEALING = {
    "app/token_guard.py",
    "http/transport.py",
    "attestations/libraries.py",
    "reports/masking.py",
}
ROOT = Path(ci_publish.__file__).parent


def test_secrets_are_revealed_only_where_they_are_sent_or_masked() -> None:
    found = {
        str(path.relative_to(ROOT).as_posix())
        for path in ROOT.rglob("*.py")
        if re.search(r"\breveal\b", path.read_text(encoding="utf-8")) and path.parts[-2:] != ("model", "identity.py")
    }
    assert {name for name in found if not name.startswith("rehearsal/")} == REVEALING


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
