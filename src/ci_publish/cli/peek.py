"""What can be seen of options without reading them properly.

Reading takes a fifth of a second, since pydantic is imported for it, and fails where anything is wrong. For two things
less will do: reporting that very failure, and connecting to the index meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ci_publish.errors import ConfigurationError

if TYPE_CHECKING:
    from ci_publish.http.preconnect import EarlyConnection

_ASKING = frozenset({"publish", "plan", "verify"})


def said(option: str, argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return what the command line, our component's input, our variable or our action's input says; None if none does.

    *option* is spelled with hyphens. Arguments may be wrong elsewhere.
    """
    words = list(argv)
    for number, word in enumerate(words):
        if word == f"--{option}" and number + 1 < len(words):
            return words[number + 1]
        if word.startswith(f"--{option}="):
            return word.partition("=")[2]
    name = option.upper()
    snake = name.replace("-", "_")
    given = environ.get(f"INPUT_{name}") or environ.get(f"INPUT_{snake}")
    component = environ.get(f"CI_PUBLISH_INPUT_{snake}", "")
    if component == "false":  # the default of GitLab's boolean, which means "not given"
        component = ""
    ours = component or environ.get(f"CI_PUBLISH_{snake}")
    return ours or (given if environ.get("CI_PUBLISH_ACTION") else None) or None


def connect_early(argv: Sequence[str], environ: Mapping[str, str]) -> "EarlyConnection | None":
    """Begin to connect to the index that this run asks first, where its address is plain to see; nothing is sent.

    None where it is not (nothing is guessed: the default may not be what pyproject.toml says), and for commands that
    ask no index.
    """
    if not argv or argv[0] not in _ASKING or (said("rehearse", argv, environ) or "false").lower() != "false":
        return None
    index_url, upload_url = said("index-url", argv, environ), said("repository-url", argv, environ)
    if not (index_url or upload_url):
        return None
    from ci_publish.http.preconnect import EarlyConnection  # noqa: PLC0415  (late: not for every command)
    from ci_publish.index.endpoints import resolve  # noqa: PLC0415

    try:
        first = (upload_url or "pypi").splitlines()[0].strip()
        address = resolve(first, index_url).simple
    except (ConfigurationError, IndexError):
        return None  # it is read again, and refused then
    return None if address is None else EarlyConnection(address, environ)
