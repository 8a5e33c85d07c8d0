"""Other upload tools as a source of settings: their variables, and the ``.pypirc`` section of an index's name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ci_publish.app.index_names import KNOWN, IndexNames, NamedIndex, is_index_name, pypirc_path
from ci_publish.app.option_source import EnvironmentSource, Found, OptionSource
from ci_publish.app.options import Origin, Source
from ci_publish.app.other_tools import (
    TOOLS,
    OwnSettings,
    decide_other_tools_settings,
    destination_in_variable,
    is_same_destination,
)
from ci_publish.app.project_file import ProjectTables
from ci_publish.app.setting_values import split_setting_hosts, split_setting_lines, texts_of_list
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import redacted_url, url_host
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.index.endpoints import PYPI, resolve_endpoints
from ci_publish.model.identity import Secret
from ci_publish.model.index import IndexProfile

_CREDENTIALS = ("password", "password_stdin", "anonymous", "keyring")
_OFF = frozenset({"false", "0", "no", "off", "n", "f"})


class OtherToolsSource(EnvironmentSource):
    """Variables of other upload tools, and the ``.pypirc`` section of a name; lowest: only ours is sure to be meant.

    ``objection`` is why what they say cannot be honoured. ``named_by_project`` holds the entries of
    ``[[tool.uv.index]]`` that the destination's names stand for.
    """

    def __init__(
        self, *, environ: Mapping[str, str], tables: ProjectTables, higher: Sequence[OptionSource], in_action: bool
    ) -> None:
        super().__init__(environ)
        self._in_action = in_action
        self._tables = tables
        self._higher = higher
        self.objection: ConfigurationError | None = None
        self._resolved: tuple[NamedIndex | str, ...] = ()
        self.named_by_project: tuple[str, ...] = ()

    def read(self) -> Found:
        """Yield a destination and a credential. Raises ConfigurationError for a name of ours that is not known."""
        given = self.current_state.get("config_file")
        # What is no path is refused when the settings are validated.
        file = Path(given) if given and isinstance(given, str | Path) else None
        names = IndexNames(self._tables.uv_indexes, file or pypirc_path(self._environ), named=file is not None)
        lines = texts_of_list(split_setting_lines(self.current_state.get("repository_url")))
        written = tuple(map(str.strip, lines))
        spelled = self._spelled_option("repository_url")
        if not written and file:
            written, spelled = ("pypi",), self._spelled_option("config_file")
        self._resolved = tuple(names.look_up(item, spelled) for item in written)
        ours = self._ci_publish_settings(spelled)
        try:
            decision = decide_other_tools_settings(ours, self._environ, names.upload_url)
            found = dict(decision.taken)
            upload, foreign = PYPI.upload, tuple[str, ...]()
            if "repository_url" in found:
                (upload,), origin = found["repository_url"]
                foreign = (destination_in_variable(origin.spelled, self._environ),)
            if not written:
                self._refuse_ignored_destination(upload, named=bool(foreign))
            self.notes += decision.notes
            if ours.credential is None and "password" not in found:
                found |= self._credential_in_pypirc(names, written or foreign, identity=ours.identity)
        except ConfigurationError as error:
            self.objection = error
            return
        finally:
            self.notes += names.notes
        meant = (*self._resolved, *(names.look_up(name, name) for name in foreign))
        self.named_by_project = tuple(item.where for item in meant if isinstance(item, NamedIndex) and item.in_project)
        for name, (value, origin) in found.items():
            yield name, value, origin

    def with_index_urls(self, settings: Settings) -> Settings:
        """Return *settings* with URLs in place of the names of indexes, once these are read."""
        found = self._resolved
        if not any(isinstance(item, NamedIndex) for item in found):
            return settings
        # PyPI's own names stay: reports use them.
        urls = tuple(
            item if isinstance(item, str) else item.name if item.name in KNOWN else item.upload for item in found
        )
        simple = found[0].simple if len(found) == 1 and isinstance(found[0], NamedIndex) else None
        index_url = settings.index_url or simple
        for url in urls:
            resolve_endpoints(url, index_url, allow_http=frozenset(settings.allow_http))
        return settings.model_copy(update={"repository_url": urls, "index_url": index_url})

    def _refuse_ignored_destination(self, upload: str, *, named: bool) -> None:
        """Raise ConfigurationError if another setting names an index that the files would not be sent to.

        *upload* is where they would go; *named*: a variable of another tool says so, which goes before uv's file.
        """
        uv = next(tool for tool in TOOLS if tool.name == "uv")
        uv_file = self._tables.uv_publish_url
        if uv_file and not uv.destination_variables(self._environ) and not is_same_destination(uv_file.url, upload):
            raise _unnamed_destination_error(
                f"{uv_file.where} names {redacted_url(uv_file.url)}",
                "Publishing to the wrong one would be a mistake that cannot be undone.",
                upload,
                Hint("To publish there: ", option("repository_url", redacted_url(uv_file.url))),
            )
        listing = self.current_state.get("index_url")
        hosts = {url_host(PYPI.upload), url_host(str(PYPI.simple))}
        if not named and isinstance(listing, str) and url_host(listing) not in hosts:
            raise _unnamed_destination_error(
                f"{self._spelled_option('index_url')} names {redacted_url(listing)}",
                "The index-url is only read; it does not select the destination of an upload.",
                upload,
                Hint("To publish to that index, specify its upload URL: ", option("repository_url", "https://…")),
            )

    def _ci_publish_settings(self, spelled: str) -> OwnSettings:
        state = self.current_state
        # An empty secret is given, too: it is nearly always a mistake.
        given = next(
            (
                name
                for name in _CREDENTIALS
                if isinstance(value := state.get(name), Secret)
                or (value is not None and str(value).strip().lower() not in _OFF)
            ),
            None,
        )
        user = state.get("user")
        return OwnSettings(
            addresses=tuple(item if isinstance(item, str) else item.upload for item in self._resolved),
            spelled=spelled,
            credential=self._spelled_option(given) if given else None,
            user=user if isinstance(user, str) else None,
            in_action=self._in_action,
            identity=CiEnvironment(self._environ, machine=str).can_request_identity_token(),
            token_for=frozenset(map(str.casefold, texts_of_list(split_setting_hosts(state.get("token_for"))))),
        )

    def _credential_in_pypirc(
        self, names: IndexNames, written: Sequence[str], *, identity: bool
    ) -> dict[str, tuple[Any, Origin]]:
        """Return the password of the named section of ``.pypirc``; none if Trusted Publishing is available."""
        if len(written) != 1 or not is_index_name(written[0]):
            return {}
        upload = names.find(written[0], written[0]).upload
        if identity and resolve_endpoints(upload).profile is IndexProfile.PYPI:
            return {}
        section = names.pypirc_section(written[0])
        if section is None or section.password is None or section.upload.rstrip("/") != upload.rstrip("/"):
            return {}
        origin = Origin(Source.OTHER_TOOL, section.where)
        user = {"user": (section.user, origin)} if section.user and "user" not in self.current_state else {}
        return {"password": (section.password, origin), **user}

    def _spelled_option(self, name: str) -> str:
        for source in self._higher:
            if name in source.origins:
                return source.origins[name].spelled
        return name.replace("_", "-")


def _unnamed_destination_error(named: str, why: str, upload: str, hint: Hint) -> ConfigurationError:
    """Return the error about a run that would go to *upload*, although something else was *named*."""
    return ConfigurationError(
        f"{named}, but no setting of ci-publish names the destination, which would be {redacted_url(upload)}.",
        detail=why,
        hints=(hint, Hint("To publish to PyPI, say so: ", option("repository_url", "pypi"))),
    )
