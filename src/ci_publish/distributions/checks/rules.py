"""What a check rule is: a row of the table in ``checks.table`` (pure).

Each family of rules is a module of this package, with its rows in ``RULES``. A fault that is found while an archive or
its metadata is read needs only a row; other rows name the function that computes it.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum, StrEnum

from ci_publish.distributions.checks.comparison.stated import Stated
from ci_publish.distributions.faults import Fault, Rendering
from ci_publish.distributions.sdist_reading import SdistContents
from ci_publish.distributions.wheel_reading import ZipContents
from ci_publish.hints import Hint, option
from ci_publish.model.distribution import Collection, Kind
from ci_publish.model.frozen import frozen
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from ci_publish.model.release import Comparison


class Stage(IntEnum):
    """When PyPI's server checks, from the form to the content (warehouse/forklift/legacy.py:635-1660)."""

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


@frozen(kw_only=True)
class CheckedFile:
    """One file, with everything that rules may check.

    ``form`` is the upload form: the core metadata as the server gets them. ``metadata_faults`` were found when the
    file's own metadata was read, ``rendering`` is the result of rendering its description. Exactly one of ``wheel`` and
    ``sdist`` is set once the archive was read.
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

    def form_value(self, name: str) -> str:
        """Return the first value of a form field, "" if there is none."""
        return next(iter(self.form.get(name, ())), "")


def note_hint(rule: str, where: str) -> Hint:
    """Return the hint how to turn an adjustable rule into a note, *where* its finding is intended."""
    return Hint(f" {where}, make the rule a note (", option("rules", f"{rule}=note"), ").")


class Ground(StrEnum):
    """Why a rule that is not adjustable is not weakened; completes the sentence "the rule …"."""

    REFUSAL = "reflects a rejection by the index"
    MACHINE = "protects the machine that reads the file"
    INTENT = "ensures that the run does what was requested"


@frozen(kw_only=True)
class Rule:
    """One check: what it means, its severity in each index profile, and how it is computed.

    ``generic`` is the severity for indexes other than PyPI where it differs from ``pypi``; with ``pypi_only`` they
    accept what the rule finds. ``stage`` is when PyPI's server checks it. ``check`` computes the faults of one file,
    ``check_set`` those of all files, and ``compare`` those of a release compared with the previous one; without any,
    they are found while the file is read. Users may weaken a rule that is ``adjustable``; ``ground`` says why they may
    not.
    """

    id: str
    pypi: Severity
    cause: str
    source: str
    example: str
    fix: str
    generic: Severity | None = None
    pypi_only: bool = False
    stage: Stage = Stage.NEVER
    check: Callable[[CheckedFile], Iterable[Fault]] | None = None
    check_set: Callable[[Collection], Iterable[Fault]] | None = None
    compare: Callable[[Comparison, Stated], Iterable[Fault]] | None = None
    adjustable: bool = False
    ground: Ground = Ground.REFUSAL

    def faults_of_file(self, file: CheckedFile) -> Iterable[Fault]:
        """Return the faults of one file, computed or found while reading it."""
        if self.check is not None:
            return self.check(file)
        contents = file.wheel or file.sdist
        found = (*(contents.faults if contents else ()), *file.metadata_faults, *file.form_faults)
        return [fault for fault in found if fault.rule == self.id]

    @property
    def severity_elsewhere(self) -> Severity | None:
        """The severity for indexes other than PyPI, None if they accept what the rule finds."""
        return None if self.pypi_only else self.generic or self.pypi

    def severity_for_profiles(self, profiles: Iterable[IndexProfile]) -> Severity | None:
        """Return the highest severity for *profiles* (PyPI's if there are none), None if all accept it."""
        chosen = {self.pypi if profile is IndexProfile.PYPI else self.severity_elsewhere for profile in profiles}
        return next((severity for severity in Severity if severity in (chosen or {self.pypi})), None)
