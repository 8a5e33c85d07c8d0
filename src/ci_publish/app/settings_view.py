"""The output of ``settings``: every value with its source, and which commands do not use it."""

import re
from typing import TextIO

from ci_publish.app.options import Use, option_use
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import Loaded
from ci_publish.model.identity import Secret
from ci_publish.model.receipt_json import dump_printable_json
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.neutral import neutral_line

Row = tuple[str, str, str]
"""Option, value (a secret already shown as ``***``) and source."""

_COMMANDS = ("publish", "plan", "check", "diff", "attest", "verify", "rehearse", "doctor")


def settings_rows(loaded: Loaded) -> list[Row]:
    """Return a row for every option."""
    return [
        (name.replace("_", "-"), option_value_for_people(name, loaded.settings), str(loaded.origin(name)))
        for name in declared_options()
    ]


def commands_not_using_option(name: str, loaded: Loaded) -> list[str]:
    """Return the commands that have no use for a value that was set; nothing for a default."""
    used = declared_options()[name]
    return [
        command
        for command in _COMMANDS
        if loaded.requests(name) and option_use(used, command, loaded.origin(name).source) is not Use.HONOURED
    ]


def option_value_for_people(name: str, settings: Settings) -> str:
    """Return the value of an option for people; a secret is redacted, also one inside an address."""
    return ", ".join(option_values_for_people(name, settings))


def option_values_for_people(name: str, settings: Settings) -> list[str]:
    """Return the values of an option, a single one if it is not a list, as ``option_value_for_people`` shows them."""
    value = getattr(settings, name)
    if isinstance(value, Secret):
        return ["***" if value else "(empty)"]
    if value is None:
        return [""]
    if isinstance(value, bool):
        return [str(value).lower()]
    texts = [str(item) for item in value] if isinstance(value, tuple) else [str(value)]
    return list(map(address_without_secrets, texts)) if name in {"repository_url", "index_url", "upstream"} else texts


_IN_ADDRESS = re.compile(r"(?<=//).*(?=@)|(?<=[?#]).+")


def address_without_secrets(address: str) -> str:
    """Redact what an address must not contain: user, password, query."""
    return _IN_ADDRESS.sub("***", address)


def write_settings(loaded: Loaded, stream: TextIO) -> None:
    """Write every setting, its source, and which commands do not use it; as JSON if the settings request it."""
    lines = LineWriter(stream)
    if loaded.settings.output == "json":
        document = {
            name: {
                "value": value,
                "source": source,
                "not_used_by": commands_not_using_option(name.replace("-", "_"), loaded),
            }
            for name, value, source in settings_rows(loaded)
        }
        lines.write_lines(*dump_printable_json(document, indent=2).splitlines())
        return
    table = [tuple(map(neutral_line, row)) for row in settings_rows(loaded)]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    for name, value, source in table:
        unused = commands_not_using_option(name.replace("-", "_"), loaded)
        remark = f"  (not used by {', '.join(unused)})" if unused else ""
        lines.write_lines(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}{remark}")
    for note in loaded.notes:
        lines.write_lines(f"{'warning' if note.warning else 'note'}: {neutral_line(note.message)}")
    if loaded.objection is not None:
        stopped = "publish, plan, diff, verify, rehearse and doctor stop."
        lines.write_lines(f"error: {neutral_line(loaded.objection.summary)} {stopped}")
