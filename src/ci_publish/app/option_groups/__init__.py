"""The declarations of the options, a module for each group; ``app.settings`` puts them together."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class OptionGroup(BaseModel):
    """The base of each group. Its schema is built once, as a part of ``Settings``, not for each group.

    ``heading`` is what the options are about, as ``--help`` says it; groups may share one.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, defer_build=True)

    heading: ClassVar[str]
