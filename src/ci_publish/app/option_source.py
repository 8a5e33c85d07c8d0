"""One place that settings come from, as pydantic-settings wants it."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from ci_publish.app.options import Origin
from ci_publish.app.settings import Settings

if TYPE_CHECKING:
    from ci_publish.model.events import Noted

Found = Iterator[tuple[str, Any, Origin]]


class OptionSource(PydanticBaseSettingsSource):
    """One place that settings come from. ``origins`` says how the user spelled each option that was found there."""

    def __init__(self) -> None:
        super().__init__(Settings)
        self.origins: dict[str, Origin] = {}
        self.notes: list[Noted] = []

    @abstractmethod
    def read(self) -> Found:
        """Yield option, value and origin; the first value of an option counts. Raises ConfigurationError."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return one value as ``__call__`` does, for pydantic-settings."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of this place, by option."""
        values: dict[str, Any] = {}
        for name, value, origin in self.read():
            if name not in values:
                values[name], self.origins[name] = value, origin
        return values
