"""Which files fit which interpreters, and which siblings are missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.distribution import Distribution
from ci_publish.rehearsal.installation.interpreter_matching import (
    applying_requirements,
    describe_needed_interpreter,
    fits_interpreter,
    requirement_texts_by_project,
    requirements_without_sibling_version,
)
from ci_publish.rehearsal.installation.interpreters import FoundInterpreter
from tests.installable import sdist, wheel

HERE = FoundInterpreter(
    executable="/bin/python3.12",
    version="3.12.1",
    implementation="CPython",
    tags=("cp312-cp312-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_17_x86_64", "py3-none-any"),
    markers={"python_version": "3.12", "sys_platform": "linux"},
    has_pip=True,
    base="/bin/python3.12",
)


def read(path: Path) -> Distribution:
    return LocalDistributions().collect([str(path)]).distributions[0]


@pytest.mark.parametrize(
    ("tag", "fitting"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp39-abi3-manylinux_2_17_x86_64", True),
        ("cp313-cp313-manylinux_2_17_x86_64", False),
        ("cp312-cp312-macosx_11_0_arm64", False),
        ("cp39-cp39-manylinux_2_17_x86_64", False),
        ("cp312-none-any", False),
    ],
)
def test_a_wheel_fits_by_its_tags(tmp_path: Path, tag: str, *, fitting: bool) -> None:
    assert fits_interpreter(read(wheel(tmp_path, tag=tag)), HERE) is fitting


@pytest.mark.parametrize(
    ("requires", "fitting"), [("", True), (">=3.9", True), (">=3.13", False), ("<3.12.1", False), ("3.9 or so", True)]
)
def test_requires_python_counts_for_both_kinds(tmp_path: Path, requires: str, *, fitting: bool) -> None:
    file = read(wheel(tmp_path, metadata=[f"Requires-Python: {requires}"] if requires else []))

    assert fits_interpreter(file, HERE) is fitting


def test_an_sdist_fits_everywhere(tmp_path: Path) -> None:
    assert fits_interpreter(read(sdist(tmp_path)), HERE)
    assert describe_needed_interpreter(read(sdist(tmp_path))) == "Python"


def test_what_a_file_needs_is_its_tag_and_requires_python(tmp_path: Path) -> None:
    file = read(wheel(tmp_path, tag="cp313-cp313-win_amd64", metadata=["Requires-Python: >=3.13"]))

    assert describe_needed_interpreter(file) == "cp313-cp313-win_amd64 and Python >=3.13"
    assert (
        describe_needed_interpreter(read(wheel(tmp_path, "other", tag="cp313-cp313-win_amd64")))
        == "cp313-cp313-win_amd64"
    )


REQUIREMENTS = [
    "Requires-Dist: Core==1.1",
    "Requires-Dist: plugin>=1",
    "Requires-Dist: other==9",
    "Requires-Dist: core==3; python_version < '3'",
    "Requires-Dist: core==4; extra == 'x'",
    "Requires-Dist: not a requirement at all",
]


def test_a_sibling_is_missing_where_no_version_of_this_run_is_allowed(tmp_path: Path) -> None:
    file = read(wheel(tmp_path, metadata=REQUIREMENTS))

    assert list(
        map(str, requirements_without_sibling_version(file, {"core": ["1.0", "2.0"], "plugin": ["1.0"]}, HERE))
    ) == ["Core==1.1"]
    assert list(map(str, requirements_without_sibling_version(file, {"core": ["1.1"]}, HERE))) == []
    assert list(map(str, requirements_without_sibling_version(file, {"plugin": ["1.0rc1"]}, HERE))) == ["plugin>=1"]
    assert requirements_without_sibling_version(file, {"core": []}, replace(HERE, version="3.12.2")) == ()


def test_what_is_required_is_known_by_name(tmp_path: Path) -> None:
    found = requirement_texts_by_project(read(wheel(tmp_path, metadata=REQUIREMENTS)))

    assert found["other"] == "other==9"
    assert found.keys() == {"core", "plugin", "other"}


def test_what_applies_has_no_markers_and_may_have_extras(tmp_path: Path) -> None:
    file = read(wheel(tmp_path, metadata=REQUIREMENTS))

    assert list(map(str, applying_requirements(file, HERE))) == ["Core==1.1", "plugin>=1", "other==9"]
    assert list(map(str, applying_requirements(file, HERE, ["x"]))) == ["Core==1.1", "plugin>=1", "other==9", "core==4"]
