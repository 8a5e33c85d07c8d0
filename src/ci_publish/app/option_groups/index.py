"""Where the files go: the index, its addresses and its rules."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ASKING, Group, Option
from ci_publish.app.setting_values import Lines, hosts


class IndexSettings(OptionGroup):
    """Where the files go: the index, its addresses and its rules."""

    repository_url: Annotated[
        Lines,
        Option(
            "Upload URL of the index, or its name: pypi, testpypi, an entry of [[tool.uv.index]], a section of .pypirc."
            " Several are published to in turn.",
            ASKING | {"check", "attest"},
            "URL",
            ("repository-url",),
            group=Group.INDEX,
            intent=True,
        ),
    ] = ("pypi",)
    index_url: Annotated[
        str | None,
        Option(
            "Root of the index's Simple API; derived from the upload URL where that can be known.",
            ASKING,
            "URL",
            ("index-url",),
            group=Group.INDEX,
        ),
    ] = None
    index_profile: Annotated[
        Literal["auto", "pypi", "generic"],
        Option(
            "Whose rules the index follows: PyPI's, or only the common ones.",
            ASKING | {"check", "attest"},
            None,
            ("index-profile",),
            group=Group.INDEX,
            intent=True,
        ),
    ] = "auto"
    allow_http: Annotated[
        tuple[str, ...],
        BeforeValidator(hosts),
        Option(
            "Allow plain http to this host, for passwords and API tokens only; loopback is always allowed.",
            ASKING | {"check", "attest"},
            "HOST",
            ("allow-http",),
            group=Group.INDEX,
        ),
    ] = ()
