"""What an option is, where its value came from, and what a command does with it (pure)."""

from enum import StrEnum

from ci_publish.model.frozen import frozen

ALL = frozenset({"publish", "plan", "check", "diff", "attest", "verify", "rehearse", "doctor", "settings"})
SENDING = frozenset({"publish", "plan", "rehearse", "settings"})

ASKING = SENDING | {"verify", "doctor"}

ACTING = frozenset({"publish", "plan", "attest", "rehearse", "doctor"})
"""The commands that can upload, sign or request an identity."""


class Source(StrEnum):
    """The kinds of places that a value can come from."""

    FLAG = "flag"
    PYTHON = "Python argument"
    COMPONENT = "component input"
    VARIABLE = "environment"
    INPUT = "action input"
    FILE = "pyproject.toml"
    OTHER_TOOL = "other tool"
    DEFAULT = "default"


FOR_THIS_CALL = frozenset({Source.FLAG, Source.PYTHON})
"""Sources that speak to one command; all others may be shared by several."""


@frozen
class Origin:
    """Where a value came from: the kind of place, and how the user spelled the option there."""

    source: str
    spelled: str

    def __str__(self) -> str:
        return self.spelled if self.spelled == self.source else f"{self.source} {self.spelled}"


DEFAULT = Origin(Source.DEFAULT, "default")


@frozen(kw_only=True)
class Option:
    """What belongs to an option besides its type: help, value's name, commands, and its name in action.yml.

    ``input_name`` is the input of our actions and of the GitLab component. ``flag`` is False for what may never be on
    a command line, and for what is a positional argument. ``file`` is False for what only a flag can say. ``intent``:
    it says where to publish, as whom, or whether to publish at all. ``python`` is False for what only shapes the
    command line's input and output. ``project_file`` is False for what is never read from pyproject.toml, which
    whoever changes the checkout can change.
    """

    help: str
    commands: frozenset[str] = ALL
    metavar: str | None = None
    input_name: str | None = None
    flag: bool = True
    file: bool = True
    intent: bool = False
    python: bool = True
    project_file: bool = True

    @property
    def key(self) -> bool:
        """Whether it is a key of ``[tool.ci-publish]``."""
        return self.file and self.project_file


class Use(StrEnum):
    """What a command does with an option."""

    HONOURED = "honoured"
    SKIPPED = "skipped"
    REFUSED = "refused"


def option_use(option: Option, command: str, source: str) -> Use:
    """Return what *command* does with a value of *option* that came from *source*.

    What was given for this call is honoured or refused. What several commands share is skipped by those that have no
    use for it; but a command that can upload, sign or request an identity never skips what says where to publish, as
    whom, or whether to publish at all.
    """
    if source == Source.PYTHON and not option.python:
        return Use.REFUSED
    if command in option.commands:
        return Use.HONOURED
    if source in FOR_THIS_CALL or (option.intent and command in ACTING and source != Source.OTHER_TOOL):
        return Use.REFUSED
    return Use.SKIPPED
