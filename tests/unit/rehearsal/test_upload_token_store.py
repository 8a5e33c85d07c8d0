import base64

import pytest

from ci_publish.rehearsal.upload_token_store import PREFIX, TokenUser, UploadTokenStore, project_id_in_caveat


@pytest.fixture
def store() -> UploadTokenStore:
    return UploadTokenStore("rehearsal", lambda: 1000.0)


def failures(store: UploadTokenStore, raw: str, project: str = "demo") -> list[str]:
    token = store.find_unburnt_token(raw)
    assert token is not None
    return store.reasons_against_token(token, project, project.title())


def test_a_token_without_restrictions_is_valid_for_every_project(store: UploadTokenStore) -> None:
    raw = store.issue_upload_token(TokenUser("me"), [[3, "me"]])
    assert raw.startswith(PREFIX)
    assert failures(store, raw) == []


@pytest.mark.parametrize(
    ("caveat", "reason"),
    [
        ([0, 999, 0], "token is expired"),
        ([0, 2000, 1001], "token is expired"),
        ([1, ["other"]], "project-scoped token is not valid for project: 'Demo'"),
        ([2, [project_id_in_caveat("other")]], "project-scoped token is not valid for project: 'Demo'"),
        ([9], "caveat deserialization failed"),
    ],
)
def test_why_a_token_is_not_valid(store: UploadTokenStore, caveat: list[object], reason: str) -> None:
    """Warehouse checks the stored caveats beside those in the token, and so repeats each."""
    assert failures(store, store.issue_upload_token(TokenUser("me"), [caveat])) == [reason, reason]


def test_a_changed_signature_is_no_signature(store: UploadTokenStore) -> None:
    raw = store.issue_upload_token(TokenUser("me"), [])
    data = bytearray(base64.urlsafe_b64decode(raw.removeprefix(PREFIX) + "=="))
    data[-1] ^= 1
    forged = PREFIX + base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert failures(store, forged) == ["signatures do not match"]
    store.burn_upload_token(forged)
    assert store.find_unburnt_token(raw) is not None


def test_a_burnt_token_is_not_found(store: UploadTokenStore) -> None:
    raw = store.issue_upload_token(TokenUser("me"), [])
    store.burn_upload_token(raw)
    assert store.find_unburnt_token(raw) is None
    assert [token.burnt for token in store.issued] == [True]


@pytest.mark.parametrize("raw", ["", "pypi-", "pypi-%", "other", "pypi-AQ", f"pypi-{'A' * 40}"])
def test_other_texts_are_not_tokens(store: UploadTokenStore, raw: str) -> None:
    assert store.find_unburnt_token(raw) is None
    store.burn_upload_token(raw)


def test_an_identity_token_is_claimed_once(store: UploadTokenStore) -> None:
    assert store.claim_identity_token("a")
    assert not store.claim_identity_token("a")
    assert (store.was_identity_token_used("a"), store.was_identity_token_used("b")) == (True, False)
