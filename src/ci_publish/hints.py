"""What to do about a failure, with options that are named here and spelled for the reader (pure).

Code deep in a package knows the cause, not whether somebody typed flags, wrote inputs of an action or called Python. It
names options, and ``app.front_end_wording`` spells them for the front end and the command at hand:

    Hint("To publish the other projects of this run: ", option("keep_going", "true"))

is ``--keep-going`` on the command line, ``keep-going: true`` in the action, ``Settings(keep_going=True)`` in Python,
and nothing for a command that has no such option.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, Self


class OptionNamed(NamedTuple):
    """An option by the name of its field, with the value to give it; None if only the option is named."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        """Spell the option neutrally: ``keep-going: true``."""
        name = self.name.replace("_", "-")
        return name if self.value is None else f"{name}: {self.value}"


def option(name: str, value: str | None = None) -> OptionNamed:
    """Name an option in a ``Hint``. A *value* in capitals, such as ``SECONDS``, is a placeholder."""
    return OptionNamed(name, value)


class Reader(Protocol):
    """The reader of a hint: a front end and a command."""

    @property
    def command(self) -> str:
        """The command that runs."""

    def spell_option(self, named: OptionNamed) -> str | None:
        """Return how the reader writes an option; None if the front end or the command does not have it."""


class Hint(str):
    """A sentence or line of configuration that says what to do.

    As a text, it names options neutrally (``keep-going: true``). A part that is a ``Hint`` itself is omitted if the
    reader does not have one of its options; any other hint is then omitted as a whole. *not_for*: the commands that the
    hint does not apply to.
    """

    __slots__ = ("not_for", "parts")
    parts: "tuple[str | OptionNamed, ...]"
    not_for: frozenset[str]

    def __new__(cls, *parts: "str | OptionNamed", not_for: Iterable[str] = ()) -> Self:
        """Put a hint together from text and options."""
        hint = super().__new__(cls, "".join(map(str, parts)))
        hint.parts = parts
        hint.not_for = frozenset(not_for)
        return hint

    def for_reader(self, reader: Reader) -> str | None:
        """Return the hint as *reader* writes options; None if it does not apply to them."""
        if reader.command in self.not_for:
            return None
        said = []
        for part in self.parts:
            if isinstance(part, OptionNamed):
                spelled = reader.spell_option(part)
                if spelled is None:
                    return None
                said.append(spelled)
            else:
                said.append((part.for_reader(reader) or "") if isinstance(part, Hint) else part)
        return "".join(said)


def hints_for_reader(reader: Reader, hints: Iterable[str]) -> tuple[str, ...]:
    """Return the *hints* that apply to *reader*, each once, with options as *reader* writes them."""
    said = (hint.for_reader(reader) if isinstance(hint, Hint) else hint for hint in hints)
    return tuple(dict.fromkeys(text for text in said if text))


WITHOUT_ATTESTATIONS = Hint(
    "Or publish without attestations: ", option("attestations", "off"), not_for=("attest", "verify")
)


SET_API_TOKEN = Hint(
    "Provide an API token: set ",
    option("password"),
    Hint(", or pass it on standard input with ", option("password_stdin")),
    ".",
)
