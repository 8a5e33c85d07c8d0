"""Every option, with every command, through every front end: honoured, skipped or refused, each cell run.

The cells are generated from the declarations. Only the last step is replaced: what a command would do is recorded.
"""

import pytest

from ci_publish.app.options import Source, Use, option_use
from ci_publish.app.settings import Settings, declared_options
from ci_publish.errors import ConfigurationError
from tests.unit.app.recorded_commands import Recorded, argument, ask, cells, value_of, without_rehearsal

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(("name", "command", "source"), [*cells()])
def test_a_cell_of_the_table(name: str, command: str, source: Source) -> None:
    recorded = Recorded()
    expected = option_use(declared_options()[name], command, source)
    if expected is Use.REFUSED or without_rehearsal(name, command, source):
        with pytest.raises(ConfigurationError) as caught:
            ask(name, command, source, recorded)
        told = caught.value.summary.lower().replace("_", "-")
        assert name.replace("_", "-") in told or (name == "paths" and "7" in told), "the option is named"
        assert recorded.settings is None, "nothing ran"
        return
    ask(name, command, source, recorded)
    assert recorded.settings is not None
    found, default = getattr(recorded.settings, name), Settings.model_fields[name].default
    if expected is Use.HONOURED:
        wanted = Settings(**argument(name, value_of(name)))
        assert found == getattr(wanted, name)
        assert found != default
    else:
        assert found == default
    assert recorded.command == turned(name, command)


def turned(name: str, command: str) -> str:
    """Return the command that an option turns another one into."""
    if name == "rehearse" and command in {"publish", "plan"}:
        return "rehearse"
    return "plan" if name == "dry_run" and command == "publish" else command


def test_the_table_has_every_kind_of_cell_and_enough_of_them() -> None:
    found = [option_use(declared_options()[name], command, source) for name, command, source in cells()]
    assert len(found) > 1000
    assert all(found.count(kind) > 50 for kind in Use)
