"""Flags of other upload tools, and their equivalents here (pure).

Sources: twine 6.2 `upload`, uv `publish`, flit `publish`, hatch `publish`, poetry `publish`.
"""

from collections.abc import Iterator, Mapping, Sequence

_REPOSITORY = "--repository-url NAME_OR_URL"
_USER = "--user NAME"
_SECRET = "the environment variable CI_PUBLISH_PASSWORD, or --password-stdin"  # noqa: S105  (what to write)
_CERTIFICATES = "the environment variable SSL_CERT_FILE=FILE"
_NO_CLIENT = "nothing: client certificates are not supported"
_NEVER_ASKS = "nothing: ci-publish never asks questions"
_NO_SIGNATURES = "nothing: PyPI ignores GPG signatures; attestations are created with --attestations"
_BUILD = "nothing: build first, for example with `python -m build`"

TRANSLATIONS: Mapping[str, str] = {
    # twine
    "-r": _REPOSITORY,
    "--repository": _REPOSITORY,
    "-u": _USER,
    "--username": _USER,
    "-p": _SECRET,
    "--password": _SECRET,
    "-s": _NO_SIGNATURES,
    "--sign": _NO_SIGNATURES,
    "--sign-with": _NO_SIGNATURES,
    "-i": _NO_SIGNATURES,
    "--identity": _NO_SIGNATURES,
    "-c": "nothing: PyPI ignores comments",
    "--comment": "nothing: PyPI ignores comments",
    "--cert": _CERTIFICATES,
    "--client-cert": _NO_CLIENT,
    "--non-interactive": _NEVER_ASKS,
    "--disable-progress-bar": "nothing: there is no progress bar outside a terminal",
    # uv
    "--publish-url": "--repository-url URL",
    "--index": _REPOSITORY,
    "-t": _SECRET,
    "--token": _SECRET,
    "--check-url": "--index-url URL",
    "--trusted-publishing": "nothing: Trusted Publishing is used where no user and password are given",
    "--keyring-provider": "--keyring",
    "--no-attestations": "--attestations off",
    "--allow-insecure-host": "--allow-http HOST; certificates are always checked",
    "--native-tls": _CERTIFICATES,
    "--system-certs": _CERTIFICATES,
    "--no-progress": "nothing: there is no progress bar outside a terminal",
    "--project": "the folder as PATH",
    "--directory": "the folder as PATH",
    # flit
    "--pypirc": "--config-file FILE",
    "--format": _BUILD,
    "--setup-py": _BUILD,
    "--no-setup-py": _BUILD,
    "--use-vcs": _BUILD,
    "--no-use-vcs": _BUILD,
    # hatch
    "--repo": _REPOSITORY,
    "--auth": _SECRET,
    "-a": _SECRET,
    "-n": _NEVER_ASKS,
    "--no-prompt": _NEVER_ASKS,
    "--initialize-auth": _SECRET,
    "-y": _NEVER_ASKS,
    "--yes": _NEVER_ASKS,
    "--ca-cert": _CERTIFICATES,
    "--client-key": _NO_CLIENT,
    "--publisher": "nothing: ci-publish always publishes to an index",
    "-o": "the option of ci-publish that corresponds to it",
    "--option": "the option of ci-publish that corresponds to it",
    # poetry
    "--build": _BUILD,
    "--dist-dir": "the folder as PATH",
    "--no-interaction": _NEVER_ASKS,
}


def translate_other_tool_flags(words: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each of *words* that is a flag of another tool."""
    for word in words:
        flag = word.split("=", 1)[0]
        found = TRANSLATIONS.get(flag) or TRANSLATIONS.get(_short_flag(flag))
        if found is not None:
            shown = flag if flag in TRANSLATIONS else _short_flag(flag)
            yield f"{shown} is another tool's flag. The equivalent here: {found}"


def _short_flag(flag: str) -> str:
    """Return the short flag of ``-rtestpypi``, whose value is joined to it."""
    return flag[:2] if flag.startswith("-") and not flag.startswith("--") else ""
