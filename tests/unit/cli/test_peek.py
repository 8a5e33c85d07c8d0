import pytest

from ci_publish.cli.peek import connect_early, said

ACTION = {"CI_PUBLISH_ACTION": "1"}
SERVER = "https://127.0.0.1:9"


@pytest.mark.parametrize(
    ("argv", "environ", "found"),
    [
        (["publish", "--index-url", "a"], {}, "a"),
        (["--index-url=a", "publish", "--nonsense"], {"CI_PUBLISH_INDEX_URL": "b"}, "a"),
        (["publish", "--index-url"], {"CI_PUBLISH_INDEX_URL": "b"}, "b"),
        ([], {**ACTION, "INPUT_INDEX-URL": "c"}, "c"),
        ([], {**ACTION, "INPUT_INDEX_URL": "d", "CI_PUBLISH_INDEX_URL": ""}, "d"),
        ([], {"INPUT_INDEX-URL": "c"}, None),
        ([], {**ACTION, "INPUT_INDEX-URL": ""}, None),
        (["publish", "--index-urls", "a"], {}, None),
        ([], {"CI_PUBLISH_INPUT_INDEX_URL": "e", "CI_PUBLISH_INDEX_URL": "b"}, "e"),
        ([], {"CI_PUBLISH_INPUT_INDEX_URL": "", "CI_PUBLISH_INDEX_URL": "b"}, "b"),
    ],
)
def test_an_option_is_seen_where_it_was_said(argv: list[str], environ: dict[str, str], found: str | None) -> None:
    assert said("index-url", argv, environ) == found


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["publish", "--repository-url", f"{SERVER}/legacy/"], {}),
        (["plan", "--index-url", f"{SERVER}/simple/"], {}),
        (["verify"], {"CI_PUBLISH_REPOSITORY_URL": f"{SERVER}/legacy/"}),
        (["publish"], {**ACTION, "INPUT_REPOSITORY-URL": f"{SERVER}/legacy/\npypi", "INPUT_REHEARSE": "false"}),
        (["publish", "--repository-url", f"{SERVER}/legacy/", "--nonsense"], {}),
    ],
)  # fmt: skip
def test_a_connection_is_begun_where_the_address_is_plain_to_see(argv: list[str], environ: dict[str, str]) -> None:
    connection = connect_early(argv, environ)
    assert connection is not None
    assert connection.leads_to(f"{SERVER}/simple/demo/")
    connection.close()


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        ([], {}),
        (["--help"], {}),
        (["publish"], {}),
        (["publish", "dist"], ACTION),
        (["check", "--repository-url", f"{SERVER}/legacy/"], {}),
        (["rehearse", "--repository-url", f"{SERVER}/legacy/"], {}),
        (["publish", "--repository-url", f"{SERVER}/legacy/"], {**ACTION, "INPUT_REHEARSE": "true"}),
        (
            ["publish", "--repository-url", f"{SERVER}/legacy/"],
            {"CI_PUBLISH_INPUT_REHEARSE": "false", "CI_PUBLISH_REHEARSE": "true"},
        ),
        (["publish", "--repository-url", f"{SERVER}/legacy/"], {"CI_PUBLISH_REHEARSE": "1"}),
        (["publish", "--repository-url", "https://pypi.org/legacy/"], {}),
        (["publish", "--repository-url", "\n"], {}),
        (["publish", "--repository-url", "nonsense"], {}),
    ],
)
def test_nothing_is_guessed(argv: list[str], environ: dict[str, str]) -> None:
    assert connect_early(argv, environ) is None
