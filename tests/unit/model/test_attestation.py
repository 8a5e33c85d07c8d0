"""Outcomes of provenance."""

from ci_publish.model.attestation import ProvenanceByAnother


def test_provenance_by_another_names_who_signed_and_who_was_expected() -> None:
    outcome = ProvenanceByAnother("github:evil/demo", ("github:octo/demo", "github:octo/other"))
    assert outcome.reason == "it is signed by github:evil/demo, not by github:octo/demo or github:octo/other"
