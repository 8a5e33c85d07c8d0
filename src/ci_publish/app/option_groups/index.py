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
            help="Upload URL of the index, or a name: pypi, testpypi, an entry of [[tool.uv.index]] or a section of"
            " .pypirc. If there are several, the files are published to one after the other.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar="URL",
            input_name="repository-url",
            intent=True,
        ),
    ] = ("pypi",)
    index_url: Annotated[
        str | None,
        Option(
            help="Root URL of the index's Simple API. By default, it is derived from the upload URL.",
            commands=ASKING | {"diff"},
            metavar="URL",
            input_name="index-url",
        ),
    ] = None
    index_profile: Annotated[
        Literal["auto", "pypi", "generic"],
        Option(
            help="Rules that the index follows: pypi for PyPI's rules, generic for rules common to all indexes.",
            commands=ASKING | {"check", "diff", "attest"},
            input_name="index-profile",
            intent=True,
        ),
    ] = "auto"
    allow_http: Annotated[
        Hosts,
        Option(
            help="Host to which passwords and API tokens may be sent over plain HTTP. Loopback is always allowed.",
            commands=ASKING | {"check", "diff", "attest"},
            metavar="HOST",
            input_name="allow-http",
        ),
    ] = ()
