"""A hint names options; whoever reads it gets them as they write them, or gets no hint."""

from dataclasses import dataclass

from ci_publish.hints import Hint, OptionNamed, hints_for_reader, option


@dataclass(frozen=True)
class Flags:
    """A reader who writes flags and has only some options."""

    command: str = "publish"
    known: tuple[str, ...] = ("deadline", "jobs")

    def spell_option(self, named: OptionNamed) -> str | None:
        if named.name not in self.known:
            return None
        return f"--{named.name}" if named.value is None else f"--{named.name} {named.value}"


LONGER = Hint("A longer wait: ", option("deadline", "SECONDS"))


def test_as_a_text_a_hint_names_options_neutrally() -> None:
    assert LONGER == "A longer wait: deadline: SECONDS"
    assert Hint("Omit ", option("skip_existing"), ".") == "Omit skip-existing."


def test_a_reader_gets_the_options_as_they_are_written_there() -> None:
    assert LONGER.for_reader(Flags()) == "A longer wait: --deadline SECONDS"


def test_a_hint_whose_option_the_reader_does_not_have_is_none() -> None:
    assert LONGER.for_reader(Flags(known=())) is None


def test_a_hint_within_a_hint_is_left_out_alone() -> None:
    hint = Hint("Wait", Hint(" with ", option("jobs", "1")), Hint(" or ", option("deadline")), ".")
    assert hint.for_reader(Flags(known=("deadline",))) == "Wait or --deadline."
    assert hint.for_reader(Flags(known=())) == "Wait."


def test_a_hint_may_be_none_for_a_command() -> None:
    hint = Hint("Run it again.", not_for=["verify"])
    assert hint.for_reader(Flags()) == "Run it again."
    assert hint.for_reader(Flags("verify")) is None


def test_hints_that_are_equal_for_the_reader_are_said_once() -> None:
    hints = ("Plain.", LONGER, Hint("A longer wait: --deadline SECONDS"), Hint(option("unknown")), "Plain.")
    assert hints_for_reader(Flags(), hints) == ("Plain.", "A longer wait: --deadline SECONDS")
