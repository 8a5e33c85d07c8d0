import pytest

from ci_publish.cli.raw_options import raw_option_value

ACTION = {"CI_PUBLISH_ACTION": "1"}


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
def test_an_option_is_found_where_it_was_given(argv: list[str], environ: dict[str, str], found: str | None) -> None:
    assert raw_option_value("index-url", argv, environ) == found
