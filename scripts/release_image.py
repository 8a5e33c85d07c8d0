"""Write the digests of the images that a release pushed into the files that name them.

    python scripts/release_image.py ghcr.io/owner/name@sha256:… ghcr.io/owner/name@sha256:…
                                    (the action's)              (GitLab's)

action.yml then starts by a pull instead of a build, and the GitLab components have a default image. Every digest is the
answer of the registry to the push; this script invents none, and refuses what is not one. It writes all files or none,
and says why: in a checkout where it ran before there is nothing left to replace.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = re.compile(r"[a-z0-9.-]+(?:/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}")
BUILT = "\n  image: Dockerfile\n"
NO_DEFAULT = re.compile(r"(\n    image:\n(?:      .*\n)+?      type: string\n)(?!      default:)")


AGAIN = "Was this checkout released before? Start from a fresh one: git checkout action.yml templates"


class CannotRelease(Exception):
    """The files are not to be written; the text says why."""


def checked(reference: str) -> str:
    """Return *reference* if it names an image by digest; raise CannotRelease."""
    if not REFERENCE.fullmatch(reference):
        raise CannotRelease(f"not an image by digest: {reference!r}")
    return reference


def released_action(text: str, reference: str) -> str:
    """Return action.yml with the pushed image instead of the Dockerfile; raise CannotRelease when it names another."""
    if text.count(BUILT) != 1:
        raise CannotRelease(f"action.yml does not build its image from the Dockerfile. {AGAIN}")
    return text.replace(BUILT, f"\n  image: docker://{checked(reference)}\n")


def released_component(text: str, reference: str) -> str:
    """Return the component with a default for its input `image`; raise CannotRelease when it has one."""
    released, count = NO_DEFAULT.subn(rf"\g<1>      default: {checked(reference)}\n", text)
    if count != 1:
        raise CannotRelease(f"the input `image` of a GitLab component has a default already. {AGAIN}")
    return released


def main(arguments: Sequence[str]) -> int:
    """Write all files, or say why not and return 1."""
    if len(arguments) != 2:  # noqa: PLR2004  (the action's image and GitLab's)
        print("usage: release_image.py ACTION-IMAGE@DIGEST GITLAB-IMAGE@DIGEST", file=sys.stderr)
        return 2
    action, components = ROOT / "action.yml", sorted((ROOT / "templates").glob("*.yml"))
    try:
        released = {
            action: released_action(action.read_text(encoding="utf-8"), arguments[0]),
            **{each: released_component(each.read_text(encoding="utf-8"), arguments[1]) for each in components},
        }
    except CannotRelease as error:
        print(f"Nothing was written: {error}", file=sys.stderr)
        return 1
    for path, text in released.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
