"""What events say about files, for the receipt."""

import pytest

from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.model.events import (
    Collected,
    CredentialChanged,
    Retrying,
    Signed,
    UploadsCollided,
)
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import Upload
from ci_publish.model.receipt_building import build_receipt
from tests.unit.model.receipt_schema import written
from tests.unit.reports.recorded_runs import (
    SDIST,
    attestation,
    beginning,
    distribution,
    planned,
    uploaded,
)


def test_a_retry_of_an_index_that_was_busy_with_our_own_uploads_has_a_cause() -> None:
    busy = UploadsCollided(index="pypi", filename=SDIST.filename, project="demo", version="1.0")
    again = Retrying(what=SDIST.filename, attempt=2, reason="the index responded with 503", wait=1.23456, index="pypi")
    document = written([*beginning(SDIST), *planned(Upload(SDIST)), busy, again, *uploaded(SDIST), busy])
    first, second, third = document["files"][0]["retries"]
    assert (first["attempt"], first["wait"], first["cause"]) == (1, 0.0, "concurrent-uploads")
    assert "another file of this release" in first["reason"]
    assert second == {"attempt": 2, "reason": "the index responded with 503", "wait": 1.235, "cause": None}
    assert third["attempt"] == 1


@pytest.mark.parametrize("first", [0, 1])
def test_attestations_are_listed_once_for_each_predicate_type(first: int) -> None:
    both = [Signed(attestation(SDIST)), Signed(attestation(SDIST, SLSA_PROVENANCE_V1))]
    receipt = build_receipt([*beginning(SDIST), both[first], both[1 - first], both[first]])
    assert [entry.predicate_type for entry in receipt.files[0].attestations] == [PUBLISH_V1, SLSA_PROVENANCE_V1]


def test_files_of_one_name_in_two_folders_are_two_files() -> None:
    twin = distribution(SDIST.filename, folder="other")
    assert len(build_receipt([Collected((SDIST, twin))]).files) == 2


def test_a_time_that_no_calendar_holds_is_unknown() -> None:
    state = CredentialState(kind=CredentialKind.API_TOKEN, expires=1e99)
    document = written([*beginning(SDIST), CredentialChanged("pypi", state)])
    assert document["indexes"][0]["credential"]["expires"] is None
