"""The steps on the disk, and what is known of the files afterwards."""

from pathlib import Path

from ci_publish import Settings
from ci_publish.app.local_steps import LocalSteps, unattested
from ci_publish.model.distribution import Collection, FoundAttestation
from ci_publish.model.index import IndexProfile
from ci_publish.publishing.interruption import Interruption
from tests.distributions import make_release
from tests.unit.fakes import wheel


def test_what_is_found_is_known_afterwards(tmp_path: Path) -> None:
    make_release(tmp_path)
    steps = LocalSteps(Settings(), Interruption(60.0), with_md5=True, environ={})
    collection = steps.collect([str(tmp_path)])
    assert steps.projects == ("demo",)
    assert steps.unattested
    assert all(file.digests.md5 for file in collection.distributions)
    assert not [each for each in steps.check(collection, [IndexProfile.PYPI]) if each.severity == "error"]


def test_a_file_needs_an_attestation_unless_a_publish_attestation_lies_beside_it() -> None:
    file = wheel()
    found = FoundAttestation(path=Path("a"), distribution=file.filename, type="publish", content=b"")
    other = FoundAttestation(path=Path("a"), distribution=file.filename, type="slsa", content=b"")
    assert unattested(Collection(distributions=(file,)))
    assert unattested(Collection(distributions=(file,), attestations=(other,)))
    assert not unattested(Collection(distributions=(file,), attestations=(found,)))
