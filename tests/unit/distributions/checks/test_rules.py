import pytest

from ci_publish.distributions.checks.rules import CheckedFile, Rule
from ci_publish.distributions.faults import Fault
from ci_publish.distributions.wheel_reading import ZipContents
from ci_publish.model.distribution import Kind
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity

PYPI, GENERIC = IndexProfile.PYPI, IndexProfile.GENERIC


def rule(generic: Severity | None = Severity.WARNING, *, pypi_only: bool = False) -> Rule:
    return Rule(
        id="demo",
        pypi=Severity.ERROR,
        generic=generic,
        pypi_only=pypi_only,
        cause="A demo.",
        source="this test.",
        example="this",
        fix="Nothing.",
    )


@pytest.mark.parametrize(
    ("profiles", "severity"),
    [
        ([], Severity.ERROR),
        ([PYPI], Severity.ERROR),
        ([GENERIC], Severity.WARNING),
        ([GENERIC, PYPI], Severity.ERROR),
    ],
)
def test_the_highest_severity_of_all_profiles_counts(profiles: list[IndexProfile], severity: Severity) -> None:
    assert rule().severity_for_profiles(profiles) is severity


def test_an_index_may_accept_what_a_rule_finds() -> None:
    assert rule(pypi_only=True).severity_for_profiles([GENERIC]) is None


def test_without_another_severity_all_indexes_have_that_of_pypi() -> None:
    assert rule(generic=None).severity_for_profiles([GENERIC]) is Severity.ERROR


def test_what_reading_the_file_found_belongs_to_the_rule_of_that_id() -> None:
    mine, other = Fault(rule="demo", message="It is so."), Fault(rule="other", message="It is not.")
    wheel = ZipContents(info_folder="demo-1.0.dist-info", faults=(other, mine))
    file = CheckedFile(
        filename="demo-1.0-py3-none-any.whl", kind=Kind.WHEEL, size=1, form={}, wheel=wheel, form_faults=(mine,)
    )
    assert list(rule().faults_of_file(file)) == [mine, mine]


def test_the_first_value_of_a_form_field_counts() -> None:
    file = CheckedFile(filename="demo-1.0.tar.gz", kind=Kind.SDIST, size=1, form={"name": ("demo", "other")})
    assert (file.form_value("name"), file.form_value("version")) == ("demo", "")
