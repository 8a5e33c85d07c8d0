"""Write the digests of the images that a release pushed into the files that name them.

    python scripts/release_image.py ghcr.io/owner/name@sha256:… ghcr.io/owner/name@sha256:…
                                    (the action's)              (GitLab's)

action.yml then starts by a pull instead of a build, and the GitLab component has a default image. Every digest is the
answer of the registry to the push; this script invents none, and refuses what is not one.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = re.compile(r"[a-z0-9.-]+(?:/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}")
BUILT = "\n  image: Dockerfile\n"
NO_DEFAULT = re.compile(r"(\n    image:\n(?:      .*\n)+?      type: string\n)(?!      default:)")


def checked(reference: str) -> str:
    """Return *reference* if it names an image by digest; raise ValueError."""
    if not REFERENCE.fullmatch(reference):
        raise ValueError(f"not an image by digest: {reference!r}")
    return reference


def released_action(text: str, reference: str) -> str:
    """Return action.yml with the pushed image instead of the Dockerfile; raise ValueError when it names another."""
    if text.count(BUILT) != 1:
        raise ValueError("action.yml does not build its image from the Dockerfile")
    return text.replace(BUILT, f"\n  image: docker://{checked(reference)}\n")


def released_component(text: str, reference: str) -> str:
    """Return the component with a default for its input `image`; raise ValueError when it has one."""
    released, count = NO_DEFAULT.subn(rf"\g<1>      default: {checked(reference)}\n", text)
    if count != 1:
        raise ValueError("the component's input image is not as it was")
    return released


def main(arguments: Sequence[str]) -> None:
    """Write both files."""
    action, component = arguments
    for name, write, reference in (
        ("action.yml", released_action, action),
        ("templates/publish.yml", released_component, component),
    ):
        path = ROOT / name
        path.write_text(write(path.read_text(encoding="utf-8"), reference), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
