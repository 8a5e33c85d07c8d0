"""Which upstream answers for other projects: what is named, else pip's index, else PyPI; its password stays here."""

import os
from pathlib import Path

import pytest

from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.upstreams import PYPI, UpstreamAddress, open_named_upstream, read_pip_settings, upstream_address
from ci_publish.errors import ConfigurationError
from ci_publish.http.transport import HttpTransport
from ci_publish.model.identity import Secret
from ci_publish.rehearsal.upstream import DistributionFolder, ForwardedIndex, RedirectedIndex, ServedUpstream
from tests.unit.index.scripted_index import Waits


def test_what_is_named_counts_and_pip_is_not_asked() -> None:
    def never() -> dict[str, str]:
        raise AssertionError

    assert upstream_address("https://a.example/", never) == UpstreamAddress("https://a.example/", "")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, PYPI),
        ({"index-url": ""}, PYPI),
        ({"index-url": "https://mirror.example/simple"}, "https://mirror.example/simple"),
    ],
)
def test_otherwise_it_is_the_index_of_pip_else_pypi(settings: dict[str, str], text: str) -> None:
    assert upstream_address(None, lambda: settings).text == text


def test_other_indexes_of_pip_are_named_as_unused() -> None:
    found = upstream_address(None, lambda: {"extra-index-url": "https://b.example/", "find-links": "/wheels"})

    assert [note.message.split(" ")[2] for note in found.notes] == ["extra-index-url", "find-links"]


def test_pip_is_asked_for_its_settings_and_variables_count_more_than_files(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://file.example/simple\nproxy = http://file.example:3128\n"
        "[install]\nproxy = http://install.example:3128\n[wheel]\nindex-url = https://no.example/\n"
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": str(config)}

    found = read_pip_settings({**environ, "PIP_INDEX_URL": "https://variable.example/simple"})

    assert found["index-url"] == "https://variable.example/simple"
    assert found["proxy"] == "http://install.example:3128"


def open_upstream(
    text: str, *allowed: str, everything: bool = False
) -> tuple[RedirectedIndex | ServedUpstream, list[str]]:
    masked = list[Secret]()
    upstream = open_named_upstream(
        UpstreamAddress(text, ""),
        lambda: HttpTransport(waiting=Waits(), emit=lambda _: None, environ={}),
        masked.append,
        allow_http=frozenset(allowed),
        everything=everything,
    )
    return upstream, [secret.reveal() for secret in masked]


def test_a_folder_is_a_path_or_a_file_url(tmp_path: Path) -> None:
    for text in (str(tmp_path), tmp_path.as_uri()):
        assert isinstance(open_upstream(text)[0], DistributionFolder)


@pytest.mark.parametrize("url", ["https://pypi.org/simple/", "http://127.0.0.1:3141/root/pypi/+simple/"])
def test_an_index_without_credential_is_redirected_to(url: str) -> None:
    assert open_upstream(url) == (RedirectedIndex(url), [])


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://user:p%40ss-word@a.example/simple/", ["p@ss-word", "p%40ss-word"]),
        ("https://token-alone@a.example/simple/", ["token-alone", "token-alone"]),
        ("https://a.example/simple/?key=1", []),
    ],
)
def test_a_password_is_masked_and_kept_here(url: str, masked: list[str]) -> None:
    upstream, seen = open_upstream(url)

    assert isinstance(upstream, ForwardedIndex)
    assert seen == masked


def test_where_nothing_else_can_be_reached_everything_is_passed_on() -> None:
    assert isinstance(open_upstream("https://pypi.org/simple/", everything=True)[0], ForwardedIndex)


def test_plain_http_must_be_allowed_and_is_then_passed_on() -> None:
    with pytest.raises(ConfigurationError, match="plain http") as refused:
        open_upstream("http://user:pass-word@mirror.example/simple/")
    assert "pass-word" not in str(refused.value) + refused.value.detail + "".join(refused.value.hints)
    assert isinstance(open_upstream("http://mirror.example/simple/", "mirror.example")[0], ForwardedIndex)


@pytest.mark.parametrize(
    "text", ["no/such/folder", "ftp://a.example/simple/", "file:///no/such/folder", "https:///simple/"]
)
def test_what_is_no_place_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="upstream") as refused:
        open_upstream(text)
    on_the_command_line = FrontEndWording(FrontEnd.COMMAND_LINE, "rehearse").reword_hints(refused.value.hints)
    assert "--upstream URL" in on_the_command_line[0] or "--allow-http" in on_the_command_line[0]
