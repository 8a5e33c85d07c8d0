"""The identity of a run, made when it is first needed."""

from ci_publish.app.remembered_identity import RememberedIdentity
from ci_publish.errors import CiPublishError, IdentityUnavailable
from ci_publish.model.identity import IdentityToken, Provider, Secret


def test_the_identity_of_a_run_is_remembered() -> None:
    class Source:
        provider = Provider.GITHUB
        repeatable = True

        def missing(self, audience: str | None) -> CiPublishError | None:
            return IdentityUnavailable(f"nothing for {audience}")

        def token(self, audience: str) -> IdentityToken:
            return IdentityToken(secret=Secret("x"), audience=audience, provider=self.provider, claims={"sub": "me"})

    identity = RememberedIdentity(Source)
    assert identity.claims is None
    assert identity.provider is Provider.GITHUB
    assert identity.repeatable
    assert "nothing for pypi" in str(identity.missing("pypi"))
    identity.token("pypi")
    assert identity.claims == {"sub": "me"}
