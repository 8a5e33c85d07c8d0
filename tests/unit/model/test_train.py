"""The order of the projects of one run."""

from dataclasses import replace

import pytest

from ci_publish.model.distribution import CoreMetadata, Distribution
from ci_publish.model.train import NO_TRAIN, Train, Unknown, Unsatisfied, train_of_distributions
from tests.unit.fakes import sdist, wheel


def project(
    name: str, *requires: str, version: str = "1.0", dynamic: str = "", build: tuple[str, ...] = ()
) -> Distribution:
    fields = (*(("requires-dist", line) for line in requires), *((("dynamic", dynamic),) if dynamic else ()))
    file = sdist(name, version) if dynamic or build else wheel(name, version)
    return replace(
        file,
        metadata=CoreMetadata(metadata_version="2.4", name=name, version=version, fields=fields),
        build_requires=build,
    )


def waves(*files: Distribution) -> tuple[tuple[str, ...], ...]:
    return train_of_distributions(files).waves


def test_what_is_required_comes_first() -> None:
    train = train_of_distributions(
        [project("meta", "core==1.0", "Plugin"), project("plugin", "core==1.0"), project("core", "numpy")]
    )
    assert train.waves == (("core",), ("plugin",), ("meta",))
    assert train.order == ("core", "plugin", "meta")
    assert train.requires == {"core": frozenset(), "plugin": {"core"}, "meta": {"core", "plugin"}}
    assert (train.cycles, train.unsatisfied, train.unknown) == ((), (), ())


def test_projects_that_require_nothing_of_each_other_are_one_wave_by_name() -> None:
    assert waves(project("b"), project("a"), project("c", "a")) == (("a", "b"), ("c",))


def test_a_single_project_is_one_wave_also_when_it_requires_itself() -> None:
    train = train_of_distributions(
        [project("one", "one[all]", "numpy"), project("one", version="2.0", dynamic="Requires-Dist")]
    )
    assert train == replace(NO_TRAIN, waves=(("one",),), requires={"one": frozenset()})
    assert train_of_distributions([]) == NO_TRAIN


def test_every_file_of_a_project_counts_and_what_cannot_be_read_does_not() -> None:
    files = [project("a"), project("b", "not a = requirement", "A"), project("c"), project("c", "b", version="2.0")]
    assert waves(*files) == (("a",), ("b",), ("c",))


@pytest.mark.parametrize(
    ("marker", "always"),
    [
        ("python_version < '3'", True),
        ("extra == 'x'", False),
        ("'x' == extra", False),
        ("extra == 'x' and python_version ~= '3.9'", False),
        ("python_version === '3' and (extra == 'x' or extra == 'y')", False),
        ("extra == 'x' or os_name == 'nt'", True),
        ("extra != 'x'", True),
        ("platform_version == 'a\"b'", True),
        (r"platform_version == 'a\\d'", True),
        (r"platform_version == 'a\nb'", True),
        (r"extra == 'x' and platform_version == 'a\nb'", True),
    ],
)
def test_a_requirement_of_an_extra_orders_but_is_no_condition(marker: str, *, always: bool) -> None:
    train = train_of_distributions([project("a", f"b ; {marker}"), project("b")])
    assert train.waves == (("b",), ("a",))
    assert train.requires["a"] == ({"b"} if always else set())
    assert train.projects_requiring({"b"}) == ({"a", "b"} if always else {"b"})


def test_an_extra_that_requires_a_plugin_of_its_own_makes_no_cycle() -> None:
    train = train_of_distributions([project("core", "plugin ; extra == 'all'"), project("plugin", "core")])
    assert train.waves == (("core",), ("plugin",))
    assert train.cycles == ()


def test_extras_that_want_each_other_first_are_one_wave() -> None:
    assert waves(project("a", "b ; extra == 'x'"), project("b", "a ; extra == 'x'")) == (("a", "b"),)


def test_a_cycle_is_one_wave_after_everything_that_one_of_it_requires() -> None:
    files = [
        project("a", "b"),
        project("b", "c"),
        project("c", "a", "d"),
        project("d"),
        project("e", "a"),
        project("f"),
    ]
    train = train_of_distributions(files)
    assert train.waves == (("d", "f"), ("a", "b", "c"), ("e",))
    assert train.cycles == (("a", "b", "c"),)
    assert train.requires["a"] == {"b", "c", "d"}
    assert train.projects_requiring({"b"}) == {"a", "b", "c", "e"}
    assert (train.cycle_of("b"), train.cycle_of("e")) == (("a", "b", "c"), ("e",))


def test_the_waves_of_some_projects_leave_the_others_out() -> None:
    train = train_of_distributions([project("a"), project("b", "a"), project("c", "b"), project("d", "b")])
    assert train.waves_of({"c", "a"}) == (("a",), ("c",))
    assert train.waves_of(()) == ()


def test_a_requirement_that_this_run_does_not_satisfy_is_named() -> None:
    train = train_of_distributions(
        [project("core", version="1.0"), project("core", version="2.0rc1"), project("app", "core>=3")]
    )
    assert train.unsatisfied == (
        Unsatisfied(project="app", requirement="core>=3", sibling="core", versions=("1.0", "2.0rc1")),
    )
    assert train.requires["app"] == {"core"}


def test_a_pre_release_satisfies_and_one_of_several_environments_is_enough() -> None:
    split = ("core<2 ; python_version < '3.9'", "core>=2 ; python_version >= '3.9'")
    assert train_of_distributions([project("core", version="2.0rc1"), project("app", "core>=1")]).unsatisfied == ()
    assert train_of_distributions([project("core", version="2.0"), project("app", *split)]).unsatisfied == ()
    (wrong,) = train_of_distributions([project("core", version="2.0"), project("app", split[0])]).unsatisfied
    assert wrong.requirement == 'core<2; python_version < "3.9"'
    (plain,) = train_of_distributions([project("core", version="2.0"), project("app", split[1], "core<2")]).unsatisfied
    assert plain.requirement == "core<2"


def test_what_only_a_build_would_tell_is_named_as_unknown() -> None:
    dynamic = project("a", dynamic="requires-dist")
    built = project("b", build=("setuptools", "a", "b"))
    assert train_of_distributions([dynamic, built, project("c", dynamic="License")]).unknown == (
        Unknown(dynamic.filename),
        Unknown(built.filename, ("a",)),
    )


def test_many_projects_in_a_row_need_no_recursion() -> None:
    chain = [project("p0"), *(project(f"p{number}", f"p{number - 1}") for number in range(1, 300))]
    train: Train = train_of_distributions(chain)
    assert len(train.waves) == 300
