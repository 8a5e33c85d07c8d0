import pytest
from packaging.version import Version

from ci_publish.distributions.checks.comparison.stated import Stated, VersionTag, parse_expected_wheels
from ci_publish.distributions.checks.comparison.stated_rules import (
    MAX_TAG,
    stated_faults,
    tag_agrees_with_version,
    version_tag_faults,
)
from ci_publish.distributions.limits import DEFAULT_FILE_LIMIT, DEFAULT_PROJECT_LIMIT
from tests.unit.distributions.checks.comparison.compared_releases import MIB, compared, found, release

GIB = 1024 * MIB
ERROR, WARNING, NOTHING = ["version-tag"], ["version-tag-warning"], list[str]()


def said(tag: str, policy: VersionTag = VersionTag.AUTO, **releases: str) -> list[str]:
    versions = {name.replace("_", "-"): {version} for name, version in (releases or {"demo": "1.2.3"}).items()}
    return [fault.rule for fault in version_tag_faults(versions, Stated(tag=tag, version_tag=policy))]


# Styles of tags that repositories use, for a release of demo 1.2.3.
STYLES = [
    # the version alone, and after v
    ("1.2.3", NOTHING), ("v1.2.3", NOTHING), ("V1.2.3", NOTHING), ("1.2.3.0", NOTHING), ("v1.2.3.0", NOTHING),
    ("1.2.4", WARNING), ("v1.2.4", WARNING), ("v1.2.2", WARNING), ("v2.0.0", WARNING), ("1.2.3.1", WARNING),
    # tags that follow the newest release
    ("v1", NOTHING), ("v1.2", NOTHING), ("1", NOTHING), ("1.2", NOTHING), ("v2", WARNING), ("v1.3", WARNING),
    # pre-releases, in the spellings of PEP 440 and of semantic versions
    ("v1.2.3rc1", WARNING), ("v1.2.3-rc.1", WARNING), ("v1.2.3-beta.2", WARNING), ("1.2.3a1", WARNING),
    ("1.2.3.dev1", WARNING), ("v1.2.3-alpha", WARNING), ("1.2.3.post1", WARNING), ("1.2.3-1", WARNING),
    ("1.2.3+build.5", WARNING), ("v1.2.3-preview.1", WARNING),
    # the project's name
    ("demo-1.2.3", NOTHING), ("demo-v1.2.3", NOTHING), ("demo/1.2.3", NOTHING), ("demo/v1.2.3", NOTHING),
    ("demo@1.2.3", NOTHING), ("demo@v1.2.3", NOTHING), ("demo_1.2.3", NOTHING), ("Demo-1.2.3", NOTHING),
    ("demo-1.2.4", ERROR), ("demo-v1.2.4", ERROR), ("demo/1.2.4", ERROR), ("demo/v2.0", ERROR), ("demo@1.2.4", ERROR),
    ("demo_1.2.4", ERROR), ("DEMO_v1.2.4", ERROR), ("demo-1.2.3rc1", ERROR), ("demo-v1", NOTHING), ("demo/v2", ERROR),
    ("demo==1.2.3", NOTHING), ("demo==1.2.4", ERROR), ("demo==1.2.3rc1", ERROR), ("demo==v1.2.4", ERROR),
    ("demo=1.2.3", NOTHING), ("demo=1.2.4", ERROR), ("demo.v1.2.3", NOTHING), ("demo.v1.2.4", ERROR),
    ("demo@v1.2.4", ERROR), ("demo_v1.2.3", NOTHING), ("demo==1", NOTHING), ("demo==2", ERROR),
    # the project's name below folders, and with "release"
    ("packages/demo/v1.2.3", NOTHING), ("packages/demo/v1.2.4", ERROR), ("libs/py.d/demo==1.2.4", ERROR),
    ("python/demo-1.2.4", ERROR), ("release/demo/1.2.4", ERROR), ("releases/demo-v1.2.4", ERROR),
    ("release-demo-1.2.4", ERROR), ("release_demo_1.2.3", NOTHING), ("demo-release-1.2.4", ERROR),
    ("demo/releases/v1.2.4", ERROR), ("demo/release/v1.2.3", NOTHING),
    # another project of the repository
    ("other-1.2.4", NOTHING), ("other/v9.9", NOTHING), ("other@3.0.0", NOTHING), ("demo-cli-1.2.4", NOTHING),
    ("demo-cli/v1.2.4", NOTHING), ("my_demo_2.0", NOTHING), ("@scope/pkg@1.0.0", NOTHING),
    ("@scope/demo@1.2.4", NOTHING), ("other==1.2.4", NOTHING), ("demo-cli==1.2.4", NOTHING),
    ("demo/cli/1.2.4", NOTHING), ("my-demo==1.2.4", NOTHING), ("demo===1.2.4", NOTHING),
    ("packages/other/v1.2.4", NOTHING),
    # what reads as no version
    ("release-1.2.4", NOTHING), ("release/2.0", NOTHING), ("rel_1_2_4", NOTHING), ("REL1_2_4", NOTHING),
    ("nightly", NOTHING), ("latest", NOTHING), ("stable", NOTHING), ("build-2041", NOTHING), ("r1.2.4", NOTHING),
    ("version-1.2.4", NOTHING), ("v1.2.x", NOTHING), ("demo-latest", NOTHING), ("demo", NOTHING), ("v", NOTHING),
    # dates
    ("2026.11.28", WARNING), ("2026-11-28", NOTHING), ("20261128", WARNING), ("v2026.11", WARNING),
    ("deploy-2026.11.28", NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "rules"), STYLES)
def test_styles_of_tags(tag: str, rules: list[str]) -> None:
    assert said(tag) == rules


def test_there_are_sixty_styles() -> None:
    assert len({tag for tag, _ in STYLES}) == len(STYLES) >= 60


@pytest.mark.parametrize(
    ("tag", "policy", "rules"),
    [
        ("v1.3", VersionTag.ERROR, ERROR),
        ("v1.3", VersionTag.WARN, WARNING),
        ("v1.3", VersionTag.OFF, NOTHING),
        ("demo-1.3", VersionTag.ERROR, ERROR),
        ("demo-1.3", VersionTag.WARN, WARNING),
        ("demo-1.3", VersionTag.OFF, NOTHING),
        ("", VersionTag.ERROR, NOTHING),
        ("v1.3" + "0" * MAX_TAG, VersionTag.ERROR, NOTHING),
    ],
)
def test_what_a_disagreement_means_can_be_said(tag: str, policy: VersionTag, rules: list[str]) -> None:
    assert said(tag, policy) == rules


def test_a_tag_of_one_project_of_the_run_says_nothing_about_the_others() -> None:
    assert said("demo-1.0", demo="1.0", demo_cli="2.0") == NOTHING
    assert said("demo-cli-2.1", demo="1.0", demo_cli="2.0") == ERROR
    assert said("demo-cli_v2.0", demo="1.0", demo_cli="2.0") == NOTHING
    assert said("demo_cli==2.1", demo="1.0", demo_cli="2.0") == ERROR
    assert said("demo/cli/v2.1", demo="1.0", cli="2.0") == ERROR
    assert said("demo-2.1", demo="2.1", demo_2="3.0") == NOTHING
    assert said("v1.0", demo="1.0", demo_cli="2.0") == NOTHING
    assert said("v3.0", demo="1.0", demo_cli="2.0") == WARNING * 2
    assert said("v1.0", VersionTag.ERROR, demo="1.0", demo_cli="2.0") == ERROR


def test_the_message_names_tag_project_and_version() -> None:
    (fault,) = version_tag_faults({"demo": {"1.2.3"}}, Stated(tag="demo-v2"))
    assert fault.message == "This job runs for the tag demo-v2, but the files are demo 1.2.3."


@pytest.mark.parametrize(
    ("tag", "version", "agreed"),
    [
        ("1.2.3", "1.2.3.post1", True),
        ("1.2.3", "1.2.3.dev4", True),
        ("1.2.3", "1.2.3+cu118", True),
        ("1.2.3", "1.2.3rc1", False),
        ("1.2.3rc1", "1.2.3rc1", True),
        ("1.2.3rc1", "1.2.3rc1.dev2", True),
        ("1.2.3rc1", "1.2.3rc1.post1", True),
        ("1.2.3.post1", "1.2.3.post2", False),
        ("1.2.3.dev4", "1.2.3.dev5", False),
        ("1.2.3+a", "1.2.3+b", False),
        ("1.2", "1.2.3.post1", True),
        ("1", "1.2.3rc1", False),
        ("1.2rc1", "1.2.3rc1", False),
        ("1!1.2", "1.2", False),
        ("1.2.0", "1.2", True),
        ("1.2", "1.2.0", True),
        ("1.3", "1.2", False),
    ],
)
def test_when_a_tag_stands_for_a_version(tag: str, version: str, agreed: bool) -> None:
    assert tag_agrees_with_version(Version(tag), Version(version)) is agreed


# --- wheels that must be there


def expecting(*lines: str) -> Stated:
    return Stated(expected=parse_expected_wheels(lines))


def test_an_expected_wheel_is_missing() -> None:
    ours = release("1.0", "cp312-cp312-win_amd64")
    stated = expecting("cp3{12,13}-*-win_amd64")
    assert found(compared(ours, None), stated, differences=False) == [
        ("expected-wheel-missing", "demo 1.0: 1 of 2 expected wheels are missing: cp313-*-win_amd64.")
    ]
    twin = release("1.0", "cp312-cp312-win_amd64", "cp313-cp313-win_amd64")
    assert found(compared(twin, None), stated, differences=False) == []


def test_what_is_expected_of_another_project_is_not_expected_here() -> None:
    ours = compared(release("1.0", "py3-none-any"), None)
    assert found(ours, expecting("other:cp312-*")) == []
    assert [rule for rule, _ in found(ours, expecting("Demo:cp312-*"))] == ["expected-wheel-missing"]


def test_a_project_that_the_run_does_not_have_is_a_note_with_those_that_it_has() -> None:
    stated = expecting("nope:py3-*", "Demo:cp312-*", "cp313-*")
    (fault,) = stated_faults({"demo-cli": {"1.0"}, "demo": {"1.0"}}, stated)
    assert (fault.rule, fault.message) == (
        "expected-project-absent",
        "expect-wheels names nope, but this run has demo, demo-cli.",
    )
    assert stated_faults({"demo": {"1.0"}}, expecting("Demo:cp312-*", "cp313-*")) == []
    assert stated_faults({}, stated) == []


def test_many_absent_projects_are_one_line() -> None:
    stated = expecting(*(f"p{number:02}:py3-*-any" for number in range(12)))
    (fault,) = stated_faults({"demo": {"1.0"}}, stated)
    assert "p08, p09 and 2 more, but this run has demo." in fault.message


def test_what_is_stated_of_a_run_has_the_tag_first() -> None:
    stated = Stated(tag="demo-2.0", expected=parse_expected_wheels(["nope:py3-none-any"]))
    assert [each.rule for each in stated_faults({"demo": {"1.0"}}, stated)] == [*ERROR, "expected-project-absent"]


def test_many_missing_wheels_are_one_line() -> None:
    ((_, told),) = found(compared(release("1.0"), None), expecting("cp3{0,1,2,3,4,5,6,7,8,9,10,11}-*"))
    assert told.endswith("cp39-*, and 2 more.")


# --- size limits


def sized(size: int, **more: object) -> list[tuple[str, str]]:
    stated = more.pop("stated", Stated())
    assert isinstance(stated, Stated)
    ours = release("1.1", "py3-none-any", sizes={"whl": size, "tar": 0})
    return found(compared(ours, None, **more), stated, differences=False)


def test_a_stated_file_limit_is_an_error() -> None:
    limit = Stated(file_limit=200 * MIB)
    assert sized(201 * MIB, stated=limit) == [
        ("file-size-limit", "demo-1.1-py3-none-any.whl has 210.8 MB; the stated limit is 200 MiB (209.7 MB).")
    ]
    assert sized(200 * MIB, stated=limit) == []


def test_a_limit_that_is_barely_exceeded_is_told_in_bytes() -> None:
    ((_, told),) = sized(1026, stated=Stated(file_limit=100))
    assert told == "demo-1.1-py3-none-any.whl has 1.0 kB; the stated limit is 100 B."
    ((_, told),) = sized(DEFAULT_FILE_LIMIT + 1)
    assert told.endswith(" has 104,857,601 B; PyPI's default limit is 100 MiB (104,857,600 B).")


def test_the_default_file_limit_is_a_warning_unless_a_published_file_proves_a_higher_one() -> None:
    assert sized(DEFAULT_FILE_LIMIT) == []
    assert sized(DEFAULT_FILE_LIMIT + MIB) == [
        ("size-limit", "demo-1.1-py3-none-any.whl has 105.9 MB; PyPI's default limit is 100 MiB (104.9 MB).")
    ]
    assert sized(DEFAULT_FILE_LIMIT + MIB, largest=150 * MIB) == [
        ("size-limit-raised", "The project has a higher limit than 100 MiB a file: a published one has 157.3 MB.")
    ]
    assert sized(MIB, largest=150 * MIB) == []


def test_a_stated_project_limit_is_an_error_with_the_forecast() -> None:
    limit = Stated(project_limit=20 * GIB)
    used = 20 * GIB - 50 * MIB
    assert sized(90 * MIB, stated=limit, project_size=used) == [
        (
            "project-size-limit",
            "demo: 21.42 GB of 20 GiB (21.47 GB) used, this release needs 94.4 MB; this is the stated limit.",
        )
    ]
    assert sized(90 * MIB, stated=limit, project_size=0) == sized(90 * MIB, stated=limit, project_size=None) == []


def test_the_forecast_of_a_small_project_has_small_units() -> None:
    ((_, told),) = sized(1026, stated=Stated(project_limit=10 * MIB), project_size=51 * MIB)
    assert told == "demo: 53.48 MB of 10 MiB (10.49 MB) used, this release needs 1.0 kB; this is the stated limit."


def test_the_default_project_limit_is_a_warning_with_the_forecast() -> None:
    used = DEFAULT_PROJECT_LIMIT - 20 * MIB
    ((rule, told),) = sized(90 * MIB, project_size=used)
    assert (rule, told) == (
        "project-size",
        "demo: 10.72 GB of 10 GiB (10.74 GB) used, this release needs 94.4 MB, unless the project has a higher limit.",
    )
    ((rule, told),) = sized(90 * MIB, project_size=11 * GIB)
    assert (rule, told) == ("size-limit-raised", "The project has a higher limit than 10 GiB: it uses 11.8 GB.")
    assert sized(90 * MIB, project_size=11 * GIB, new_files=()) == []


def test_a_project_that_is_nearly_full_is_a_note_with_the_releases_that_fit() -> None:
    ((rule, told),) = sized(90 * MIB, project_size=9 * GIB)
    assert rule == "project-size-near"
    assert told == "demo: 9.66 GB of 10 GiB (10.74 GB) used, this release needs 94.4 MB; 10 more of this size will fit."
    assert sized(90 * MIB, project_size=7 * GIB) == []
