from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.attestation_files import (
    attestation_filename,
    require_no_attestation_files,
    write_attestations,
)
from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, Attestation
from tests.platforms import needs_permission_bits

if TYPE_CHECKING:
    from pathlib import Path

PUBLISH = Attestation(filename="demo-1.0.tar.gz", predicate_type=PUBLISH_V1, json='{"version": 1}')
SLSA = Attestation(filename="demo-1.0.tar.gz", predicate_type=SLSA_PROVENANCE_V1, json='{"version": 1, "x": 2}')


def test_names_follow_the_convention() -> None:
    assert attestation_filename(PUBLISH) == "demo-1.0.tar.gz.publish.attestation"
    assert attestation_filename(SLSA) == "demo-1.0.tar.gz.slsa.attestation"


def test_each_attestation_becomes_a_file_that_later_steps_can_read(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"

    paths = write_attestations(directory, [PUBLISH, SLSA])

    assert [path.read_text() for path in paths] == [PUBLISH.json, SLSA.json]
    assert sorted(path.name for path in directory.iterdir()) == sorted(path.name for path in paths)


@needs_permission_bits
def test_other_users_can_read_them(tmp_path: Path) -> None:
    (path,) = write_attestations(tmp_path, [PUBLISH])
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    (first,) = write_attestations(tmp_path, [PUBLISH])
    before = first.stat()

    assert write_attestations(tmp_path, [PUBLISH]) == (first,)
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_attestation_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / attestation_filename(PUBLISH)
    path.write_text("something else")

    with pytest.raises(ConfigurationError, match="already exists"):
        write_attestations(tmp_path, [PUBLISH])

    assert path.read_text() == "something else"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_attestation_that_is_in_the_way_is_named_before_another_one_is_made(tmp_path: Path) -> None:
    require_no_attestation_files(tmp_path / "absent", [PUBLISH.filename])
    require_no_attestation_files(tmp_path, [PUBLISH.filename])
    path = tmp_path / attestation_filename(PUBLISH)
    path.symlink_to("nowhere")

    require_no_attestation_files(tmp_path, ["other-1.0.tar.gz"])
    with pytest.raises(ConfigurationError, match="already exists"):
        require_no_attestation_files(tmp_path, ["other-1.0.tar.gz", PUBLISH.filename])


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text(PUBLISH.json)
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / attestation_filename(PUBLISH)).symlink_to(target)

    with pytest.raises(ConfigurationError):
        write_attestations(directory, [PUBLISH])


def test_what_the_system_refuses_is_a_configuration_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(ConfigurationError, match="Cannot write the attestations"):
        write_attestations(blocked, [PUBLISH])


def no_links(_source: Path, _target: Path) -> None:
    raise OSError(95, "Operation not supported")


def test_a_file_system_without_hard_links_is_enough(tmp_path: Path) -> None:
    (path,) = write_attestations(tmp_path, [PUBLISH], link=no_links)

    assert path.read_text() == PUBLISH.json
    assert write_attestations(tmp_path, [PUBLISH], link=no_links) == (path,)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_without_hard_links_nothing_is_replaced_either(tmp_path: Path) -> None:
    path = tmp_path / attestation_filename(PUBLISH)
    path.write_text("something else")

    with pytest.raises(ConfigurationError, match="already exists"):
        write_attestations(tmp_path, [PUBLISH], link=no_links)

    assert path.read_text() == "something else"


def test_build_provenance_is_in_the_way_where_build_provenance_is_made(tmp_path: Path) -> None:
    write_attestations(tmp_path, [SLSA])

    require_no_attestation_files(tmp_path, [SLSA.filename])
    with pytest.raises(ConfigurationError, match=r"slsa\.attestation already exists"):
        require_no_attestation_files(tmp_path, [SLSA.filename], (PUBLISH_V1, SLSA_PROVENANCE_V1))
