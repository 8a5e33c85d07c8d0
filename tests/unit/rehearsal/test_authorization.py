"""Who may upload: credentials in all schemes."""

import base64
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rehearsal.served_index import SEE, ServedIndex, served_index, words


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


class TestCredentials:
    def test_each_scheme_is_taken(self, world: ServedIndex) -> None:
        token = world.index.issue_api_token()
        basic = base64.b64encode(f"__token__:{token}\n".encode()).decode()

        answers = [
            world.upload(headers={"Authorization": value}).status_code
            for value in (f"Basic {basic}", f"Bearer {token}", f"token {token}")
        ]

        assert answers == [200, 200, 200]

    @pytest.mark.parametrize(
        "value", ["", "Basic", "Basic ###", "Basic /w==", "Digest x", "Bearer pypi-", "Bearer other"]
    )
    def test_nobody_is_refused(self, world: ServedIndex, value: str) -> None:
        answer = world.upload(headers={"Authorization": value})

        expected = f"Invalid or non-existent authentication information. {SEE}#invalid-auth for more information."
        assert words(answer) == (403, expected)

    def test_a_password_is_refused(self, world: ServedIndex) -> None:
        basic = base64.b64encode(b"ann:secret").decode()

        answer = world.upload(headers={"Authorization": f"Basic {basic}"})

        assert words(answer) == (
            403,
            (
                "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers "
                f"instead. {SEE}#apitoken and https://pypi.org/help/#trusted-publishers"
            ),
        )

    def test_an_index_with_users_takes_a_token_as_the_password_of_each(self, world: ServedIndex) -> None:
        world.index.rules.any_user = True
        basic = base64.b64encode(f"ann:{world.index.issue_api_token()}".encode()).decode()
        unknown = base64.b64encode(b"ann:secret").decode()

        assert world.upload(headers={"Authorization": f"Basic {basic}"}).status_code == 200
        assert world.upload(headers={"Authorization": f"Basic {unknown}"}).status_code == 403

    def test_an_expired_token_is_refused(self, world: ServedIndex) -> None:
        token = world.minted()
        world.clock.now += 901

        assert words(world.upload(token=token)) == (
            403,
            "Invalid API Token: token is expired, token is expired",
        )

    def test_a_burnt_token_is_nobodys(self, world: ServedIndex) -> None:
        token = world.minted()
        world.client.post("/_/oidc/burn-token", json={"token": token})

        assert world.upload(token=token).status_code == 403
        assert [entry.burnt for entry in world.index.mint_log] == [True]

    def test_a_forged_token_is_refused(self, world: ServedIndex) -> None:
        token = world.index.issue_api_token()
        raw = bytearray(base64.urlsafe_b64decode(token.removeprefix("pypi-") + "=="))
        raw[-1] ^= 1
        forged = "pypi-" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

        assert words(world.upload(token=forged)) == (403, "Invalid API Token: signatures do not match")

    @pytest.mark.parametrize(
        ("caveat", "status"),
        [
            (b'[1,["demo","other"]]', 200),
            (b'[1,["other"]]', 403),
            (b"[0,1,0]", 403),
            (b'[4,"x",null]', 403),
            (b"[99]", 403),
            (b"{}", 403),
            (b"rubbish", 403),
        ],
    )
    def test_its_owner_can_restrict_a_token_further(self, world: ServedIndex, caveat: bytes, status: int) -> None:
        """A macaroon is restricted without asking anybody: one more caveat, and the signature signed with itself."""
        token = world.index.issue_api_token().removeprefix("pypi-")
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        before, signature = raw[:-35], raw[-32:]
        restricted = hmac.digest(signature, caveat, "sha256")
        data = before + bytes([2, len(caveat)]) + caveat + b"\0\0\x06\x20" + restricted

        answer = world.upload(token="pypi-" + base64.urlsafe_b64encode(data).decode())

        assert answer.status_code == status, answer.status

    def test_a_token_for_another_project_is_refused(self, world: ServedIndex) -> None:
        said = "project-scoped token is not valid for project: 'demo'"

        assert world.upload(token=world.index.issue_api_token("Demo")).status_code == 200
        assert words(world.upload(world.wheel(version="2"), token=world.index.issue_api_token("other"))) == (
            403,
            f"Invalid API Token: {said}, {said}",
        )

    @pytest.mark.parametrize(
        ("flag", "reason"),
        [
            ("read-only", "Read-only mode: Uploads are temporarily disabled."),
            ("disallow-new-upload", "New uploads are temporarily disabled."),
            ("disallow-new-project-registration", "New project registration temporarily disabled."),
        ],
    )
    def test_what_is_switched_off_is_refused(self, world: ServedIndex, flag: str, reason: str) -> None:
        world.index.rules.flags.add(flag)

        status, said = words(world.upload())

        assert (status, said[: len(reason)]) == (403, reason)
