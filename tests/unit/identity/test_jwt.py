import pytest

from ci_publish.identity.jwt import audiences_of_claims, decode_jwt_claims, decode_token_base64url
from tests.unit.identity.credential_harness import jwt


def test_claims_are_read_without_verification() -> None:
    assert decode_jwt_claims(jwt({"aud": "pypi", "sub": "é"})) == {"aud": "pypi", "sub": "é"}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c",
        "a.!!.c",
        "a.bnVsbA.c",
        "a.W10.c",
        "a.eyJh.c",
        f"a.{'W1tb' * 8000}.c",
        "é.é.é",
        jwt({"long": "x" * 70_000}),
        "a.b.c.d",
    ],
)
def test_anything_else_has_no_claims(token: str) -> None:
    assert decode_jwt_claims(token) is None


@pytest.mark.parametrize(
    ("aud", "expected"), [("pypi", ("pypi",)), (["a", "b"], ("a", "b")), ([1], ("1",)), (None, ()), (5, ()), ({}, ())]
)
def test_audiences_are_a_text_or_a_list(aud: object, expected: tuple[str, ...]) -> None:
    assert audiences_of_claims({"aud": aud}) == expected


@pytest.mark.parametrize("text", ["ab+d", "ab/d", "a", "ab d"])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_token_base64url(text)
