"""Rules about what happens when a file is installed (pure): found by ``rehearse --install`` only.

Nothing here reads a file; ``rehearsal.installation`` finds the faults, and these rows explain them.
"""

from typing import Final

from ci_publish.distributions.checks.rules import Ground, Rule
from ci_publish.hints import Hint, option
from ci_publish.model.problem import Severity

_INSTALLED: Final = "`rehearse --install`: what pip or uv says, and what the interpreter says afterwards."
_LATE: Final = Hint(" Where it needs more time: ", option("install_timeout", "SECONDS"), ".")

RULES: Final = (
    Rule(
        id="install-unresolvable",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "The file, with each of its extras, can be installed with everything that it requires. If not, a "
            "requirement does not exist, has no matching version, or conflicts with another one."
        ),
        source=_INSTALLED,
        example="`Requires-Dist: reqeusts`; `Requires-Dist: numpy<1` on Python 3.13",
        fix="Correct Requires-Dist, or publish what it names first. The installer's last lines say why.",
    ),
    Rule(
        id="install-sibling-pin",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "A requirement for a project of the same run is met by a file of this run, because only the rehearsed "
            "files of that project are available."
        ),
        source=_INSTALLED,
        example="`plugin` 1.1 has `Requires-Dist: core==1.1`, and this run publishes `core` 1.0",
        fix="Publish the required version in the same run, or correct the pin.",
    ),
    Rule(
        id="install-sdist-build",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "The sdist can be built with only its `build-system.requires` installed, and without reading anything "
            "outside it."
        ),
        source="PEP 517, PEP 518; " + _INSTALLED,
        example="`setup.py` reads `../VERSION`; a C header is missing from the sdist; a build requirement is missing",
        fix="Add what the build needs to the sdist and to build-system.requires, and try a build from an unpacked"
        " sdist.",
    ),
    Rule(
        id="install-wrong-version",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="The installed version is the version in the filename.",
        source="PEP 517, PEP 625; " + _INSTALLED,
        example="`demo-1.2.tar.gz` that builds as 0.0.0, because setuptools-scm finds no tag in an unpacked sdist",
        fix="Store the version in the sdist (a generated version file, or a static `version`).",
    ),
    Rule(
        id="install-import",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="The file's top-level modules can be imported after installation.",
        source=_INSTALLED,
        example="`import demo` fails: No module named 'requests' (not in Requires-Dist)",
        fix=Hint(
            "Add what is missing to the file or to Requires-Dist.",
            Hint(" If importing cannot work here: ", option("no_import", "true"), "."),
        ),
    ),
    Rule(
        id="install-extra-module",
        pypi=Severity.NOTE,
        adjustable=True,
        cause="Every module can be imported without extras. If one needs an extra, that may be intended.",
        source=_INSTALLED,
        example="`import demo.plots` needs `matplotlib`, which is in the extra `plots`",
        fix="Import it where it is used, if the module should also work without the extra.",
    ),
    Rule(
        id="install-script",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Every function that a console script refers to exists.",
        source="Entry points specification; " + _INSTALLED,
        example="`demo = demo.cli:main`, but `demo.cli` has no `main`",
        fix="Correct the entry point, or add the function.",
    ),
    Rule(
        id="install-tag",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "A wheel works on every interpreter that its tags claim. If its own code cannot be loaded, it was "
            "built for another interpreter, platform or library version, or uses newer syntax."
        ),
        source="PEP 425, PEP 600; " + _INSTALLED,
        example="a `py3-none-any` wheel with a library for CPython 3.12 on macOS; `match` statements on Python 3.9",
        fix="Correct the tags where the wheel is built (auditwheel and delocate check them), or Requires-Python.",
    ),
    Rule(
        id="install-inconsistent",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="After installation, every distribution in the environment has its requirements installed (`pip check`).",
        source=_INSTALLED,
        example="a wheel that contains the metadata of a second project, whose requirements are not installed",
        fix="Remove what does not belong in the file, or add its requirements to Requires-Dist.",
    ),
    Rule(
        id="install-command",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Each command (`run`) exits with code 0, in an empty folder and with the environment's programs on PATH.",
        source=_INSTALLED,
        example="`demo --version`",
        fix=Hint("See the command's last lines.", _LATE),
    ),
    Rule(
        id="install-failed",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="The file can be installed at all. If not, the installer refuses it even without its requirements.",
        source=_INSTALLED,
        example="an archive that the installer cannot unpack; an environment that cannot be created",
        fix=Hint("See the installer's last lines.", _LATE),
    ),
    Rule(
        id="install-not-tried",
        pypi=Severity.NOTE,
        adjustable=True,
        cause="Every file was installed. If not, none of the given interpreters fits the file.",
        source=_INSTALLED,
        example="a wheel for macOS, tried on Linux; `require-tried` makes this an error",
        fix=Hint(
            "Name an interpreter that fits", Hint(" (", option("python"), ")"), ", or try the file on its own platform."
        ),
    ),
)
