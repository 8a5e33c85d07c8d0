"""What a rule is, and the register of all of them (pure).

Each family of rules is one file beside this one. What comes up when an archive or its metadata is read is a row
(``found``). What is computed from that is a function with the ``rule`` decorator; its id is its name with dashes, its
docstring gives the cause and, after "Source:", where the rule comes from. The order of registration within a stage is
the order in which PyPI's server checks.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Final

from ci_publish.distributions.faults import Fault, Rendering, ServerRefusal
from ci_publish.distributions.sdists import SdistContents
from ci_publish.distributions.wheels import ZipContents
from ci_publish.model.distribution import Collection, Kind
from ci_publish.model.frozen import frozen
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity

MOST_FOR_ONE_RULE: Final = 5


class Family(StrEnum):
    """The families of rules, one file each."""

    FILENAME = "filename"
    TAGS = "platform tags"
    ARCHIVE = "archives"
    WHEEL = "wheels"
    SDIST = "sdists"
    METADATA = "core metadata"
    SET = "set"
    SIZES = "sizes"


class Stage(IntEnum):
    """When the server looks, from the form to the content (warehouse/forklift/legacy.py:635-1660)."""

    FORM = 1
    DESCRIPTION = 2
    FILENAME = 3
    ARCHIVE = 4
    WHEEL_FILE = 5
    SCAN = 6
    FRAMING = 7
    NAMES = 8
    LICENSES = 9
    RECORD = 10
    ENTRY_POINTS = 11
    METADATA_FILE = 12
    NEVER = 99


@frozen
class CheckedFile:
    """One file, with everything that rules may ask about it.

    ``form`` is the upload form: what the server knows of the core metadata. ``metadata_faults`` came up when the file's
    own metadata was read, ``rendering`` is what came of its description. Exactly one of ``wheel`` and ``sdist`` is set
    once the archive was read.
    """

    filename: str
    kind: Kind
    size: int
    form: Mapping[str, tuple[str, ...]]
    wheel: ZipContents | None = None
    sdist: SdistContents | None = None
    metadata_faults: tuple[Fault, ...] = ()
    form_faults: tuple[Fault, ...] = ()
    rendering: Rendering = Rendering()
    unknown_fields: tuple[str, ...] = ()
    repeated_fields: tuple[str, ...] = ()

    def value(self, name: str) -> str:
        """Return the first value of a form field, "" where there is none."""
        return next(iter(self.form.get(name, ())), "")

    @property
    def archive_faults(self) -> tuple[Fault, ...]:
        """What reading the archive brought up."""
        contents = self.wheel or self.sdist
        return () if contents is None else contents.faults


FileCheck = Callable[[CheckedFile], Iterable[Fault]]
SetCheck = Callable[[Collection], Iterable[Fault]]


@frozen
class Rule:
    """One check: what it means, how much it weighs for each profile, and how to look."""

    id: str
    family: Family
    stage: Stage
    pypi: Severity
    generic: Severity | None
    cause: str
    source: str
    example: str
    cure: str
    check: FileCheck | None = None
    check_set: SetCheck | None = None
    about_file: bool = False

    def faults(self, file: "CheckedFile") -> Iterable[Fault]:
        """Return what this rule says about one file: what it computes, or what reading the file brought up."""
        return faults_of(file, self.id) if self.check is None else self.check(file)

    def severity(self, profiles: Iterable[IndexProfile]) -> Severity | None:
        """Return the highest severity for *profiles* (PyPI's where there are none), None where all are content."""
        chosen = [self.pypi if profile is IndexProfile.PYPI else self.generic for profile in profiles] or [self.pypi]
        return next((severity for severity in Severity if severity in chosen), None)


@dataclass(slots=True)
class Registry:
    """All rules, by id, in the order of registration."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def add(self, rule: Rule) -> None:
        """Register a rule; an id is taken once."""
        if rule.id in self.rules:
            raise ValueError(f"rule {rule.id} is registered twice")
        self.rules[rule.id] = rule


REGISTRY: Final = Registry()


def rule(  # noqa: PLR0913 - a rule is declared in one place
    family: Family,
    pypi: Severity,
    generic: Severity | None = None,
    *,
    example: str,
    cure: str,
    stage: Stage = Stage.NEVER,
    pypi_only: bool = False,
) -> Callable[[FileCheck], FileCheck]:
    """Register the decorated function as a rule about one file.

    Without *generic*, both profiles weigh it the same; with *pypi_only*, other indexes welcome what it finds.
    """

    def register(check: FileCheck) -> FileCheck:
        cause, source = _documentation(check.__doc__ or "")
        elsewhere = None if pypi_only else generic or pypi
        made = Rule(_id(check), family, stage, pypi, elsewhere, cause, source, example, cure, check, about_file=True)
        REGISTRY.add(made)
        return check

    return register


def found(  # noqa: PLR0913 - a rule is declared in one place
    rule_id: str,
    family: Family,
    pypi: Severity,
    generic: Severity | None = None,
    *,
    cause: str,
    source: str,
    example: str,
    cure: str,
    stage: Stage = Stage.NEVER,
    pypi_only: bool = False,
) -> None:
    """Register a rule about what reading a file brings up, under this id; the weights are those of ``rule``."""
    elsewhere = None if pypi_only else generic or pypi
    REGISTRY.add(Rule(rule_id, family, stage, pypi, elsewhere, cause, source, example, cure, about_file=True))


def set_rule(
    pypi: Severity, generic: Severity | None = None, *, example: str, cure: str
) -> Callable[[SetCheck], SetCheck]:
    """Register the decorated function as a rule about all files of a run together."""

    def register(check: SetCheck) -> SetCheck:
        cause, source = _documentation(check.__doc__ or "")
        weights = (pypi, generic or pypi)
        REGISTRY.add(Rule(_id(check), Family.SET, Stage.NEVER, *weights, cause, source, example, cure, check_set=check))
        return check

    return register


def _id(check: Callable[..., object]) -> str:
    """Return the rule id that a function's name stands for."""
    return check.__name__.replace("_", "-")


def _documentation(docstring: str) -> tuple[str, str]:
    """Split a rule's docstring into its cause and its source."""
    cause, _, source = docstring.partition("Source:")
    return " ".join(cause.split()), " ".join(source.split())


def faults_of(file: CheckedFile, rule_id: str) -> Iterable[Fault]:
    """Return the faults of one rule that reading the archive or judging the metadata brought up."""
    sources = (file.archive_faults, file.metadata_faults, file.form_faults)
    return [fault for source in sources for fault in source if fault.rule == rule_id]


def problem(fault: Fault, filename: str | None, severity: Severity) -> Problem:
    """Return what people see of a fault: its own advice, or else its rule's."""
    return Problem(filename, fault.rule, severity, fault.message, fault.advice or REGISTRY.rules[fault.rule].cure)


def file_faults(file: CheckedFile, *, metadata: bool = True) -> list[Fault]:
    """Run every rule about single files; without *metadata*, all families but that one."""
    faults: list[Fault] = []
    for each in REGISTRY.rules.values():
        if each.about_file and (metadata or each.family is not Family.METADATA):
            faults += _few(each.faults(file))
    return faults


def set_faults(collection: Collection) -> list[Fault]:
    """Run every rule about the files of a run together."""
    return [
        fault
        for each in REGISTRY.rules.values()
        if each.check_set is not None
        for fault in _few(each.check_set(collection))
    ]


def _few(faults: Iterable[Fault]) -> list[Fault]:
    """Return the first few faults of a rule; the last one says how many more there are."""
    everything = list(faults)
    shown = everything[:MOST_FOR_ONE_RULE]
    if len(everything) > len(shown):
        more = len(everything) - len(shown)
        shown[-1] = replace(shown[-1], message=f"{shown[-1].message} (and {more} more like this)")
    return shown


def refusal_of(faults: Iterable[Fault]) -> ServerRefusal | None:
    """Return the server's answer to a file with these faults: that of the first check that fails there."""
    refusing = [(REGISTRY.rules[fault.rule].stage, fault.refusal) for fault in faults if fault.refusal is not None]
    return min(refusing, key=lambda pair: pair[0])[1] if refusing else None
