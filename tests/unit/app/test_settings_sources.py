"""Settings from every source: precedence, spellings, truth rules, near misses, and secrets that stay secret."""

from pathlib import Path
from typing import Any

import pytest

from ci_publish.about import OPTIONS_URL
from ci_publish.app.options import Origin, Source
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import (
    MARK_HINTS,
    component_input_variable,
    load_settings,
    option_variable,
)
from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.identity import Secret
from tests.unit.app.sourced_settings import loaded

ACTION = {"CI_PUBLISH_ACTION": "1"}


def test_a_flag_beats_a_variable_beats_an_input_beats_a_file(pyproject: Path) -> None:
    environ = {"CI_PUBLISH_JOBS": "5", "INPUT_JOBS": "4", **ACTION}
    assert loaded(pyproject, environ, "jobs = 3", jobs="6").settings.jobs == 6
    assert loaded(pyproject, environ).settings.jobs == 5
    del environ["CI_PUBLISH_JOBS"]
    found = loaded(pyproject, environ)
    assert found.settings.jobs == 4
    assert found.origin("jobs") == Origin("action input", "jobs")
    assert loaded(pyproject).settings.jobs == 3
    assert loaded(pyproject).origin("jobs") == Origin("pyproject.toml", "[tool.ci-publish] jobs")
    assert loaded(pyproject).origin("strict").source == "default"


def test_inputs_are_read_only_when_our_action_says_so(pyproject: Path) -> None:
    assert loaded(pyproject, {"INPUT_JOBS": "4"}).settings.jobs == 8


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("INPUT_PACKAGES-DIR", "out/", "paths", ("out/",)),
        ("INPUT_PACKAGES_DIR", "a\nb\n", "paths", ("a", "b")),
        ("INPUT_REPOSITORY-URL", "testpypi", "repository_url", ("testpypi",)),
        ("INPUT_REPOSITORY_URL", "testpypi", "repository_url", ("testpypi",)),
        ("INPUT_USER", "me", "user", "me"),
        ("INPUT_SKIP-EXISTING", "true", "skip_existing", True),
        ("INPUT_SKIP_EXISTING", "anything", "skip_existing", True),
        ("INPUT_SKIP-EXISTING", "False", "skip_existing", False),
        ("INPUT_SKIP-EXISTING", "", "skip_existing", False),
        ("INPUT_VERIFY_METADATA", "false", "verify_metadata", False),
        ("INPUT_PRINT_HASH", "1", "print_hash", True),
        ("INPUT_VERBOSE", "true", "verbose", True),
        ("INPUT_ATTESTATIONS", "true", "attestations", AttestationPolicy.AUTO),
        ("INPUT_ATTESTATIONS", "yes please", "attestations", AttestationPolicy.AUTO),
        ("INPUT_ATTESTATIONS", "FALSE", "attestations", AttestationPolicy.OFF),
        ("INPUT_ATTESTATIONS", "if-possible", "attestations", AttestationPolicy.IF_POSSIBLE),
        ("INPUT_ATTESTATIONS", "Required", "attestations", AttestationPolicy.REQUIRED),
        ("INPUT_ATTESTATIONS", "off", "attestations", AttestationPolicy.OFF),
        ("INPUT_ATTESTATIONS", "auto", "attestations", AttestationPolicy.AUTO),
    ],
)
def test_every_input_of_gh_action_pypi_publish_means_the_same(
    pyproject: Path, name: str, value: str, field: str, expected: object
) -> None:
    assert getattr(loaded(pyproject, {name: value, **ACTION}).settings, field) == expected


def test_an_input_of_the_component_is_below_flags_and_above_variables(pyproject: Path) -> None:
    environ = {"CI_PUBLISH_INPUT_JOBS": "6", "CI_PUBLISH_JOBS": "5"}
    assert loaded(pyproject, environ, "jobs = 3", jobs="7").settings.jobs == 7
    found = loaded(pyproject, environ)
    assert (found.settings.jobs, found.origin("jobs")) == (6, Origin("component input", "jobs"))


@pytest.mark.parametrize(
    ("name", "value", "ours", "expected"),
    [
        ("repository_url", "", "testpypi", ("testpypi",)),
        ("user", "", "me", "me"),
        ("jobs", "", "5", 5),
        ("jobs", "-1", "5", 5),
        ("timeout", "-1", "5", 5.0),
        ("verify_timeout", "-1", "", 300.0),
        ("strict", "false", "true", True),
        ("rehearse", "false", "true", True),
        ("verify", "true", "false", False),
    ],
)
def test_an_input_of_the_component_that_is_not_given_leaves_the_variable_alone(
    pyproject: Path, name: str, value: str, ours: str, expected: object
) -> None:
    found = loaded(pyproject, {component_input_variable(name): value, option_variable(name): ours})
    assert getattr(found.settings, name) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("paths", "out", ("out",)),
        ("jobs", "8", 8),
        ("verify_timeout", "0", 0.0),
        ("strict", "true", True),
        ("verify", "false", False),
        ("attestations", "false", AttestationPolicy.OFF),
    ],
)
def test_an_input_of_the_component_that_is_given_counts(
    pyproject: Path, name: str, value: str, expected: object
) -> None:
    others = {"CI_PUBLISH_JOBS": "5", "CI_PUBLISH_VERIFY_TIMEOUT": "5", "CI_PUBLISH_ATTESTATIONS": "required"}
    found = loaded(pyproject, {component_input_variable(name): value, **others})
    assert getattr(found.settings, name) == expected


def test_a_wrong_input_of_the_component_has_the_input_s_name(pyproject: Path) -> None:
    with pytest.raises(ConfigurationError, match="Invalid setting: verify-timeout "):
        loaded(pyproject, {"CI_PUBLISH_INPUT_VERIFY_TIMEOUT": "-2"})


@pytest.mark.parametrize("name", ["CI_PUBLISH_INPUT_PASSWORD", "CI_PUBLISH_INPUT_NEW_OPTION", "CI_PUBLISH_INPUT_PATHS"])
def test_an_unknown_input_of_the_component_is_refused_unless_it_is_empty(pyproject: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        loaded(pyproject, {name: "canary"})
    assert "canary" not in str(caught.value)
    assert loaded(pyproject, {name: ""}).settings == Settings()


def test_inputs_without_our_mark_are_named_in_a_warning(pyproject: Path) -> None:
    found = loaded(pyproject, {"INPUT_JOBS": "4", "INPUT_PACKAGES-DIR": "x", "INPUT_USER": "", "INPUT_ENTRYPOINT": "y"})
    (note,) = found.notes
    assert (note.slug, note.warning, note.hints) == ("inputs-ignored", True, MARK_HINTS)
    assert note.message == "Ignored because CI_PUBLISH_ACTION is not set: INPUT_PACKAGES-DIR, INPUT_JOBS."
    assert loaded(pyproject, {"INPUT_JOBS": "4", **ACTION}).notes == ()


def test_an_empty_variable_is_unset_but_an_empty_secret_is_not(pyproject: Path) -> None:
    found = loaded(pyproject, {"CI_PUBLISH_JOBS": "", "CI_PUBLISH_PASSWORD": ""})
    assert found.settings.jobs == 8
    assert found.settings.password == Secret("")
    assert loaded(pyproject, {"INPUT_PASSWORD": "", **ACTION}).settings.password is None


def test_the_variables_of_twine_and_uv_count_where_nothing_of_ours_names_a_destination(pyproject: Path) -> None:
    twine = {"TWINE_REPOSITORY_URL": "https://t.example/", "TWINE_USERNAME": "t", "TWINE_PASSWORD": "pw"}
    found = loaded(pyproject, twine)
    assert found.settings.repository_url == ("https://t.example/",)
    assert found.settings.user == "t"
    assert found.settings.password == Secret("pw")
    assert found.origin("password") == Origin("other tool", "TWINE_PASSWORD")
    assert [note.slug for note in found.notes] == ["foreign-variables"]
    assert "TWINE_PASSWORD" in found.notes[0].message
    for ours in ({"CI_PUBLISH_REPOSITORY_URL": "testpypi"}, {"CI_PUBLISH_PASSWORD": "x"}):
        mixed = loaded(pyproject, {**twine, **ours})
        assert mixed.objection is not None
        assert "TWINE_REPOSITORY_URL" in mixed.objection.summary
        assert mixed.settings.password != Secret("pw"), "a password for one index is never shown to another"
    uv = loaded(pyproject, {"UV_PUBLISH_TOKEN": "pypi-x", "UV_PUBLISH_URL": "https://u.example/"})
    assert uv.settings.password == Secret("pypi-x")
    assert uv.settings.repository_url == ("https://u.example/",)


@pytest.mark.parametrize("key", ["CI_PUBLISH_PASWORD", "CI_PUBLISH_REPOSITORY_URI", "CI_PUBLISH_SKIPEXISTING"])
def test_a_variable_that_is_nearly_ours_is_named(pyproject: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match=key) as caught:
        loaded(pyproject, {key: "x"})
    assert caught.value.summary == f"Unknown environment variable: {key}"
    assert "Did you mean CI_PUBLISH_" in caught.value.hints[0]


def test_other_variables_are_warned_of(pyproject: Path) -> None:
    found = loaded(pyproject, {"CI_PUBLISH_TEAM_CHANNEL": "x", "CI_PUBLISH_REHEARSAL_ID_TOKEN": "e"})
    assert [(note.slug, note.warning) for note in found.notes] == [("unknown-variable", True)]
    assert "CI_PUBLISH_TEAM_CHANNEL" in found.notes[0].message


@pytest.mark.parametrize(
    "word",
    [
        "API_TOKEN",
        "TWINE_PASSWORD",
        "SECRET",
        "UPLOAD_URL",
        "INDEX",
        "REPOSITORY",
        "DESTINATION",
        "TARGET",
        "DRY",
        "REHEARSE",
        "TESTPYPI",
    ],
)
def test_an_unknown_variable_that_looks_like_an_intent_is_refused(pyproject: Path, word: str) -> None:
    name = f"CI_PUBLISH_OF_ANOTHER_PROGRAM_{word}"
    with pytest.raises(ConfigurationError) as caught:
        loaded(pyproject, {name: "x"})
    assert caught.value.summary == f"Unknown environment variable: {name}"
    assert caught.value.detail == "It looks like a setting, but would be ignored."
    assert caught.value.hints == (f"Unset {name}, or use one of the variables that exist: {OPTIONS_URL}",)


def test_token_is_a_second_name_of_the_password(pyproject: Path) -> None:
    found = loaded(pyproject, {"CI_PUBLISH_TOKEN": "pypi-x"})
    assert found.settings.password == Secret("pypi-x")
    assert found.origin("password") == Origin("environment", "CI_PUBLISH_TOKEN")
    both = {"CI_PUBLISH_TOKEN": "pypi-x", "CI_PUBLISH_PASSWORD": "pypi-x "}
    assert loaded(pyproject, both).settings.password == Secret("pypi-x")
    assert loaded(pyproject, {"CI_PUBLISH_TOKEN": "x", "CI_PUBLISH_PASSWORD": ""}).settings.password == Secret("x")
    assert loaded(pyproject, {"CI_PUBLISH_TOKEN": ""}).settings.password == Secret("")
    with pytest.raises(ConfigurationError, match="CI_PUBLISH_TOKEN and CI_PUBLISH_PASSWORD") as caught:
        loaded(pyproject, {"CI_PUBLISH_TOKEN": "x", "CI_PUBLISH_PASSWORD": "y"})
    assert caught.value.hints == ("Unset one of them.",)


def test_the_folder_of_the_distributions_is_no_flag(pyproject: Path) -> None:
    assert loaded(pyproject, paths="out").origin("paths") == Origin("flag", "PATH")
    assert loaded(pyproject, skip_existing="true").origin("skip_existing") == Origin("flag", "--skip-existing")


def test_the_table_with_an_underscore_is_refused(pyproject: Path) -> None:
    pyproject.write_text('[tool.ci_publish]\nrepository-url = "testpypi"')
    with pytest.raises(ConfigurationError) as caught:
        load_settings({}, {}, pyproject)
    assert "[tool.ci-publish]" in caught.value.hints[0]


def test_a_key_that_is_nearly_ours_is_named(pyproject: Path) -> None:
    with pytest.raises(ConfigurationError, match="repositry-url") as caught:
        loaded(pyproject, toml='repositry-url = "testpypi"')
    assert "Did you mean repository-url?" in caught.value.hints


@pytest.mark.parametrize("key", ["password", "token"])
def test_a_secret_in_a_file_is_refused(pyproject: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match="does not belong in a file") as caught:
        loaded(pyproject, toml=f'{key} = "pypi-canary"')
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("text", ["[tool.ci-publish", "[tool]\nci-publish = 3\n", "tool = 3\n", "\xff"])
def test_a_broken_file_is_a_mistake_with_a_name(pyproject: Path, text: str) -> None:
    pyproject.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError):
        load_settings({}, {}, pyproject)


def test_lists_in_the_file_and_lines_in_variables(pyproject: Path) -> None:
    found = loaded(pyproject, {"CI_PUBLISH_PATHS": "a\nb"}, 'repository-url = ["testpypi", "pypi"]\nallow_http = ["h"]')
    assert found.settings.paths == ("a", "b")
    assert found.settings.repository_url == ("testpypi", "pypi")
    assert found.settings.allow_http == ("h",)
    assert loaded(pyproject, {"CI_PUBLISH_ALLOW_HTTP": "a, b c"}).settings.allow_http == ("a", "b", "c")


def test_every_wrong_value_is_named_as_the_user_wrote_it(pyproject: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(pyproject, {"CI_PUBLISH_VERIFY": "perhaps"}, "strict = 7", jobs="0")
    text = f"{caught.value.summary}\n{caught.value.detail}"
    assert "3 invalid settings" in text
    for name in ("--jobs", "CI_PUBLISH_VERIFY", "[tool.ci-publish] strict"):
        assert name in text


def test_no_message_shows_a_secret(pyproject: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(pyproject, {"CI_PUBLISH_PASSWORD": "canary\nsecond line"})
    assert "CI_PUBLISH_PASSWORD" in caught.value.summary
    assert "canary" not in repr(caught.value.__cause__) + str(caught.value.__cause__) + caught.value.summary


def test_one_index_url_does_not_fit_two_indexes(pyproject: Path) -> None:
    with pytest.raises(ConfigurationError, match="--index-url"):
        loaded(pyproject, index_url="https://i.example/simple/", repository_url=("testpypi", "pypi"))
    with pytest.raises(ConfigurationError, match="repository"):
        loaded(pyproject, repository_url=())


@pytest.mark.parametrize("name", ["TWINE_REPOSITORY_URL", "UV_PUBLISH_URL", "CI_PUBLISH_REPOSITORY_URL"])
def test_a_wrong_address_is_named_with_its_variable(pyproject: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an http or https address") as caught:
        loaded(pyproject, {name: "ftp://corp.example/"})
    assert caught.value.detail == f"It comes from {name}."
    with pytest.raises(ConfigurationError) as caught:
        loaded(pyproject, repository_url="ftp://corp.example/")
    assert not caught.value.detail


@pytest.mark.parametrize("name", ["TWINE_REPOSITORY", "TWINE_REPOSITORY_URL", "UV_PUBLISH_URL", "UV_PUBLISH_INDEX"])
@pytest.mark.parametrize("ours", [{}, {"CI_PUBLISH_REPOSITORY_URL": "testpypi"}, ACTION])
def test_a_blank_destination_of_another_tool_says_nothing(pyproject: Path, name: str, ours: dict[str, str]) -> None:
    found = loaded(pyproject, {name: "  ", **ours})
    assert found.objection is None
    assert found.settings.repository_url == (ours.get("CI_PUBLISH_REPOSITORY_URL", "pypi"),)


def test_an_empty_destination_is_warned_of_where_it_means_pypi(pyproject: Path) -> None:
    empty = {"CI_PUBLISH_REPOSITORY_URL": ""}
    (note,) = loaded(pyproject, empty).notes
    assert (note.slug, note.warning) == ("empty-destination", True)
    assert (
        note.message == "CI_PUBLISH_REPOSITORY_URL is set but empty, which counts as not set: the destination is PyPI."
    )
    assert note.hints == ("If PyPI is meant, say so: repository-url: pypi",)
    assert loaded(pyproject, empty, repository_url="pypi").notes == ()
    assert loaded(pyproject, {"INPUT_REPOSITORY-URL": "", **ACTION}).notes == ()


def test_a_destination_in_a_parent_folder_is_warned_of(pyproject: Path) -> None:
    pyproject.write_text('[tool.ci-publish]\nrepository-url = "testpypi"\n')
    (pyproject.parent / ".git").mkdir()
    below = pyproject.parent / "packages" / "a" / "pyproject.toml"
    (note,) = loaded(below).notes
    assert (note.slug, note.warning) == ("destination-in-parent-folder", True)
    assert str(pyproject) in note.message
    assert note.hints == ("Run in that folder, or specify the destination: repository-url: URL",)
    assert loaded(below, repository_url="pypi").notes == ()
    assert loaded(pyproject).settings.repository_url == ("testpypi",)


@pytest.mark.parametrize(
    ("environ", "given", "name"),
    [
        ({}, {}, "The password"),
        ({}, {"password": Secret("x")}, "The password on standard input"),
        ({"CI_PUBLISH_PASSWORD": "x"}, {}, "CI_PUBLISH_PASSWORD"),
        ({"INPUT_PASSWORD": "x", **ACTION}, {}, "The input password"),
    ],
)
def test_the_password_is_called_what_the_user_calls_it(
    pyproject: Path, environ: dict[str, str], given: dict[str, Any], name: str
) -> None:
    assert loaded(pyproject, environ, **given).password_name() == name


def test_arguments_are_spelled_as_they_were_given(pyproject: Path) -> None:
    given = {"jobs": 3, "paths": ("dist",)}
    flags = load_settings(given, {}, pyproject)
    assert [flags.origin(name).spelled for name in given] == ["--jobs", "PATH"]
    python = load_settings(given, {}, pyproject, source=Source.PYTHON)
    assert [python.origin(name).spelled for name in given] == ["Settings(jobs=…)", "Settings(paths=…)"]
