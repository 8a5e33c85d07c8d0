"""Distributions drawn by seed: names, tags, metadata and archives of all kinds, good and bad ones mixed."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.corpus.build import Sdist, Wheel, appended, cut, metadata, prepended
from tests.corpus.mutations import flip_bits, set_field, swap_blocks, truncate

_TAGS: Final = (
    *("any", "win32", "win_amd64", "win_arm64", "win_ia64", "linux_armv7l", "macosx_10_9_x86_64", "macosx_11_0_arm64"),
    *("macosx_26_0_universal2", "manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_aarch64"),
    *("ios_13_0_arm64_iphonesimulator", "android_24_arm64_v8a", "pyemscripten_2025_0_wasm32", "Win_AMD64"),
)
_BAD_TAGS: Final = (
    *("win64", "any (1)", "none", "all", "macosx", "darwin_arm64", "manylinux_2_17_amd64", "manylinux3_x86_64"),
    *("win_x86_64", "musllinux_1_1_x86", "ios_13_arm64_iphoneos", "linux_x86_64", "linux", "pyodide_2024_0_wasm32"),
    *("macosx_11_1_arm64", "macosx_16_0_arm64", "macosx_27_1_arm64", "manylinux_2014_x86_64", "manylinx_2_17_x86_64"),
    *("manylinux2014_riscv64", "android_24_arm64", "noarch", "any.linux_x86_64", "x86_64", "windows_amd64"),
)
_NEW_TAGS: Final = (
    *("macosx_27_0_arm64", "freebsd_14_amd64", "tvos_17_0_arm64_appletvos", "uclibclinux_1_0_x86_64"),
    *("manylinux_2_40_loongarch64", "win_riscv64", "wasi_0_2_wasm32", "any.openbsd_7_5_amd64"),
)
_FIELDS: Final = (
    *(("Summary", "x" * 512), ("Summary", "x" * 513), ("Summary", "UNKNOWN"), ("License", "MIT"), ("Keywords", "a,b")),
    *(("License-Expression", "MIT OR Apache-2.0"), ("License-Expression", "Mitt"), ("License-File", "LICENSE")),
    *(
        ("License-File", "../LICENSE"),
        ("License-File", "a\\b"),
        ("Author-Email", "nobody"),
        ("Author-Email", "a@b.c"),
    ),
    *(("Author-Email", "Ann <ann@example.com>, Bob"), ("Maintainer-Email", "a@example..com"), ("Platform", "any")),
    *(("Home-Page", "example.com"), ("Home-Page", "https://example.com"), ("Download-URL", "ftp://example.com")),
    *(("Project-URL", "Docs, https://example.com"), ("Project-URL", f"{'x' * 33}, https://example.com")),
    *(("Project-URL", ", https://example.com"), ("Project-URL", "Docs"), ("Project-URL", "Docs, example.com")),
    *(("Classifier", "Typing :: Typed"), ("Classifier", "typing :: typed"), ("Classifier", "Typing::Typed")),
    *(("Classifier", "Framework :: Brand New"), ("Classifier", "Private :: No"), ("Classifier", "UNKNOWN")),
    *(("Classifier", "Natural Language :: Ukranian"), ("Requires-Python", ">=3.9"), ("Requires-Python", "3.9")),
    *(("Requires-Dist", "other>=1"), ("Requires-Dist", "other (1.0"), ("Requires-Dist", "a @ https://example.com/a")),
    *(("Provides-Dist", "b>=1"), ("Obsoletes-Dist", "b (1"), ("Provides-Extra", "x"), ("Provides-Extra", "X_y")),
    *(("Dynamic", "Requires-Dist"), ("Dynamic", "Name"), ("Dynamic", "Colour"), ("Import-Name", "my-demo")),
    *(("Import-Name", "demo_pkg"), ("Import-Namespace", "demo"), ("Licence", "MIT"), ("Supported-Platform", "x")),
    *(("Description-Content-Type", "text/markdown"), ("Description-Content-Type", "text/html")),
    *(("Description-Content-Type", "text/plain; charset=utf-8"), ("Description-Content-Type", "text/x-rst")),
    *(("Description-Content-Type", "text/markdown; variant=gfm"), ("Requires-External", "libc"), ("Author", "Ann")),
)
_BODIES: Final = (
    "",
    "",
    "Hello\n",
    "# Hello\n",
    "Title\n==\n\n.. nonsense::\n",
    "`broken <link\n",
    "   \n",
    "Title\n=====\n",
)
_METADATA_VERSIONS: Final = (
    "1.0",
    "1.2",
    "2.1",
    "2.2",
    "2.3",
    "2.4",
    "2.4",
    "2.4",
    "2.5",
    "2.6",
    "2.7",
    "2.0",
    "3.0",
    "x",
)
_VERSIONS: Final = ("1.0", "1.0", "1.0", "1.0", "1.0.0", "v1.0", "1.1", "1.0+cu12", "latest", "1.0rc1", "1.0.post9")
_NAMES: Final = ("demo-pkg", "demo-pkg", "demo-pkg", "Demo.Pkg", "demo_pkg", "-demo", "other")
_SPELLINGS: Final = ("demo_pkg", "demo_pkg", "demo_pkg", "Demo_Pkg", "demo-pkg", "demo.pkg", "other")
_MEMBERS: Final = (
    *(
        ("demo_pkg/x.py", b"x = 1\n"),
        ("../x.py", b""),
        ("/etc/x", b""),
        ("demo_pkg/\x1b.py", b""),
        ("demo_pkg/é.py", b""),
    ),
    *(("demo_pkg/__init__.py", b"TWICE = 1\n"), ("demo_pkg/zeros.bin", bytes(70_000)), ("PKG-INFO", b"")),
    *(("demo_pkg/p.py", b"from pytransform import x; __pyarmor" + b"__(__name__, __file__, b'')\n"), ("a/b/", b"")),
)
_PYTHONS: Final = ("py3-none", "py2.py3-none", "cp313-cp313", "cp311-abi3")
_FOLDERS: Final = ("Demo_Pkg-1.0.dist-info", "demo.pkg-1.0.dist-info", "x.dist-info")
_ENTRY_POINTS: Final = (
    *(b"[console_scripts]\ndemo = demo_pkg:main\n", b"[console_scripts]\na/b = demo_pkg:main\n"),
    *(b"[console_scripts\n", b"\xff\n", b"[gui_scripts]\nx: y\n"),
)
_RECORDS: Final = (b"", b"a,b,c\n\nd,e,f\n", b"\xff\n", b'"unclosed\n')
_PATCHES: Final[Sequence[Callable[[bytes, random.Random], bytes]]] = (
    flip_bits,
    truncate,
    swap_blocks,
    set_field,
    lambda data, _: appended(b"more")(data),
    lambda data, _: prepended(b"less")(data),
    lambda data, rng: cut(rng.random())(data),
)


@dataclass(frozen=True)
class Drawn:
    """A file to be judged."""

    seed: int
    filename: str
    content: bytes


def drawn(count: int) -> Iterator[Drawn]:
    """Yield *count* distributions, the same for the same count each time."""
    for seed in range(count):
        rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
        yield _sdist(seed, rng) if _chance(rng, 3) else _wheel(seed, rng)


def _chance(rng: random.Random, one_in: int) -> bool:
    return rng.randrange(one_in) == 0


def _metadata(rng: random.Random) -> bytes:
    usual = not _chance(rng, 6)
    return metadata(
        "demo-pkg" if usual else rng.choice(_NAMES),
        "1.0" if usual else rng.choice(_VERSIONS),
        metadata_version=rng.choice(("2.4", "2.5")) if usual else rng.choice(_METADATA_VERSIONS),
        fields=rng.sample(_FIELDS, rng.choice((0, 0, 0, 1, 1, 2))),
        body=rng.choice(_BODIES) if _chance(rng, 4) else "Hello, world\n",
    )


def _stem(rng: random.Random) -> str:
    return f"{rng.choice(_SPELLINGS)}-{rng.choice(_VERSIONS)}" if _chance(rng, 8) else "demo_pkg-1.0"


def _wheel(seed: int, rng: random.Random) -> Drawn:
    tag = rng.choice(rng.choice((_TAGS, _TAGS, _TAGS, _BAD_TAGS, _NEW_TAGS)))
    python = rng.choice(("1-cp313-abi3", "none", "cp313--")) if _chance(rng, 12) else rng.choice(_PYTHONS)
    more = rng.sample(_MEMBERS, rng.choice((1, 2))) if _chance(rng, 5) else ()
    file = Wheel(
        f"{_stem(rng)}-{python}-{tag}.whl",
        None if _chance(rng, 40) else _metadata(rng),
        members=(("demo_pkg/__init__.py", b"ANSWER = 42\n"), *more),
        entry_points=rng.choice(_ENTRY_POINTS) if _chance(rng, 4) else None,
        record=rng.choice(_RECORDS) if _chance(rng, 10) else None,
        without_record=_chance(rng, 40),
        folder=rng.choice(_FOLDERS) if _chance(rng, 12) else "",
        method="bzip2" if _chance(rng, 20) else rng.choice(("stored", "deflated")),
    )
    return Drawn(seed, file.filename, _patched(file.build(), rng))


def _sdist(seed: int, rng: random.Random) -> Drawn:
    file = Sdist(
        f"{_stem(rng)}.tar.gz",
        None if _chance(rng, 30) else _metadata(rng),
        top=rng.choice(("other", ".")) if _chance(rng, 10) else "demo_pkg-1.0",
        loose=tuple(rng.sample(_MEMBERS, 1)) if _chance(rng, 8) else (),
    )
    return Drawn(seed, file.filename, _patched(file.build(), rng))


def _patched(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(_PATCHES)(data, rng) if _chance(rng, 8) else data
