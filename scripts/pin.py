"""Read the commits of the actions and the digests of the images that this project names, and write them down.

    uses: owner/name@<commit> # v1.2.3      ← newest release tag, peeled to its commit (`git ls-remote`)
    FROM name:tag@sha256:<digest>           ← what the tag points to now (registry API)

Of this project itself, the newest release goes into docs/release.json, from where `make generate` writes it into the
documentation; in workflows and actions, what it publishes itself is a release's business, not this script's. `--check`
writes nothing and exits 1 when something is not what it would be. Needs network and git, nothing else.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE_STATE = ROOT / "docs" / "release.json"
SECONDS = 60

USES = re.compile(
    r"(?P<head>\buses:[ \t]*)(?P<repository>[\w.-]+/[\w.-]+)(?P<path>(?:/[\w.-]+)*)@[\w.+/-]+(?P<tail>[ \t]*(?:#.*)?)$",
    re.MULTILINE,
)
IMAGE = re.compile(
    r"(?P<head>^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*|docker://)(?P<name>[\w.-]+(?::\d+)?(?:/[\w.-]+)*):(?P<tag>[\w.-]+)"
    r"(?:@sha256:[0-9a-f]+)?(?=\s|$|['\"])",
    re.MULTILINE,
)
RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

DOCKER_HUB = "registry-1.docker.io"
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


@dataclass(frozen=True, slots=True)
class Pin:
    """A release of an action: its tag and the commit that the tag stands for."""

    tag: str
    commit: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image as the registry API addresses it."""

    registry: str
    repository: str
    tag: str


def tags(listing: str) -> dict[str, str]:
    """Understand `git ls-remote --tags`: tag → commit; an annotated tag's `^{}` line tells the commit behind it."""
    found: dict[str, str] = {}
    for line in listing.splitlines():
        commit, _tab, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        if name.endswith("^{}"):
            found[name.removesuffix("^{}")] = commit
        else:
            found.setdefault(name, commit)
    return found


def newest(found: Mapping[str, str]) -> Pin:
    """Return the highest full release (vX.Y.Z, no pre-release); raise LookupError when there is none."""
    releases = [(tuple(map(int, match.groups())), tag) for tag in found if (match := RELEASE.fullmatch(tag))]
    if not releases:
        raise LookupError("no tag of the form v1.2.3")
    _version, tag = max(releases)
    return Pin(tag, found[tag])


def image(name: str, tag: str) -> Image:
    """Resolve a short name as Docker does: `python` is `library/python` on Docker Hub."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Image(DOCKER_HUB if first == "docker.io" else first, rest, tag)
    return Image(DOCKER_HUB, name if slash else f"library/{name}", tag)


def challenge(header: str) -> str:
    """Turn a registry's `WWW-Authenticate: Bearer realm=…` into the URL that gives an anonymous token."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', header))
    query = urllib.parse.urlencode({name: fields[name] for name in ("service", "scope") if name in fields})
    return f"{https(fields['realm'])}?{query}"


def https(url: str) -> str:
    """Return *url* if it is an https URL; raise ValueError for every other scheme."""
    if not url.startswith("https://"):
        raise ValueError(f"not an https URL: {url!r}")
    return url


def own_name() -> str:
    """Return this project's `owner/name` on GitHub, from the address in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Homepage"]).removeprefix("https://github.com/")


def pinned(text: str, own: str, pin_of: Callable[[str], Pin], digest_of: Callable[[Image], str]) -> str:
    """Return *text* with every action at its newest release's commit and every tagged image at its tag's digest.

    Whatever belongs to the repository *own* stays as it is.
    """

    def action(match: re.Match[str]) -> str:
        if match["repository"] == own:
            return match[0]
        pin = pin_of(match["repository"])
        return f"{match['head']}{match['repository']}{match['path']}@{pin.commit} # {pin.tag}"

    def base(match: re.Match[str]) -> str:
        wanted = image(match["name"], match["tag"])
        return (
            match[0]
            if wanted.repository == own
            else f"{match['head']}{match['name']}:{match['tag']}@{digest_of(wanted)}"
        )

    return IMAGE.sub(base, USES.sub(action, text))


def read_pin(repository: str) -> Pin:
    """Ask the action's own repository; raise CalledProcessError or LookupError."""
    command = ["git", "ls-remote", "--tags", f"https://github.com/{repository}"]
    asking_nobody = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}  # a repository that is missing is asked about, else
    answer = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=asking_nobody,
        stdin=subprocess.DEVNULL,
    )
    return newest(tags(answer.stdout))


def read_digest(wanted: Image) -> str:
    """Ask the image's registry, anonymously; raise OSError, or LookupError when it names no digest."""
    url = https(f"https://{wanted.registry}/v2/{wanted.repository}/manifests/{wanted.tag}")
    headers = {"Accept": ", ".join(MANIFESTS)}
    try:
        return ask_digest(url, headers)
    except urllib.error.HTTPError as error:
        if error.code != 401:  # noqa: PLR2004 - HTTP's own number
            raise
        token_url = challenge(error.headers.get("WWW-Authenticate", ""))
    with urllib.request.urlopen(token_url, timeout=SECONDS) as answer:  # noqa: S310 - `challenge` lets only https pass
        token = json.load(answer)["token"]
    return ask_digest(url, {**headers, "Authorization": f"Bearer {token}"})


def ask_digest(url: str, headers: Mapping[str, str]) -> str:
    """Return the digest of the manifest at *url*, as the registry names it."""
    request = urllib.request.Request(url, method="HEAD", headers=dict(headers))  # noqa: S310 - checked by `https`
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - checked by `https`
        digest = answer.headers.get("Docker-Content-Digest", "")
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise LookupError(f"{url} names no digest")
    return str(digest)


def files() -> list[Path]:
    """Return the files of this checkout that may name an action or an image."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    suffixes = (".yml", ".yaml", "Dockerfile", ".md")
    return [ROOT / name for name in listed.splitlines() if name.endswith(suffixes) and not name.startswith("tests/")]


def release_state(own: str, pin_of: Callable[[str], Pin]) -> str:
    """Return what docs/release.json says of the repository *own*: its newest release, null before the first."""
    try:
        pin = pin_of(own)
    except (LookupError, subprocess.CalledProcessError):  # no release, or no repository yet
        return "null\n"
    return json.dumps({"tag": pin.tag, "commit": pin.commit}) + "\n"


def main() -> int:
    """Pin every file, or say what is not pinned as it would be; return 1 in that case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    changed = 0
    for path in (*files(), RELEASE_STATE):
        before = path.read_text(encoding="utf-8")
        own = own_name()
        after = release_state(own, read_pin) if path == RELEASE_STATE else pinned(before, own, read_pin, read_digest)
        if after != before:
            changed += 1
            name = str(path.relative_to(ROOT))
            sys.stdout.writelines(
                difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
            )
            if not check:
                path.write_text(after, encoding="utf-8")
    print(f"{changed} files {'would change' if check else 'changed'}.")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
