"""Rules about what happens when a file is installed (pure): found by ``rehearse --install`` only.

Nothing here reads a file; ``rehearsal.installation`` finds the faults, and these rows explain them.
"""

from typing import Final

from ci_publish.distributions.checks.rules import Ground, Rule
from ci_publish.hints import Hint, option
from ci_publish.model.problem import Severity

_INSTALLED: Final = "`rehearse --install`, from the output of the installer and of the interpreter."
_LATE: Final = Hint(" If it needs more time: ", option("install_timeout", "SECONDS"), ".")

RULES: Final = (
    Rule(
        id="install-unresolvable",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "The file, with each of its extras, must be installable with its dependencies. Otherwise, a dependency "
            "does not exist, has no matching version or conflicts with another dependency."
        ),
        source=_INSTALLED,
        example="`Requires-Dist: reqeusts`; `Requires-Dist: numpy<1` on Python 3.13",
        fix=(
            "Correct Requires-Dist, or publish the missing dependencies first. The installer's last lines show the "
            "reason."
        ),
    ),
    Rule(
        id="install-sibling-pin",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "If a file requires another project in the run, a file in the run must satisfy the requirement. Only the "
            "rehearsed files of that project are available."
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
            "The sdist must build with only its `build-system.requires`, and without reading files outside the sdist."
        ),
        source="PEP 517, PEP 518; " + _INSTALLED,
        example=(
            "`setup.py` reads `../VERSION`, a C header is missing from the sdist, or a build requirement is missing"
        ),
        fix=(
            "Add the missing files to the sdist and the missing requirements to build-system.requires. Then try a "
            "build from an extracted sdist."
        ),
    ),
    Rule(
        id="install-wrong-version",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="The installed version must be the version in the filename.",
        source="PEP 517, PEP 625; " + _INSTALLED,
        example=(
            "`demo-1.2.tar.gz` that builds as version 0.0.0, because setuptools-scm finds no tag in an extracted sdist"
        ),
        fix="Store the version in the sdist, either in a generated version file or as a static `version`.",
    ),
    Rule(
        id="install-import",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="The top-level modules must be importable after the installation.",
        source=_INSTALLED,
        example="`import demo` fails: No module named 'requests' (not in Requires-Dist)",
        fix=Hint(
            "Add what is missing to the file or to Requires-Dist.",
            Hint(" If the import cannot work in this environment: ", option("no_import", "true"), "."),
        ),
    ),
    Rule(
        id="install-extra-module",
        pypi=Severity.NOTE,
        adjustable=True,
        cause="A module can be imported only with an extra, which may be intended.",
        source=_INSTALLED,
        example="`import demo.plots` requires `matplotlib`, which belongs to the extra `plots`",
        fix="If the module should also work without the extra, import the dependency where it is used.",
    ),
    Rule(
        id="install-script",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Each function that a console script refers to must exist.",
        source="Entry points specification; " + _INSTALLED,
        example="`demo = demo.cli:main`, but `demo.cli` has no `main`",
        fix="Correct the entry point, or add the function.",
    ),
    Rule(
        id="install-tag",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "A wheel must work on every interpreter in its tags. Otherwise, its code was built for a different "
            "interpreter, platform or library version, or uses newer syntax."
        ),
        source="PEP 425, PEP 600; " + _INSTALLED,
        example=(
            "a `py3-none-any` wheel with a library for CPython 3.12 on macOS, or with `match` statements for Python 3.9"
        ),
        fix=(
            "Correct the tags where the wheel is built (auditwheel and delocate check them), or correct "
            "Requires-Python."
        ),
    ),
    Rule(
        id="install-inconsistent",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "After the installation, the dependencies of every distribution in the environment must be installed (`pip "
            "check`)."
        ),
        source=_INSTALLED,
        example="a wheel that contains the metadata of a second project, whose requirements are not installed",
        fix="Remove files that do not belong to the project, or add their requirements to Requires-Dist.",
    ),
    Rule(
        id="install-command",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "Each command (`run`) must exit with code 0. Commands run in an empty folder, with the environment's "
            "programs on `PATH`."
        ),
        source=_INSTALLED,
        example="`demo --version`",
        fix=Hint("See the command's last lines.", _LATE),
    ),
    Rule(
        id="install-failed",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="The file cannot be installed, even without its dependencies.",
        source=_INSTALLED,
        example="an archive that the installer cannot extract, or an environment that cannot be created",
        fix=Hint("See the installer's last lines.", _LATE),
    ),
    Rule(
        id="install-not-tried",
        pypi=Severity.NOTE,
        adjustable=True,
        cause="None of the selected interpreters supports the file, so its installation was not tested.",
        source=_INSTALLED,
        example="a wheel for macOS on Linux; with `require-tried`, this causes an error",
        fix=Hint(
            "Select an interpreter that supports the file",
            Hint(" (", option("python"), ")"),
            ", or test it on its own platform.",
        ),
    ),
)
