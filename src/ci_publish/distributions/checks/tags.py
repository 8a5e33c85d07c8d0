"""Rules about platform tags (pure)."""

import re
from collections.abc import Iterable
from typing import Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ci_publish.distributions.checks.rules import Family, Stage, Subject, rule
from ci_publish.distributions.findings import Fault, refused
from ci_publish.model.distribution import Kind
from ci_publish.model.problem import Severity

# warehouse/forklift/legacy.py:118-229
_PLAIN: Final = frozenset(
    [
        "any",
        "win32",
        "win_arm64",
        "win_amd64",
        "win_ia64",
        "manylinux1_x86_64",
        "manylinux1_i686",
        "manylinux2010_x86_64",
        "manylinux2010_i686",
        "manylinux2014_x86_64",
        "manylinux2014_i686",
        "manylinux2014_aarch64",
        "manylinux2014_armv7l",
        "manylinux2014_ppc64",
        "manylinux2014_ppc64le",
        "manylinux2014_s390x",
        "linux_armv6l",
        "linux_armv7l",
    ]
)
_MAC: Final = re.compile(r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>.*)")
_MAC_ARCHES: Final = frozenset(
    {
        "ppc",
        "ppc64",
        "i386",
        "x86_64",
        "arm64",
        "intel",
        "fat",
        "fat3",
        "fat64",
        "universal",
        "universal2",
    }
)
_MAC_MAJORS: Final = frozenset(
    {
        "11",
        "12",
        "13",
        "14",
        "15",
        "26",
    }
)
_NEWEST_MAC: Final = 26
_LINUX: Final = re.compile(r"(?P<libc>many|musl)linux_(\d+)_(\d+)_(?P<arch>.*)")
_MUSL_ARCHES: Final = frozenset(
    {
        "x86_64",
        "i686",
        "aarch64",
        "armv7l",
        "ppc64le",
        "s390x",
        "riscv64",
    }
)
_MANY_ARCHES: Final = _MUSL_ARCHES | {"ppc64"}
_IOS: Final = re.compile(r"ios_(\d+)_(\d+)_(?P<arch>.*)_(iphoneos|iphonesimulator)")
_ANDROID: Final = re.compile(r"android_(\d+)_(?P<arch>.*)")
_PYEMSCRIPTEN: Final = re.compile(r"pyemscripten_(?P<major>\d+)_(?P<minor>\d+)_wasm32")
_OTHERS: Final = (
    (_IOS, frozenset({"arm64", "x86_64"})),
    (_ANDROID, frozenset({"armeabi_v7a", "arm64_v8a", "x86", "x86_64"})),
)


def accepted(platform: str) -> bool:
    """Say whether PyPI took wheels for this platform in August 2026 (``_valid_platform_tag``)."""
    if platform in _PLAIN or _PYEMSCRIPTEN.match(platform):
        return True
    if (mac := _MAC.match(platform)) is not None:
        new_style = mac["major"] in _MAC_MAJORS and mac["minor"] == "0"
        return (mac["major"] == "10" or new_style) and mac["arch"] in _MAC_ARCHES
    if (linux := _LINUX.match(platform)) is not None:
        return linux["arch"] in (_MUSL_ARCHES if linux["libc"] == "musl" else _MANY_ARCHES)
    return any((match := pattern.match(platform)) and match["arch"] in arches for pattern, arches in _OTHERS)


def never_accepted(platform: str) -> bool:
    """Say whether PyPI will refuse this platform for ever, as opposed to one that this copy may be too old for.

    Plain linux tags promise nothing about the libraries of the machine they were built on, pyodide tags change with
    each release, and macOS versions that are out cannot get another minor number in their tags.
    """
    if platform.startswith(("linux_", "pyodide_")):
        return not accepted(platform)
    mac = _MAC.match(platform)
    return mac is not None and int(mac["major"]) <= _NEWEST_MAC and not accepted(platform)


@rule(
    Family.TAGS,
    Severity.ERROR,
    pypi_only=True,
    stage=Stage.NAMES,
    example="`demo-1.0-cp313-cp313-linux_x86_64.whl`",
    cure="Run auditwheel repair on it, or build in a manylinux or musllinux image (cibuildwheel does both); "
    "set MACOSX_DEPLOYMENT_TARGET for macOS.",
)
def platform_tag(subject: Subject) -> Iterable[Fault]:
    """The platform is one that PyPI takes wheels for; a plain linux tag is not.

    Source: PEP 513, PEP 600, PEP 656; warehouse/forklift/legacy.py:118-229 (``_valid_platform_tag``) and 1440-1450.
    """
    yield from (_fault("platform-tag", subject, tag) for tag in _refused(subject) if never_accepted(tag))


@rule(
    Family.TAGS,
    Severity.WARNING,
    pypi_only=True,
    stage=Stage.NAMES,
    example="`demo-1.0-cp315-cp315-macosx_27_0_arm64.whl`",
    cure="If the platform is new, PyPI may know it already: the index decides. Otherwise correct the tag.",
)
def platform_tag_unknown(subject: Subject) -> Iterable[Fault]:
    """The platform is not among those that PyPI was known to take when this version of ci-publish was made.

    Source: warehouse/forklift/legacy.py:118-229 (``_valid_platform_tag``) and 1440-1450.
    """
    yield from (_fault("platform-tag-unknown", subject, tag) for tag in _refused(subject) if not never_accepted(tag))


def _refused(subject: Subject) -> list[str]:
    """Return the wheel's platform tags that PyPI does not take, sorted."""
    if subject.kind is not Kind.WHEEL:
        return []
    try:
        tags = parse_wheel_filename(subject.filename)[3]
    except InvalidWheelFilename:
        return []
    return sorted({tag.platform for tag in tags if not accepted(tag.platform)})


def _fault(rule_id: str, subject: Subject, tag: str) -> Fault:
    words = f"Binary wheel '{subject.filename}' has an unsupported platform tag '{tag}'."
    return Fault(rule_id, f"PyPI does not accept the platform tag {tag!r}.", refused(words))
