"""With which error publishing would end, of all that a diagnosis found."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ci_publish import errors
from ci_publish.http.messages import NoAnswer, NoAnswerReason
from ci_publish.identity.credential_choice import CredentialOptions
from ci_publish.identity.doctor_findings import Level
from ci_publish.model.distribution import Distribution
from ci_publish.model.identity import CredentialKind, Secret
from ci_publish.model.index import (
    AlreadyPublished,
    IndexState,
    ListingUnavailable,
    Plan,
    ProjectListing,
    PublishedFile,
)
from tests.unit.identity.credential_harness import FakeCI, Harness
from tests.unit.identity.diagnoses import BAD_FILE, NO_TOKEN, UNREACHABLE, codes, diagnose, refuse, request
from tests.unit.identity.test_doctor_findings import WHEEL


def test_an_index_out_of_reach_comes_first() -> None:
    world = Harness(ci=FakeCI(error=errors.NoIdTokenPermission("no permission")))
    world.index.scripts["audience"] = [NoAnswer(NoAnswerReason.CONNECT, "connection refused")]
    diagnosis, levels = diagnose(world, request("demo"), fetch_listing=lambda name: ListingUnavailable(name, "no"))
    assert levels["index"] is levels["project demo"] is Level.FAILURE
    assert "clock" not in levels
    assert isinstance(diagnosis.error, errors.IndexUnavailable)


def test_attestations_beside_the_files_are_judged_before_the_identity() -> None:
    told: list[tuple[CredentialKind, list[str]]] = []

    def inspect(kind: CredentialKind, plans: Sequence[Plan]) -> None:
        told.append((kind, [file.distribution.filename for plan in plans for file in plan.files]))
        raise errors.AttestationByAnother("signed by somebody else")

    world = Harness(ci=FakeCI(error=errors.NoIdTokenPermission("no permission")))
    diagnosis, levels = diagnose(world, request("demo", inspect=inspect))
    assert levels["attestations"] is levels["identity"] is Level.FAILURE
    assert isinstance(diagnosis.error, errors.AttestationByAnother)
    assert told == [(CredentialKind.TRUSTED_PUBLISHING, [WHEEL.filename])]
    # A closed project comes first, as in a run.
    closed, _ = diagnose(
        world,
        request("demo", inspect=inspect),
        fetch_listing=lambda name: ProjectListing(project=name, status="archived"),
    )
    assert closed.error is not None
    assert closed.error.exit_code == 9


def test_failed_checks_come_before_all_else() -> None:
    wanted = request("demo", attesting=refuse, checks=lambda _: BAD_FILE)
    assert (
        codes(
            Harness(ci=FakeCI(lacks={"pypi": NO_TOKEN})),
            wanted,
            CredentialOptions(secret=Secret("pypi-x")),
            UNREACHABLE,
        )
        == 4
    )
    _, levels = diagnose(Harness(), request("demo", checks=lambda _: None))
    assert levels["files"] is Level.OK


def test_what_is_published_as_it_is_need_not_pass_the_checks() -> None:
    there = ProjectListing(
        project="demo", files={WHEEL.filename: PublishedFile(filename=WHEEL.filename, url="", sha256=WHEEL.sha256)}
    )
    told: list[set[str]] = []

    def checks(published: AbstractSet[str]) -> None:
        told.append(set(published))

    def plan(files: Sequence[Distribution], state: IndexState) -> Plan:
        assert state is there
        return Plan("pypi", tuple(AlreadyPublished(file, there.files[file.filename]) for file in files))

    assert codes(Harness(), request("demo", plan=plan, checks=checks), state=there) == 0
    assert told == [{WHEEL.filename}]


def test_what_the_environment_lacks_wins_over_an_index_out_of_reach() -> None:
    world = Harness(ci=FakeCI(lacks={"pypi": NO_TOKEN}))
    assert codes(world, request("demo"), state=UNREACHABLE) == 5
    assert codes(Harness(), request("demo"), state=UNREACHABLE) == 10
    assert not any(request.url.endswith("mint-token") for request in world.index.requests)


def test_a_closed_project_comes_before_the_identity() -> None:
    world = Harness(ci=FakeCI(lacks={"pypi": NO_TOKEN}))
    assert codes(world, request("demo"), state=ProjectListing(project="demo", status="archived")) == 9
