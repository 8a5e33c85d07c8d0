from ci_publish.identity.credential import Given, choose_credential
from ci_publish.identity.trusted_publishing import TrustedPublishingCredential
from ci_publish.model.events import CredentialChanged
from tests.unit.identity.world import PYPI, World, password


def credential(world: World, **options: bool) -> TrustedPublishingCredential:
    chosen = choose_credential(PYPI, Given(), world.tools(), projects=("demo",), **options)
    assert isinstance(chosen, TrustedPublishingCredential)
    return chosen


def test_an_identity_is_proved_held_and_its_token_burnt() -> None:
    world = World()
    trusted = credential(world)
    trusted.prove()
    assert password(trusted.hold()) == "pypi-upload-1"
    trusted.burn()
    assert world.ci.asked == ["pypi"]
    assert world.index.minted == world.index.burnt == world.masked == ["pypi-upload-1"]
    assert trusted.state.burnt is True
    assert [event.state.burnt for event in world.of(CredentialChanged)] == [False, True]
