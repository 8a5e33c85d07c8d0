"""The credential stage, over fakes."""

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    ContentConflict,
    CredentialRejected,
)
from ci_publish.model.index import (
    ProjectListing,
)
from ci_publish.publishing.publish import plan
from tests.unit.fakes import (
    FakeCredential,
    FakeIndex,
    fake_run,
    published,
    sha,
)
from tests.unit.publishing.run_harness import ALL, ONE, credential_of, failing, index_of


def test_a_refused_identity_leaves_nothing_in_a_public_log() -> None:
    played = fake_run(*ALL, credential=FakeCredential(refusal=CredentialRejected("no")))
    failing(played, CredentialRejected)
    assert played.signer.signed == []
    assert index_of(played).sent == []
    assert credential_of(played).log == ["prove", "burn"]


def test_plan_proves_the_credential_where_asked_and_burns_it() -> None:
    played = fake_run(
        *ALL, index=FakeIndex(states=[ProjectListing(project="demo")]), options=Settings(prove_credential=True)
    )
    plan(played.run())
    assert credential_of(played).log == ["prove", "burn"]


def test_plan_proves_no_credential_for_what_the_index_is_known_to_refuse() -> None:
    taken = FakeIndex(files={ONE.filename: published(ONE, sha256=sha("x"))})
    played = fake_run(*ALL, index=taken, options=Settings(prove_credential=True))
    failing(played, ContentConflict, plan)
    assert credential_of(played).log == ["burn"]
