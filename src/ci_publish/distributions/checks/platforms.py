"""Which platform tags PyPI accepts, may accept in the future, and will never accept (pure).

Source: ``_valid_platform_tag`` in warehouse/forklift/legacy.py:118-229.
"""

import re
from typing import Final

_WINDOWS: Final = re.compile(r"win_(?P<arch>.*)\Z")
_WINDOWS_ARCHES: Final = frozenset({"arm64", "amd64", "ia64"})
_PLAIN: Final = frozenset(
    {
        "any",
        "win32",
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
    }
)
_MAC: Final = re.compile(r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>.*)")
_MAC_ARCHES: Final = frozenset(
    {"ppc", "ppc64", "i386", "x86_64", "arm64", "intel", "fat", "fat3", "fat64", "universal", "universal2"}
)
_MAC_MAJORS: Final = frozenset({"11", "12", "13", "14", "15", "26"})
_NEWEST_MAC: Final = 26
_MOST_MAC: Final = 99
_LINUX: Final = re.compile(r"(?P<libc>many|musl)linux_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>.*)")
_MUSL_ARCHES: Final = frozenset({"x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64"})
_MANY_ARCHES: Final = _MUSL_ARCHES | {"ppc64"}
_IOS: Final = re.compile(r"ios_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>.*)_(iphoneos|iphonesimulator)")
_IOS_ARCHES: Final = frozenset({"arm64", "x86_64"})
_ANDROID: Final = re.compile(r"android_(?P<major>\d+)_(?P<arch>.*)")
_ANDROID_ARCHES: Final = frozenset({"armeabi_v7a", "arm64_v8a", "x86", "x86_64"})
_PYEMSCRIPTEN: Final = re.compile(r"pyemscripten_(?P<major>\d+)_(?P<minor>\d+)_wasm32")

_WELL_FORMED: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", re.ASCII)
_ARCHITECTURE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,3}", re.ASCII)

# Names of machines elsewhere: a tag with such a name is a mistake, not a new machine.
_MISNOMERS: Final = frozenset({
    "32bit", "64bit", "aarch", "amd64", "arm", "arm32", "arm64", "armhf", "armv7", "armv8", "i386", "i486", "i586",
    "i686", "ia32", "none", "any", "noarch", "ppc64el", "aarch64", "x32", "x64", "x86", "x86_32", "x86_64",
    "x86_64_v2", "x86_64_v3", "x86_64_v4", "x8664", "win32", "unknown",
})  # fmt: skip
# Families that belong to a known one under another name, or that PyPI decided against (PEP 783 for Pyodide).
_CLOSED_FAMILIES: Final = frozenset({
    "cygwin32", "darwin", "emscripten", "linux", "linux1", "linux2", "mac", "macintosh", "macos", "macosx11", "none",
    "nt", "osx", "pyodide", "win32", "win64", "windows", "winnt",
})  # fmt: skip
_ENOUGH: Final = 5


# The families of tags that may grow: what follows their name, and the machines that PyPI knows in them.
_FAMILIES: Final = {
    "macosx": (_MAC, _MAC_ARCHES),
    "manylinux": (_LINUX, _MANY_ARCHES),
    "musllinux": (_LINUX, _MUSL_ARCHES),
    "ios": (_IOS, _IOS_ARCHES),
    "android": (_ANDROID, _ANDROID_ARCHES),
    "win": (_WINDOWS, _WINDOWS_ARCHES),
}
_FAMILY_NAMES: Final = (*_FAMILIES, "pyemscripten")


def is_accepted_platform(platform: str) -> bool:
    """Return whether PyPI accepted wheels for this platform in August 2026."""
    if platform in _PLAIN or _PYEMSCRIPTEN.match(platform):
        return True
    pattern, machines = _FAMILIES.get(platform.partition("_")[0], (None, ()))
    match = pattern.match(platform) if pattern else None
    if match is None or match["arch"] not in machines:
        return False
    if pattern is not _MAC:
        return True
    return match["major"] == "10" or (match["major"] in _MAC_MAJORS and match["minor"] == "0")


def may_become_accepted_platform(platform: str) -> bool:
    """Return whether PyPI may accept a platform one day that it does not accept yet.

    Such a platform is well-formed: a new version or machine of a family that grows, or a new family. Malformed
    tags, members of a closed family and misspelled tags will never be accepted.
    """
    if _WELL_FORMED.fullmatch(platform) is None:
        return False
    family = platform.partition("_")[0]
    if family not in _FAMILIES:
        letters = family.rstrip("0123456789")
        return family not in _CLOSED_FAMILIES and not any(_is_misspelling_of(letters, name) for name in _FAMILY_NAMES)
    pattern, machines = _FAMILIES[family]
    match = pattern.fullmatch(platform)
    if match is None or not _is_known_or_future_version(match):
        return False
    arch = match["arch"]
    return arch in machines or (
        _ARCHITECTURE.fullmatch(arch) is not None
        and arch not in _MISNOMERS
        and not any(_is_misspelling_of(arch, name) for name in machines)
    )


def _is_known_or_future_version(match: re.Match[str]) -> bool:
    """Return whether the numbers are canonical and, of macOS, in PyPI's list or newer; since 11, the minor one is 0."""
    numbers = [match[name] for name in ("major", "minor") if name in match.re.groupindex]
    if not all(map(_NUMBER.fullmatch, numbers)):
        return False
    if match.re is not _MAC:
        return True
    major, minor = numbers
    return major == "10" or (minor == "0" and (major in _MAC_MAJORS or _NEWEST_MAC < int(major) <= _MOST_MAC))


def _is_misspelling_of(word: str, known: str) -> bool:
    """Return whether *word* is *known* with one typing error.

    Another digit is not an error: armv6l and armv7l are two machines.
    """
    if word == known or word.replace("_", "") == known.replace("_", ""):
        return True
    if len(known) < _ENOUGH:
        return False
    if len(word) == len(known):
        different = [index for index, (one, other) in enumerate(zip(word, known, strict=True)) if one != other]
        first, last = different[0], different[-1]
        if first == last:
            return not (word[first].isdigit() and known[first].isdigit())
        # two neighbours are swapped
        return last == first + 1 and word[first] == known[last] and word[last] == known[first]
    longer, shorter = (word, known) if len(word) > len(known) else (known, word)
    left_out = {index for index in range(len(longer)) if longer[:index] + longer[index + 1 :] == shorter}
    # An extra letter may be another machine (arm64e); a letter typed twice, or omitted, is an error.
    return bool(left_out) and (longer == known or len(left_out) > 1)


def platform_tag_advice(platform: str) -> str:
    """Return what to do about a platform tag that PyPI does not accept."""
    if not platform.isascii() or re.search(r"[^a-z0-9_]", platform):
        return "Restore the file's name as the build wrote it: a browser or a copy has changed it."
    for beginning, what in _ADVICE.items():
        if platform.startswith(beginning):
            return what
    return _GENERAL_ADVICE


_GENERAL_ADVICE: Final = (
    "Build the wheel again with a current backend and do not rename it: a wheel for every platform has the tag `any`."
)
_LINUX_ADVICE: Final = (
    "Run auditwheel repair on it, or build in a manylinux or musllinux image (cibuildwheel does both)."
)
_MAC_ADVICE: Final = "Set MACOSX_DEPLOYMENT_TARGET, and write the tag as macosx_11_0_arm64 or macosx_10_13_x86_64."
_WINDOWS_ADVICE: Final = "Windows has the tags win32, win_amd64 and win_arm64: build again with a current backend."
_ADVICE: Final = {
    "linux": _LINUX_ADVICE,
    "manylinux": "Run auditwheel repair on it; the tags are written like manylinux_2_28_x86_64.",
    "musllinux": "Run auditwheel repair on it; the tags are written like musllinux_1_2_x86_64.",
    "mac": _MAC_ADVICE,
    "osx": _MAC_ADVICE,
    "darwin": _MAC_ADVICE,
    "win": _WINDOWS_ADVICE,
    "nt": _WINDOWS_ADVICE,
    "ios": "The tags of iOS are written like ios_13_0_arm64_iphoneos and ios_13_0_arm64_iphonesimulator.",
    "android": "The tags of Android are written like android_24_arm64_v8a.",
    "pyodide": "Build with pyodide-build for the stable platform of PEP 783: pyemscripten_2025_0_wasm32.",
    "emscripten": "Build with pyodide-build for the stable platform of PEP 783: pyemscripten_2025_0_wasm32.",
    "pyemscripten": "The tags of Emscripten are written like pyemscripten_2025_0_wasm32 (PEP 783).",
}
