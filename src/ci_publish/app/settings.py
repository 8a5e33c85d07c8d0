"""Every option, put together from the groups in ``option_groups``, where each is declared once.

A declaration is name, type, default, help, group, and the commands that use the option. ``settings_sources`` reads the
values; ``--help``, ``action.yml``, the GitLab component and the reference page are generated from the declarations or
tested equal to them. What a command does with an option that it has no use for is decided in ``options.option_use``
for every front end alike.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ci_publish.about import OPTIONS_URL
from ci_publish.app.index_names import is_index_name
from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.option_groups.attestations import AttestationSettings
from ci_publish.app.option_groups.build_provenance import BuildProvenanceSettings
from ci_publish.app.option_groups.conflicts import ConflictSettings
from ci_publish.app.option_groups.credential import CredentialSettings
from ci_publish.app.option_groups.distributions import DistributionSettings
from ci_publish.app.option_groups.index import IndexSettings
from ci_publish.app.option_groups.installation import InstallationSettings
from ci_publish.app.option_groups.rehearsal import RehearsalSettings
from ci_publish.app.option_groups.release import ReleaseSettings
from ci_publish.app.option_groups.reports import ReportSettings
from ci_publish.app.option_groups.run import RunSettings
from ci_publish.app.options import Option
from ci_publish.app.setting_values import refuse_null_characters, wrong_values_error
from ci_publish.errors import ConfigurationError
from ci_publish.index.endpoints import resolve_endpoints

SOURCES = "_sources"
"""The keyword under which ``settings_sources.load_settings`` passes the sources, highest first."""


class Settings(
    ReportSettings,
    InstallationSettings,
    RehearsalSettings,
    RunSettings,
    ConflictSettings,
    BuildProvenanceSettings,
    AttestationSettings,
    CredentialSettings,
    IndexSettings,
    ReleaseSettings,
    DistributionSettings,
    BaseSettings,
):
    """Every option of every command, validated once; frozen.

    pydantic collects the fields from the last base to the first: the groups are in the order of ``--help``, reversed.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        validate_default=False,
        defer_build=False,
    )

    if not TYPE_CHECKING:  # a type checker sees the signature that the fields make

        def __init__(self, /, *positional: object, **given: object) -> None:
            """Take options by name only. Raises ConfigurationError for everything else: pydantic-settings drops it."""
            unknown = next((name for name in given if name.startswith("_") and name != SOURCES), None)
            if positional:
                message = "Settings accepts options only by name, but was given one without a name."
                raise ConfigurationError(message, hints=('Write: ci_publish.Settings(paths=("dist",))',))
            if unknown is not None:
                message = f"Invalid setting: {unknown} is not an option"
                raise ConfigurationError(message, hints=(f"Options: {OPTIONS_URL}",))
            super().__init__(**given)

    @model_validator(mode="after")
    def _require_consistent_options(self) -> Self:
        if self.index_url is not None and len(self.repository_url) > 1:
            message = "index_url: must not be set if repository-url names several indexes"
            raise ValueError(message)
        if self.recursive and self.ignore_subfolders:
            message = "ignore_subfolders: contradicts recursive, which publishes the distributions in subfolders"
            raise ValueError(message)
        if not self.repository_url:
            message = "repository_url: must name an index"
            raise ValueError(message)
        for address in self.repository_url:
            # A name that is not PyPI's is looked up when the settings are loaded.
            upload = "pypi" if is_index_name(address) else address
            resolve_endpoints(upload, self.index_url, allow_http=frozenset(self.allow_http))
        return self

    @model_validator(mode="before")
    @classmethod
    def _refuse_null_characters(cls, values: object) -> object:
        if isinstance(values, dict):
            refuse_null_characters(values)
        return values

    @model_validator(mode="wrap")
    @classmethod
    def _raise_configuration_error(cls, values: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise ConfigurationError, not pydantic's error; the last validator, so that it wraps the others."""
        try:
            return handler(values)
        except ValidationError as error:
            raise wrong_values_error(error) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the signature is pydantic-settings')
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the sources that ``settings_sources.load_settings`` passes; without any, only what the caller says."""
        sources: tuple[PydanticBaseSettingsSource, ...] | None = init_settings.init_kwargs.pop(SOURCES, None)  # type: ignore[attr-defined]
        return (init_settings,) if sources is None else sources


@cache
def declared_options() -> Mapping[str, Option]:
    """Return the declaration of every option, by field name."""
    return {
        name: next(item for item in field.metadata if isinstance(item, Option))
        for name, field in Settings.model_fields.items()
    }


def options_by_heading() -> dict[str, dict[str, Option]]:
    """Return the declarations below the headings of ``--help``."""
    found: dict[str, dict[str, Option]] = {}
    for group in reversed(Settings.__bases__):
        if issubclass(group, OptionGroup):
            found.setdefault(group.heading, {}).update({name: declared_options()[name] for name in group.model_fields})
    return found
