"""Where the files go: the index, its addresses and its rules."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ASKING, Group, Option
from ci_publish.app.setting_values import Lines, split_setting_hosts


class IndexSettings(OptionGroup):
    """Where the files go: the index, its addresses and its rules."""

    repository_url: Annotated[
        Lines,
        Option(
            help="Upload URL of the index, or its name: pypi, testpypi, an entry of [[tool.uv.index]], a section of"
            " .pypirc. If several are given, they are published to in turn.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar="URL",
            inputs=("repository-url",),
            group=Group.INDEX,
            intent=True,
        ),
    ] = ("pypi",)
    index_url: Annotated[
        str | None,
        Option(
            help="Root of the index's Simple API; derived from the upload URL if possible.",
            commands=ASKING | {"diff"},
            metavar="URL",
            inputs=("index-url",),
            group=Group.INDEX,
        ),
    ] = None
    index_profile: Annotated[
        Literal["auto", "pypi", "generic"],
        Option(
            help="Whose rules the index follows: PyPI's, or only the common ones.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar=None,
            inputs=("index-profile",),
            group=Group.INDEX,
            intent=True,
        ),
    ] = "auto"
    allow_http: Annotated[
        tuple[str, ...],
        BeforeValidator(split_setting_hosts),
        Option(
            help="Allow plain http to this host, for passwords and API tokens only; loopback is always allowed.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar="HOST",
            inputs=("allow-http",),
            group=Group.INDEX,
        ),
    ] = ()
