"""Settings from ``[tool.ci-publish]`` of a pyproject.toml."""

from collections.abc import Mapping
from typing import Any, Final

from ci_publish.about import OPTIONS_URL
from ci_publish.app.option_groups.installation import TABLE
from ci_publish.app.option_source import Found, OptionSource, refuse_misspelled_option
from ci_publish.app.options import Origin, Source
from ci_publish.app.settings import declared_options
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import url_has_secrets

_DESTINATIONS: Final = frozenset(
    {"repository", "repo", "index", "url", "upload-url", "publish-url", "destination", "target"}
)
"""Keys with which other tools, or people, name a destination; ours is repository-url."""


class FileSource(OptionSource):
    """``[tool.ci-publish]`` of a pyproject.toml."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        super().__init__()
        self._table = table

    def read(self) -> Found:
        """Yield the keys of the table. Raises ConfigurationError for a secret or an unknown key."""
        ours = {name: option for name, option in declared_options().items() if option.key}
        for key, value in self._table.items():
            name = key.replace("-", "_")
            if name == "install" and isinstance(value, dict):
                yield from self._read_install_table(value)
            elif name in ours:
                table = name == "rules" and isinstance(value, dict)
                yield self._setting_from_table(
                    name, value, f"[tool.ci-publish.{key}]" if table else f"[tool.ci-publish] {key}"
                )
            elif name in {"password", "user_password", "token"}:
                raise _secret_in_pyproject_error(f"[tool.ci-publish] {key}")
            elif name in declared_options() and declared_options()[name].file:
                raise _no_pyproject_key_error(key, name)
            else:
                kind = "key of [tool.ci-publish]"
                refuse_misspelled_option(key, [each.replace("_", "-") for each in ours], kind)
                destination = name.replace("_", "-").casefold() in _DESTINATIONS
                raise ConfigurationError(
                    f"Unknown {kind}: {key}",
                    detail="It would be ignored, so the setting would have no effect.",
                    hints=(
                        "Did you mean repository-url?"
                        if destination
                        else f"Remove it, or use one of the keys that exist: {OPTIONS_URL}",
                    ),
                )

    def _read_install_table(self, table: Mapping[str, Any]) -> Found:
        """Yield the keys of ``[tool.ci-publish.install]``; the table itself requests an installation."""
        where = "[tool.ci-publish.install]"
        yield "install", True, Origin(Source.FILE, where)
        for key, value in table.items():
            if key not in TABLE:
                if key.replace("-", "_") in {"install_with_credentials", "with_credentials"}:
                    raise _no_pyproject_key_error(key, "install_with_credentials", where)
                message = f"Unknown key in {where}: {key}"
                raise ConfigurationError(message, hints=(f"Known keys: {', '.join(TABLE)}",))
            yield self._setting_from_table(TABLE[key], value, f"{where} {key}")

    @staticmethod
    def _setting_from_table(name: str, value: object, spelled: str) -> tuple[str, Any, Origin]:
        if name == "upstream" and isinstance(value, str) and url_has_secrets(value):
            raise _secret_in_pyproject_error(spelled)
        return name, tuple(value) if isinstance(value, list) else value, Origin(Source.FILE, spelled)


def _secret_in_pyproject_error(spelled: str) -> ConfigurationError:
    return ConfigurationError(
        f"{spelled}: a secret does not belong in a file.",
        detail="Anyone who can read the repository, or an sdist of it, could publish.",
        hints=(
            Hint("Use Trusted Publishing, or set ", option("password"), " from your CI's secret store."),
            "Revoke this secret.",
        ),
    )


def _no_pyproject_key_error(key: str, name: str, table: str = "[tool.ci-publish]") -> ConfigurationError:
    return ConfigurationError(
        f"{table} {key}: never read from a file.",
        detail="Anyone who can change the checkout could change where secrets are sent.",
        hints=(f"Remove the key, and use --{name.replace('_', '-')}, CI_PUBLISH_{name.upper()} or the input.",),
    )
