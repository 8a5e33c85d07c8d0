"""What no attestation may be, found as files next to the distributions and in what an index serves."""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING

import pytest

from ci_publish.attestations.provenance_verification import ProvenanceJudge
from ci_publish.model.attestation import (
    ProvenanceInvalid,
    ProvenanceVerified,
)
from ci_publish.rehearsal.ci_claims import simulated_google_claims
from tests.unit.attestations.attestation_files import found, refusal, signed, slsa
from tests.unit.attestations.served_provenance import GITHUB, GITLAB, GOOGLE, made, provenance, reason, verdict
from tests.unit.attestations.signing_harness import SigningHarness, signing_harness, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a PEP 740 attestation"),
        (b'{"version": 1}', "not a PEP 740 attestation"),
        (b"\xff\xfe", "not a PEP 740 attestation"),
        (b"[]", "not a PEP 740 attestation"),
    ],
)
def test_what_is_no_attestation_is_refused(world: SigningHarness, content: bytes, words: str) -> None:
    assert words in refusal(world, found(content))


def test_an_attestation_of_other_bytes_is_refused(world: SigningHarness) -> None:
    assert "another file" in refusal(world, found(signed(world, number=1), wheel(0)))


def test_a_changed_statement_is_refused(world: SigningHarness) -> None:
    content = json.loads(signed(world, number=1))
    statement = base64.b64decode(content["envelope"]["statement"]).decode()
    forged = statement.replace(wheel(1).filename, wheel(0).filename).replace(wheel(1).sha256, wheel(0).sha256)
    content["envelope"]["statement"] = base64.b64encode(forged.encode()).decode()

    detail = refusal(world, found(json.dumps(content), wheel(0)))

    assert "signature" in detail


@pytest.mark.parametrize("key", ["integratedTime", "logIndex"])
def test_a_changed_log_entry_is_refused(world: SigningHarness, key: str) -> None:
    content = json.loads(signed(world))
    entry = content["verification_material"]["transparency_entries"][0]
    entry[key] = str(int(entry[key]) + 1)

    assert refusal(world, found(json.dumps(content)))


def test_an_entry_without_a_promise_is_refused(world: SigningHarness) -> None:
    content = json.loads(signed(world))
    content["verification_material"]["transparency_entries"][0]["inclusionPromise"] = None

    assert refusal(world, found(json.dumps(content)))


def test_a_certificate_of_another_instance_is_refused(world: SigningHarness) -> None:
    with signing_harness() as other:
        content = signed(other)

    assert refusal(world, found(content))


def test_a_predicate_that_indexes_do_not_take_is_refused(world: SigningHarness) -> None:
    content = slsa(world, wheel(), "https://example.org/mine/v1")

    assert "predicate type (https://example.org/mine/v1)" in refusal(world, found(content))


@pytest.mark.parametrize(
    "served", [b"", b"<html>", b"[]", b"{}", b'{"version": 2, "attestation_bundles": []}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_provenance_is_invalid(world: SigningHarness, served: bytes) -> None:
    assert "not a PEP 740 provenance object" in reason(verdict(world, served))


def test_an_unknown_kind_of_publisher_is_invalid(world: SigningHarness) -> None:
    assert reason(verdict(world, provenance(made(world), publisher={"kind": "Forgejo", "repository": "x/y"})))


def test_provenance_of_other_bytes_is_invalid(world: SigningHarness) -> None:
    judge = ProvenanceJudge(world.trust)

    outcome = judge.verify(wheel(content="other"), provenance(made(world)), None)

    assert "for different content" in reason(outcome)


def test_provenance_of_another_file_is_invalid(world: SigningHarness) -> None:
    assert "for another file" in reason(verdict(world, provenance(made(world, number=1))))


@pytest.mark.parametrize(
    ("publisher", "words"),
    [
        ({**GITHUB, "repository": "octo-org/other"}, "names the repository"),
        ({**GITHUB, "repository": "Octo-org/demo"}, "in letter case"),
        ({**GITHUB, "workflow": "publish.yml"}, "names the workflow"),
        (GITLAB, "names the identity provider"),
    ],
)
def test_a_publisher_that_the_attestation_does_not_prove_is_invalid(
    world: SigningHarness, publisher: Mapping[str, object], words: str
) -> None:
    assert words in reason(verdict(world, provenance(made(world), publisher=publisher)))


def test_a_google_account_that_the_attestation_does_not_prove_is_invalid(world: SigningHarness) -> None:
    served = provenance(made(world, simulated_google_claims()), publisher={**GOOGLE, "email": "somebody@else.example"})

    assert "somebody@else.example" in reason(verdict(world, served))


def test_a_certificate_of_another_instance_is_invalid(world: SigningHarness) -> None:
    with signing_harness() as other:
        served = provenance(made(other))

    assert reason(verdict(world, served))


JUNK: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "\u0000",
    "AAAA",
    [],
    [None],
    {},
    {"a": 1},
    "-" * 10_000,
)


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value inside a JSON document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from leaves(child, (*path, key))


def changed(document: object, path: tuple[str | int, ...], junk: object) -> bytes:
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return json.dumps(copy).encode()


def test_whatever_is_changed_is_judged_and_never_raises(world: SigningHarness) -> None:
    document = json.loads(provenance(made(world)))
    harmless = {"environment", "claims", "version"}  # True is 1 to Python
    chance = random.Random(6)  # noqa: S311  (a seed, so that a failure can be repeated)
    judge = ProvenanceJudge(world.trust)

    for path in leaves(document):
        for junk in chance.sample(JUNK, 4):
            outcome = judge.verify(wheel(), changed(document, path, junk), None)

            assert isinstance(outcome, ProvenanceInvalid) or harmless & set(path), (path, junk, outcome)
            assert not isinstance(outcome, ProvenanceInvalid) or outcome.reason


def test_whatever_bit_is_flipped_never_raises(world: SigningHarness) -> None:
    served = provenance(made(world))
    chance = random.Random(6)  # noqa: S311  (see above)
    judge = ProvenanceJudge(world.trust)

    for _ in range(150):
        place = chance.randrange(len(served))
        flipped = served[:place] + bytes([served[place] ^ (1 << chance.randrange(7))]) + served[place + 1 :]

        outcome = judge.verify(wheel(), flipped, None)

        assert isinstance(outcome, ProvenanceInvalid | ProvenanceVerified)
