import json
import subprocess

import pytest

from scripts.pin import DOCKER_HUB, Image, Pin, challenge, https, image, newest, pinned, release_state, tags

COMMIT = "c" * 40
DIGEST = "sha256:" + "d" * 64
LISTING = "\n".join(
    f"{commit * 40}\trefs/tags/{name}"
    for commit, name in [
        ("1", "v1"),
        ("2", "v1.2.3"),
        ("a", "v1.10.0"),
        ("3", "v1.10.0^{}"),
        ("4", "v2.0.0-rc.1"),
        ("5", "v1.9.9"),
    ]
)


def pin_of(repository: str) -> Pin:
    return Pin("v9.8.7", COMMIT) if repository == "acme/tool" else Pin("v1.0.0", "e" * 40)


def digest_of(_image: Image) -> str:
    return DIGEST


def test_the_newest_release_is_the_highest_version_at_the_commit_behind_its_tag() -> None:
    assert newest(tags(LISTING)) == Pin("v1.10.0", "3" * 40)


def test_a_repository_without_releases_is_said_to_have_none() -> None:
    with pytest.raises(LookupError, match=r"v1\.2\.3"):
        newest({"v1": COMMIT, "v2.0.0-rc.1": COMMIT})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"- uses: acme/tool@{'0' * 40} # v1.0.0\n", f"- uses: acme/tool@{COMMIT} # v9.8.7\n"),
        ("- uses: acme/tool@v1\n", f"- uses: acme/tool@{COMMIT} # v9.8.7\n"),
        ("  uses: acme/tool/sub/dir@main\n", f"  uses: acme/tool/sub/dir@{COMMIT} # v9.8.7\n"),
        ("- uses: $/native\n- uses: ./x\n", "- uses: $/native\n- uses: ./x\n"),
        ("- uses: ci/own@v1\n", "- uses: ci/own@v1\n"),
        ("  image: docker://ghcr.io/ci/own:v1\n", "  image: docker://ghcr.io/ci/own:v1\n"),
        ("FROM python:3.13-slim\n", f"FROM python:3.13-slim@{DIGEST}\n"),
        (
            f"FROM --platform=linux/amd64 python:3.13-slim@sha256:{'0' * 64} AS base\nFROM base AS action\n",
            f"FROM --platform=linux/amd64 python:3.13-slim@{DIGEST} AS base\nFROM base AS action\n",
        ),
        ("  image: docker://ghcr.io/acme/x:v1\n", f"  image: docker://ghcr.io/acme/x:v1@{DIGEST}\n"),
    ],
)
def test_what_is_named_is_pinned_and_the_rest_is_left_alone(before: str, after: str) -> None:
    assert pinned(before, "ci/own", pin_of, digest_of) == after
    assert pinned(after, "ci/own", pin_of, digest_of) == after


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("python", Image(DOCKER_HUB, "library/python", "1")),
        ("acme/tool", Image(DOCKER_HUB, "acme/tool", "1")),
        ("docker.io/library/python", Image(DOCKER_HUB, "library/python", "1")),
        ("ghcr.io/acme/tool", Image("ghcr.io", "acme/tool", "1")),
        ("localhost:5000/tool", Image("localhost:5000", "tool", "1")),
    ],
)
def test_a_short_name_means_what_docker_means_by_it(name: str, expected: Image) -> None:
    assert image(name, "1") == expected


def test_a_challenge_leads_to_the_token() -> None:
    header = 'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:library/x:pull"'

    assert challenge(header) == (
        "https://auth.example/token?service=registry.example&scope=repository%3Alibrary%2Fx%3Apull"
    )


@pytest.mark.parametrize("url", ["http://registry.example/", "file:///etc/passwd"])
def test_only_https_is_asked(url: str) -> None:
    with pytest.raises(ValueError, match="not an https URL"):
        https(url)


def test_the_newest_release_of_our_own_is_noted_null_before_the_first() -> None:
    def none(_: str) -> Pin:
        raise LookupError

    def no_repository(_: str) -> Pin:
        raise subprocess.CalledProcessError(128, "git")

    assert release_state("o/n", none) == release_state("o/n", no_repository) == "null\n"
    assert json.loads(release_state("o/n", lambda _: Pin("v1.2.3", "0f" * 20))) == {
        "tag": "v1.2.3",
        "commit": "0f" * 20,
    }
