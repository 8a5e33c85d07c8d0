"""What the rehearsal's index says about uploads: PyPI's words, in PyPI's order."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rehearsal.served_index import SEE, ServedIndex, served_index, words


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


def test_a_wheel_and_an_sdist_are_taken(world: ServedIndex) -> None:
    wheel, sdist = world.wheel(), world.sdist()

    assert [words(world.upload(path, headers={"User-Agent": "tests/1.0"})) for path in (wheel, sdist)] == [
        (200, "OK"),
        (200, "OK"),
    ]
    stored = world.index.files
    assert set(stored) == {wheel.name, sdist.name}
    assert world.index.path_of(wheel.name).read_bytes() == wheel.read_bytes()
    assert stored[wheel.name].sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert stored[wheel.name].uploaded_via == "tests/1.0"
    assert (stored[wheel.name].python_version, stored[sdist.name].python_version) == ("py3", "source")


def test_nothing_that_arrived_is_left_lying_about(world: ServedIndex) -> None:
    world.upload()
    world.upload(sha256_digest="0" * 64)
    world.upload(summary=None, action="other")

    assert list((world.folder / "index" / "incoming").iterdir()) == []


@pytest.mark.parametrize("description", ["# Words", "Plain\n=====\n\nwords\n"])
@pytest.mark.parametrize("kind", ["text/markdown; variant=GFM", "text/plain"])
def test_a_description_that_renders_is_taken(world: ServedIndex, description: str, kind: str) -> None:
    assert world.upload(description=description, description_content_type=kind).status_code == 200


class TestDuplicates:
    def test_the_same_file_again_is_ok_and_changes_nothing(self, world: ServedIndex) -> None:
        world.upload()
        serial = world.index.state.serial

        assert words(world.upload(attestations="rubbish")) == (200, "OK")
        assert world.index.state.serial == serial

    def test_other_bytes_under_the_name_are_refused(self, world: ServedIndex) -> None:
        world.upload()
        other = world.wheel(payload=b"y = 2\n")
        digest = hashlib.blake2b(other.read_bytes(), digest_size=32).hexdigest()

        assert words(world.upload(other)) == (
            400,
            (
                f"File already exists ('{other.name}', with blake2_256 hash '{digest}'). "
                f"{SEE}#file-name-reuse for more information."
            ),
        )

    def test_the_bytes_under_another_name_are_refused_in_the_same_words(self, world: ServedIndex) -> None:
        wheel = world.wheel()
        world.upload(wheel)

        status, said = words(world.upload(wheel, filename="demo-1.0-1-py3-none-any.whl"))

        assert (status, said[:50]) == (400, "File already exists ('demo-1.0-1-py3-none-any.whl'")

    def test_a_deleted_name_is_gone_for_good(self, world: ServedIndex) -> None:
        wheel = world.wheel()
        world.upload(wheel)
        world.index.delete_file(wheel.name)

        assert world.index.files == {}
        assert words(world.upload(world.wheel(payload=b"new\n")))[1] == (
            "This filename was previously used by a file that has since been deleted. Use a different version. "
            f"{SEE}#file-name-reuse for more information."
        )

    def test_an_old_release_takes_no_new_file_but_its_own_again(self, world: ServedIndex) -> None:
        world.upload()
        world.index.set_release_age("demo", "1.0", 14.1)

        assert words(world.upload(world.sdist())) == (
            400,
            "Uploading new files to releases older than 14 days is not allowed.",
        )
        assert words(world.upload()) == (200, "OK")

    def test_a_release_has_one_sdist(self, world: ServedIndex) -> None:
        first = world.sdist()
        second = first.with_name("Demo-1.0.tar.gz")
        world.upload(first)
        second.write_bytes(first.read_bytes() + b"\0")

        assert words(world.upload(second, name="demo")) == (400, "Only one sdist may be uploaded per release.")

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [
            ({"file_size_limit": 10}, "File too large. Limit for project 'demo' is 0 MB. See https://docs.pypi.org/"),
            ({"project_size_limit": 10}, "Project size too large. Limit for project 'demo' total size is 0 GB. See"),
        ],
    )
    def test_limits_are_kept(self, world: ServedIndex, limits: dict[str, int], reason: str) -> None:
        for name, value in limits.items():
            setattr(world.index.rules, name, value)

        status, said = words(world.upload())

        assert (status, said[: len(reason)]) == (400, reason)

    def test_a_projects_size_counts_all_its_files(self, world: ServedIndex) -> None:
        wheel, sdist = world.wheel(), world.sdist()
        world.index.rules.project_size_limit = wheel.stat().st_size + sdist.stat().st_size - 1

        assert [world.upload(path).status_code for path in (wheel, sdist)] == [200, 400]


class TestRaces:
    def race(self, world: ServedIndex, payloads: list[bytes]) -> list[int]:
        """Upload several files at the same time: each is held by the check until all have come so far."""
        versions = [world.wheel(payload=payload).read_bytes() for payload in payloads]
        answers: list[int] = []

        def upload(number: int, content: bytes) -> None:
            path = world.folder / str(number) / "demo-1.0-py3-none-any.whl"
            path.parent.mkdir()
            path.write_bytes(content)
            answers.append(world.upload(path).status_code)

        threads = [threading.Thread(target=upload, args=item) for item in enumerate(versions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        return sorted(answers)

    @pytest.mark.parametrize(
        ("payloads", "racy", "expected"),
        [
            ([b"a", b"a"], False, [200, 200]),
            ([b"a", b"b"], False, [200, 400]),
            ([b"a", b"b"], True, [200, 500]),
        ],
    )
    def test_two_first_files_at_once(
        self,
        tmp_path: Path,
        payloads: list[bytes],
        racy: bool,
        expected: list[int],
    ) -> None:
        barrier = threading.Barrier(2, timeout=10)

        def validate_file(*_: object) -> None:
            barrier.wait()

        with served_index(tmp_path, validate_file=validate_file) as world:
            world.index.rules.racy = racy

            assert self.race(world, payloads) == expected
            assert len(world.index.files) == 1


def test_a_missing_slash_is_redirected(world: ServedIndex) -> None:
    answer = world.client.post("/legacy", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.headers["Location"]) == (308, "http://localhost/legacy/")
    assert words(answer)[1].startswith("An upload was attempted to /legacy but the expected upload URL is /legacy/")
