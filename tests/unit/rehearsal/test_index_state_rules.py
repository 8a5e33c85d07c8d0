"""Rules about projects, releases and files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.rehearsal.registered_publishers import GitHubPublisher
from ci_publish.rehearsal.trusted_publishing import registered
from tests.unit.rehearsal.served_index import SEE, ServedIndex, served_index, words

PUBLISHER = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


class TestProjects:
    def test_a_publisher_of_other_projects_cannot_create_one(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(PUBLISHER, "other")]) as world:
            status, said = words(world.upload(token=world.minted()))

        assert status == 400
        assert said.startswith("Non-user identities cannot create new projects. This was probably caused by")

    def test_a_publisher_cannot_upload_to_another_project(self, tmp_path: Path) -> None:
        with served_index(tmp_path, registrations=[registered(PUBLISHER, "other")]) as world:
            world.index.create_project("Demo")
            status, said = words(world.upload(token=world.minted()))

        assert status == 403
        assert said.startswith("Invalid API Token: OIDC scoped token is not valid for project 'Demo'")

    @pytest.mark.parametrize("name", ["d_e_m_o", "Dem0"])
    def test_a_name_that_looks_like_another_is_refused(self, world: ServedIndex, name: str) -> None:
        world.index.create_project("demo")

        said = words(world.upload(name=name))

        assert said == (
            400,
            f"The name {name!r} is too similar to an existing project. {SEE}#project-name for more information.",
        )

    def test_a_prohibited_name_is_refused(self, world: ServedIndex) -> None:
        world.index.rules.prohibited_names = frozenset({"demo"})

        assert words(world.upload())[1] == f"The name 'demo' isn't allowed. {SEE}#project-name for more information."

    def test_too_many_new_projects_have_to_wait(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 1
        first = world.upload(name="first", path=world.wheel("first"))
        world.clock.now += 600

        answer = world.upload()

        assert first.headers["RateLimit"] == '"project.create.user";r=1;t=86400'
        assert words(answer) == (429, "Too many new projects created")
        assert answer.headers["RateLimit"] == '"project.create.user";r=0;t=85800'
        assert answer.headers["RateLimit-Policy"] == '"project.create.user";q=1;w=86400;pk=:user:'
        world.clock.now += 85800
        assert world.upload().status_code == 200

    def test_the_limits_are_those_that_somebody_sets(self, world: ServedIndex) -> None:
        rules = world.index.rules
        rules.new_projects_of_address, rules.new_projects_of_user, rules.new_projects_window = 1, 20, 3600
        world.upload()

        answer = world.upload(world.wheel("second"))

        assert words(answer) == (429, "Too many new projects created")
        assert answer.headers["RateLimit"] == '"project.create.ip";r=0;t=3600, "project.create.user";r=19;t=3600'
        assert answer.headers["RateLimit-Policy"] == (
            '"project.create.ip";q=1;w=3600;pk=:ip:, "project.create.user";q=20;w=3600;pk=:user:'
        )

    def test_a_refused_project_says_what_is_left_and_takes_nothing_of_it(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 4

        refusals = [world.upload(world.wheel("smtplib")) for _ in range(5)]

        assert [answer.status_code for answer in refusals] == [400] * 5
        assert {answer.headers["RateLimit"] for answer in refusals} == {'"project.create.user";r=4;t=86400'}

    def test_files_of_a_project_that_exists_are_not_counted(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 1
        world.upload()

        answer = world.upload(world.sdist())

        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers

    def test_what_trusted_publishers_create_is_not_limited(self, world: ServedIndex) -> None:
        world.index.rules.new_projects_of_user = 0

        answer = world.upload(token=world.minted())

        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers

    @pytest.mark.parametrize("name", ["smtplib", "imp", "XML.etree", "urllib2"])
    def test_modules_of_any_python_are_no_names_of_projects(self, world: ServedIndex, name: str) -> None:
        said = words(world.upload(name=name))

        assert said[0] == 400
        assert said[1].startswith(f"The name {name!r} isn't allowed (conflict with Python Standard Library")

    @pytest.mark.parametrize("status", ["archived", "quarantined"])
    def test_a_closed_project_takes_nothing_from_a_publisher(self, world: ServedIndex, status: str) -> None:
        world.index.create_project("demo")
        world.index.set_status("demo", status)

        assert words(world.upload(token=world.minted())) == (
            403,
            f"The given token isn't allowed to upload to project 'demo'. {SEE}#project-name for more information.",
        )

    def test_an_owners_token_gets_into_a_quarantined_project_and_not_into_an_archived_one(
        self, world: ServedIndex
    ) -> None:
        world.index.create_project("demo")
        world.index.set_status("demo", "quarantined")
        quarantined = words(world.upload())
        world.index.set_status("demo", "archived")
        archived = words(world.upload(world.sdist()))

        assert quarantined == (200, "OK")
        assert archived[0] == 403
        assert archived[1].startswith("The user 'rehearsal' isn't allowed to upload to project 'demo'.")

    def test_the_first_file_of_a_release_describes_it_and_the_last_one_names_it(self, world: ServedIndex) -> None:
        world.upload(world.wheel(), name="demo", summary="first")
        world.upload(world.sdist(), name="Demo", summary="second")

        project = world.index.state.projects["demo"]
        assert (project.name, project.releases["1"].first_form_value("summary")) == ("Demo", "first")
