"""Text that strangers wrote goes through every parser: a verdict or an error with a class, never a bug.

A seeded generator makes 2,000 inputs in ``make test``, 100,000 in one process with CI_PUBLISH_STRESS=1. Hypothesis
looks for others, a few or 2,000 for each parser, and whole files go through ``main()``.
"""

import io
import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.index_names import IndexNames
from ci_publish.app.project_file import read_project_tables
from ci_publish.app.recording import record_command
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.attestations.examiner import parse_attestation, parse_provenance
from ci_publish.attestations.in_toto_statements import WrongStatement, parse_in_toto_statement
from ci_publish.attestations.sigstore_trouble import Unsound, trouble_of_sigstore_response
from ci_publish.attestations.sigstore_trust import sigstore_instance_hosts
from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams
from ci_publish.distributions.checks import form_validation
from ci_publish.distributions.checks.comparison.stated import Stated, parse_expected_wheels
from ci_publish.distributions.checks.comparison.stated_rules import version_tag_faults
from ci_publish.distributions.checks.rendering import render_description
from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.distributions.checks.severities import parse_rule_severities
from ci_publish.distributions.checks.table import RULES, release_faults
from ci_publish.distributions.core_metadata import normalized_version, parse_core_metadata
from ci_publish.distributions.entry_points import entry_points_refusal_reason, parse_entry_points
from ci_publish.distributions.wheel_reading import ZipContents
from ci_publish.distributions.wheel_record import parse_wheel_record
from ci_publish.errors import ConfigurationError
from ci_publish.http import response_texts
from ci_publish.identity import oidc_protocol
from ci_publish.identity.ci_environment import is_fork_pull_request
from ci_publish.identity.jwt import decode_jwt_claims
from ci_publish.identity.macaroons import read_pypi_token
from ci_publish.identity.served_publishers import provenance_names_job_publisher
from ci_publish.index import simple_api, upload_api
from ci_publish.model.attestation import Subject
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.distribution import Kind
from ci_publish.model.events import Outcome
from ci_publish.model.filename import version_in_filename
from ci_publish.model.identity import Claims
from ci_publish.model.index import ProjectListing
from ci_publish.model.release import Release, local_release_files
from ci_publish.publishing.baseline import comparison_with_listing, listed_releases, local_release
from tests.corpus.build import Sdist, Wheel
from tests.property.strange_text import TYPES, Stranger
from tests.unit.fakes import PYPI, wheel

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
COUNT = 100_000 if STRESS else 2_000
EXAMPLES = 2_000 if STRESS else 30
WHOLE = 2_000 if STRESS else 30
URL = "https://index.example/simple/demo/"
INFO = "demo-1.0.dist-info"
CLAIMS: Claims = {"iss": "https://token.actions.githubusercontent.com", "repository": "a/b", "repository_owner": "a"}


def core_metadata(by: Stranger) -> None:
    parsed = parse_core_metadata(by.metadata())
    form: dict[str, list[str]] = {}
    for name, item in core_metadata_form_fields(parsed.metadata):
        form.setdefault(name, []).append(item)
    assert isinstance(form_validation.validate_upload_form(form), tuple)
    normalized_version(parsed.metadata.version)


def description(by: Stranger) -> None:
    render_description(by.description(), by.media_type())


def members(by: Stranger) -> None:
    parse_wheel_record(by.data(), (by.text(),))
    list(parse_entry_points(by.data()))
    entry_points_refusal_reason(by.data())
    version_in_filename(by.text())


def wheel_file(by: Stranger) -> None:
    """WHEEL, with RECORD and entry points of the same wheel, by every rule that reads them."""
    lines = b"".join(by.chance.choice((b"Wheel-Version: ", b"Tag: ", b"")) + by.data() + b"\n" for _ in range(3))
    texts = (("WHEEL", lines), ("entry_points.txt", by.data()))
    names = frozenset({f"{INFO}/WHEEL", f"{INFO}/RECORD", by.text()})
    contents = ZipContents(info_folder=INFO, names=names, texts=texts, record=parse_wheel_record(by.data(), names))
    file = CheckedFile(
        filename="demo-1.0-py3-none-any.whl",
        kind=Kind.WHEEL,
        size=1,
        form={"name": ("demo",), "version": ("1.0",)},
        wheel=contents,
    )
    for rule in RULES.values():
        list(rule.faults_of_file(file))


def listings(by: Stranger) -> None:
    parsed = simple_api.parse_listing("demo", by.body(), by.chance.choice(TYPES), URL, public=by.chance.random() < 0.5)
    if not isinstance(parsed, simple_api.Unreadable):
        simple_api.lists_version(parsed, "1.0")
    simple_api.parse_json_api_release("demo", by.body(), URL)
    simple_api.is_simple_api_root(by.body(), by.chance.choice(TYPES), URL)


def uploads(by: Stranger) -> None:
    upload_api.interpret_upload_response(by.answer(), PYPI.upload, 1, 1_700_000_000.0)
    response_texts.response_message(by.answer())


def exchanges(by: Stranger) -> None:
    oidc_protocol.parse_discovery_response(by.answer(), PYPI)
    oidc_protocol.parse_audience_response(by.answer(), PYPI)
    oidc_protocol.parse_mint_response(by.answer(), 1_700_000_000.0)
    oidc_protocol.parse_burn_response(by.answer())
    decode_jwt_claims(".".join(by.text() for _ in range(3)))
    is_fork_pull_request(by.body())
    read_pypi_token(f"pypi-{by.text()}")


def sigstore(by: Stranger) -> None:
    said = by.answer()
    trouble_of_sigstore_response(
        "Rekor", said.status, said.body.decode("utf-8", "replace"), said.headers, 1_700_000_000.0
    )
    sigstore_instance_hosts(by.body().decode("utf-8", "replace"))
    provenance_names_job_publisher(by.body(), CLAIMS)
    for read in (parse_attestation, lambda content: list(parse_provenance(content))):
        with suppress(Unsound):
            read(by.body())
    with suppress(WrongStatement):
        parse_in_toto_statement(by.body(), Subject("demo-1.0.tar.gz", "0" * 64))


def comparisons(by: Stranger) -> None:
    """A listing and core metadata of strangers, beside a release of ours; the tag and the patterns are theirs, too."""
    parsed = simple_api.parse_listing("demo", by.body(), TYPES[0], URL, public=True)
    listing = parsed if isinstance(parsed, ProjectListing) else ProjectListing(project="demo")
    listed = listed_releases(listing)
    ours = local_release([wheel(version="1.1")], listed)
    metadata = parse_core_metadata(by.metadata()).metadata
    strange = Release(
        project="demo",
        version="1.0",
        files=local_release_files([replace(wheel(), filename=f"demo-1.0-{by.text()}.whl"), wheel()]),
        requires_python=by.text(),
        metadata=metadata,
    )
    ours = replace(ours, metadata=parse_core_metadata(by.metadata()).metadata, requires_python=by.text())
    comparison = replace(comparison_with_listing(ours, [], listing, listed), before=strange)
    with suppress(ConfigurationError):
        stated = Stated(
            tag=f"{by.chance.choice(('', 'demo-'))}{by.text()}", expected=parse_expected_wheels([by.text()])
        )
        version_tag_faults({"demo": {"1.1"}}, stated)
        release_faults(comparison, stated)
    release_faults(comparison, Stated())
    with suppress(ConfigurationError):
        parse_rule_severities((f"{by.text()}={by.text()}",))


PARSERS: tuple[Callable[[Stranger], None], ...] = (
    *(core_metadata, members, wheel_file, listings, comparisons, uploads, exchanges, sigstore),
)


def settings_files(folder: Path, by: Stranger) -> None:
    """pyproject.toml and .pypirc: what they say, or a wrong setting."""
    project, pypirc = folder / "pyproject.toml", folder / ".pypirc"
    project.write_bytes(b"[tool.ci-publish]\n" + by.data())
    with suppress(ConfigurationError):
        read_project_tables(project)
    pypirc.write_bytes(b"[company]\nrepository = " + by.data())
    with suppress(ConfigurationError):
        IndexNames((), pypirc).pypirc_section("company")


def as_main_maps_it(work: Callable[[], None]) -> None:
    """Do *work* as a command: an exception that is none of ours ends it as an InternalError, which is raised."""

    def ready(_: RuntimeContext) -> Outcome:
        work()
        return Outcome.READY

    record_command(ready, RuntimeContext(environ={}), FrontEndWording(FrontEnd.COMMAND_LINE, "check"))


def test_no_parser_meets_what_it_does_not_know(tmp_path: Path) -> None:
    for seed in range(COUNT):
        by = Stranger(random.Random(seed))  # noqa: S311  (a test's dice)
        try:
            as_main_maps_it(lambda: PARSERS[seed % len(PARSERS)](by))  # noqa: B023  (called at once)
            if seed % 20 == 0:
                as_main_maps_it(lambda: description(by))  # noqa: B023
            if seed % 5 == 0:
                as_main_maps_it(lambda: settings_files(tmp_path, by))  # noqa: B023
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


STRANGERS = st.builds(
    Stranger,
    st.randoms(use_true_random=False),
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
)


@pytest.mark.parametrize("parser", [*PARSERS, description], ids=lambda parser: parser.__name__)
def test_hypothesis_finds_nothing_that_a_parser_does_not_know(parser: Callable[[Stranger], None]) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(STRANGERS)
    def example(by: Stranger) -> None:
        as_main_maps_it(lambda: parser(by))

    example()


def test_hypothesis_finds_nothing_in_files_of_settings(tmp_path: Path) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(STRANGERS)
    def example(by: Stranger) -> None:
        as_main_maps_it(lambda: settings_files(tmp_path, by))

    example()


def test_whole_files_end_as_refused_or_wrong_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through ``main()`` itself: a wheel, an sdist and a pyproject.toml, each with text of strangers in every place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dist").mkdir()
    for seed in range(WHOLE):
        by = Stranger(random.Random(seed))  # noqa: S311  (a test's dice)
        wheel = Wheel(
            filename="demo-1.0-py3-none-any.whl",
            metadata=by.metadata(),
            wheel_file=by.data(),
            entry_points=by.data(),
            record=by.data(),
        )
        (tmp_path / "dist" / wheel.filename).write_bytes(wheel.build())
        sdist = Sdist(filename="demo-1.0.tar.gz", metadata=by.metadata(), top="demo-1.0")
        (tmp_path / "dist" / sdist.filename).write_bytes(sdist.build())
        project = by.data() if by.chance.random() < 0.3 else b""
        (tmp_path / "pyproject.toml").write_bytes(b"[tool.ci-publish]\n" + project)
        out, err = io.StringIO(), io.StringIO()
        code = main(["check", "dist", "--output", "json"], {"HOME": str(tmp_path)}, Streams(io.StringIO(), out, err))
        assert code in {0, 2, 4}, f"seed {seed}: {code} {out.getvalue()} {err.getvalue()}"
        assert "internal" not in json.dumps(json.loads(out.getvalue())["error"]), f"seed {seed}"
