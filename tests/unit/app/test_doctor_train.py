"""What doctor says about several projects."""

from dataclasses import replace

from ci_publish.app.doctor_train import deferral_by_new_project_limit, doctor_train_findings
from ci_publish.errors import PublishingDeferred
from ci_publish.model.distribution import Collection
from ci_publish.model.finding import FindingStatus
from tests.unit.fakes import GENERIC, PYPI
from tests.unit.publishing.projects import project

FAMILY = Collection(distributions=(project("meta", "plugin"), project("plugin", "core"), project("core")))
NEW = ("plugin", "meta")


def link(project: str) -> str | None:
    return None if project == "meta" else f"https://form/{project}"


def test_the_order_and_the_forms_are_shown_in_the_order_of_the_train() -> None:
    order, forms = doctor_train_findings(FAMILY, NEW, PYPI, link)
    assert order.message.splitlines()[1:] == ["  1. core", "  2. plugin (new project)", "  3. meta (new project)"]
    assert forms.status is FindingStatus.WARN
    assert forms.message.startswith("pypi has no project plugin, meta. For Trusted Publishing, register a pending")
    assert forms.hints == ("plugin: https://form/plugin",)


def test_one_project_and_projects_that_exist_need_nothing() -> None:
    assert list(doctor_train_findings(Collection(distributions=(project("core"),)), ("core",), PYPI, link)) == []
    assert [found.name for found in doctor_train_findings(FAMILY, (), PYPI, link)] == ["order"]
    assert [found.name for found in doctor_train_findings(FAMILY, NEW, GENERIC, link)] == ["order"]


def test_many_forms_are_cut() -> None:
    many = replace(FAMILY, distributions=tuple(project(f"p{number:02}") for number in range(25)))
    _, forms = doctor_train_findings(many, [file.project for file in many], PYPI, link)
    assert forms.hints[-1] == "and 5 more"


def test_doctor_knows_what_new_projects_makes_wait() -> None:
    assert deferral_by_new_project_limit(FAMILY, NEW, None) is None
    assert deferral_by_new_project_limit(FAMILY, NEW, 2) is None
    error = deferral_by_new_project_limit(FAMILY, NEW, 1)
    assert isinstance(error, PublishingDeferred)
    assert "meta" in error.summary
