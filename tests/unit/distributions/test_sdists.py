"""sdists at the limits."""

import tarfile
from pathlib import Path

import pytest

from ci_publish.distributions import limits
from tests.corpus.build import Sdist, metadata
from tests.unit.distributions.checked_folders import checked


@pytest.mark.parametrize("first", [True, False])
def test_an_sdist_with_too_many_members_is_published_with_a_warning(tmp_path: Path, *, first: bool) -> None:
    many = tuple((tarfile.TarInfo(f"demo_pkg-1.0/{number}"), b"") for number in range(limits.MAX_TAR_MEMBERS + 1))
    info = (tarfile.TarInfo("demo_pkg-1.0/PKG-INFO"), metadata())
    extra = (info, *many) if first else (*many, info)
    (tmp_path / Sdist().filename).write_bytes(Sdist(metadata=None, extra=extra).build())
    collection, problems = checked(tmp_path)
    assert [file.project for file in collection.distributions] == ["demo-pkg"]
    assert problems.keys() == {"archive-too-many-members"}
