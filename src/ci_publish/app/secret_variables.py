"""The variables that hold a password or an API token: read once, and then forgotten."""

from collections.abc import MutableMapping

from ci_publish.app.other_tools import TOOLS
from ci_publish.app.settings import declared_options
from ci_publish.app.settings_sources import TOKEN, action_input_spellings, option_variable


def secret_variables() -> tuple[str, ...]:
    """Return their names, ours and those of other tools."""
    foreign = (name for tool in TOOLS for name in tool.secrets)
    inputs = (f"INPUT_{spelling.upper()}" for spelling in action_input_spellings(declared_options()["password"]))
    return (option_variable("password"), TOKEN, *foreign, *inputs)


def forget_secret_variables(environ: MutableMapping[str, str]) -> None:
    """Remove them from *environ* once they are read, so that no child process gets them."""
    for name in secret_variables():
        environ.pop(name, None)
