"""Where the files go: the index, its addresses and its rules."""

from typing import Annotated, Literal

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ASKING, Option
from ci_publish.app.setting_values import Hosts, Lines


class IndexSettings(OptionGroup):
    """Where the files go: the index, its addresses and its rules."""

    heading = "destination"

    repository_url: Annotated[
        Lines,
        Option(
            help="Upload URL of the index, or its name: pypi, testpypi, an entry of [[tool.uv.index]], a section of"
            " .pypirc. If several are given, they are published to in turn.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar="URL",
            input_name="repository-url",
            intent=True,
        ),
    ] = ("pypi",)
    index_url: Annotated[
        str | None,
        Option(
            help="Root of the index's Simple API; derived from the upload URL if possible.",
            commands=ASKING | {"diff"},
            metavar="URL",
            input_name="index-url",
        ),
    ] = None
    index_profile: Annotated[
        Literal["auto", "pypi", "generic"],
        Option(
            help="Whose rules the index follows: PyPI's, or only the common ones.",
            commands=ASKING | {"check", "diff", "attest"},
            input_name="index-profile",
            intent=True,
        ),
    ] = "auto"
    allow_http: Annotated[
        Hosts,
        Option(
            help="Allow plain http to this host, for passwords and API tokens only; loopback is always allowed.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar="HOST",
            input_name="allow-http",
        ),
    ] = ()
