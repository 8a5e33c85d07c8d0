"""The declarations of the options, a module for each group; ``app.settings`` puts them together."""

from pydantic import BaseModel, ConfigDict


class OptionGroup(BaseModel):
    """The base of each group. Its schema is built once, as a part of ``Settings``, not for each group."""

    model_config = ConfigDict(arbitrary_types_allowed=True, defer_build=True)
