from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_publish.model.publisher_identity import GRAMMAR, PublisherIdentity, PublisherKind, parse_identity

GITHUB, GITLAB, GOOGLE = PublisherKind.GITHUB, PublisherKind.GITLAB, PublisherKind.GOOGLE


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("github:octo-org/demo", PublisherIdentity(kind=GITHUB, name="octo-org/demo")),
        (
            "github:octo-org/demo:release.yml",
            PublisherIdentity(kind=GITHUB, name="octo-org/demo", workflow="release.yml"),
        ),
        (
            "github:octo-org/demo#pypi",
            PublisherIdentity(kind=GITHUB, name="octo-org/demo", workflow=None, environment="pypi"),
        ),
        (
            "github:octo-org/demo.py:a b.yaml#py:pi#2 ö",
            PublisherIdentity(kind=GITHUB, name="octo-org/demo.py", workflow="a b.yaml", environment="py:pi#2 ö"),
        ),
        ("gitlab:group/sub/demo", PublisherIdentity(kind=GITLAB, name="group/sub/demo")),
        (
            "gitlab:group/demo:.gitlab-ci.yml",
            PublisherIdentity(kind=GITLAB, name="group/demo", workflow=".gitlab-ci.yml"),
        ),
        (
            "gitlab:g/d:ci/publish.yml#prod/eu",
            PublisherIdentity(kind=GITLAB, name="g/d", workflow="ci/publish.yml", environment="prod/eu"),
        ),
        (
            "google:publisher@demo.iam.gserviceaccount.com",
            PublisherIdentity(kind=GOOGLE, name="publisher@demo.iam.gserviceaccount.com"),
        ),
    ],
)
def test_an_identity_is_read_and_written_alike(text: str, identity: PublisherIdentity) -> None:
    assert parse_identity(f" {text} ") == identity
    assert str(identity) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", GRAMMAR),
        ("octo-org/demo", GRAMMAR),
        ("GitHub:octo-org/demo", GRAMMAR),
        ("circleci:octo-org/demo", GRAMMAR),
        ("https://github.com/octo-org/demo", GRAMMAR),
        ("github:demo", "not a GitHub repository"),
        ("github:a/b/c", "not a GitHub repository"),
        ("github:octo org/demo", "not a GitHub repository"),
        ("github:\u212aube/demo", "not a GitHub repository"),
        ("github:octo-org/demo:", "not the name of a workflow file"),
        ("github:octo-org/demo:.github/workflows/release.yml", "without folders"),
        ("github:octo-org/demo:release", "not the name of a workflow file"),
        ("github:octo-org/demo:.yml", "not the name of a workflow file"),
        ("github:octo-org/demo:a\n.yml", "not the name of a workflow file"),
        ("github:octo-org/demo#", "the environment"),
        ("github:octo-org/demo# ", "the environment"),
        ("github:octo-org/demo#a\nb", "the environment"),
        (f"github:octo-org/demo#{'e' * 256}", "the environment"),
        ("gitlab:demo", "full path of a GitLab project"),
        ("gitlab:group//demo", "full path of a GitLab project"),
        ("gitlab:group/demo:", "pipeline configuration"),
        ("gitlab:group/demo:/ci.yml", "pipeline configuration"),
        ("gitlab:group/demo:ci.yml@other/project", "pipeline configuration"),
        ("gitlab:group/demo:https://x.example/ci.yml", "pipeline configuration"),
        ("gitlab:group/demo#", "the environment"),
        ("google:", "not an email address"),
        ("google:octo", "not an email address"),
        ("google:a@b.example#pypi", "not an email address"),
    ],
)
def test_what_is_no_identity_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_identity(text)


@given(st.text())
def test_every_text_is_an_identity_or_refused(text: str) -> None:
    for kind in ("", "github:", "gitlab:", "google:", "github:a/b:", "gitlab:a/b:", "github:a/b#"):
        try:
            identity = parse_identity(kind + text)
        except ValueError:
            continue
        assert parse_identity(str(identity)) == identity
        assert identity.accepts(identity)


FULL = "github:octo-org/demo:release.yml#pypi"


@pytest.mark.parametrize("expected", ["github:octo-org/demo", "github:octo-org/demo:release.yml", FULL, FULL.upper()])
def test_what_is_omitted_may_be_anything(expected: str) -> None:
    wanted = parse_identity(expected.replace("GITHUB", "github").replace("RELEASE.YML", "release.yml"))
    assert wanted.accepts(parse_identity(FULL))


@pytest.mark.parametrize(
    "expected",
    [
        "gitlab:octo-org/demo",
        "github:octo-org/other",
        "github:octo-org/demo:Release.yml",
        "github:octo-org/demo:other.yml",
        "github:octo-org/demo#other",
    ],
)
def test_a_part_that_is_named_must_be_the_same(expected: str) -> None:
    assert not parse_identity(expected).accepts(parse_identity(FULL))


@pytest.mark.parametrize("expected", ["github:a/b:release.yml", "github:a/b#pypi", "gitlab:a/b:ci.yml", "gitlab:a/b#x"])
def test_a_part_that_is_not_known_is_not_the_one_that_is_named(expected: str) -> None:
    wanted = parse_identity(expected)
    assert not wanted.accepts(PublisherIdentity(kind=wanted.kind, name=wanted.name))
    assert not wanted.accepts(None)


def test_the_case_of_letters_counts_where_it_does_for_the_provider() -> None:
    assert parse_identity("gitlab:Group/Demo").accepts(parse_identity("gitlab:group/demo"))
    assert not parse_identity("gitlab:group/demo#Prod").accepts(parse_identity("gitlab:group/demo#prod"))
    assert parse_identity("github:group/demo#Prod").accepts(parse_identity("github:group/demo#prod"))
    assert not parse_identity("google:A@b.example").accepts(parse_identity("google:a@b.example"))
    kelvin = PublisherIdentity(kind=GITHUB, name="\u212aube/demo")
    assert not parse_identity("github:kube/demo").accepts(kelvin)
