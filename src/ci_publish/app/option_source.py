"""One place that settings come from, as pydantic-settings wants it."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from ci_publish.app.options import Origin
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError

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


class EnvironmentSource(OptionSource):
    """A place in the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._environ = environ


def refuse_misspelled_option(key: str, ours: Iterable[str], kind: str) -> None:
    """Raise ConfigurationError for a name that is a misspelling of one of *ours*; ignore all others."""
    import difflib  # noqa: PLC0415  (late: hardly ever needed)

    normal = {name.replace("-", "_").upper(): name for name in ours}
    near = difflib.get_close_matches(key.replace("-", "_").upper(), normal, n=1, cutoff=0.86)
    if near:
        message = f"Unknown {kind}: {key}"
        why = "It would be ignored, so the setting would have no effect."
        raise ConfigurationError(message, detail=why, hints=(f"Did you mean {normal[near[0]]}?",))
