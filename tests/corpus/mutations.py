"""Seeded damage: what disks, networks, editors and attackers do to archives."""

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Iterator

from tests.corpus.build import Sdist, Wheel, metadata, tar_info

Mutation = Callable[[bytes, random.Random], bytes]

SIGNATURES = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07")


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def truncate(data: bytes, rng: random.Random) -> bytes:
    cut = rng.randrange(len(data) + 1)
    return data[:cut] if rng.random() < 0.7 else data[cut:]


def swap_blocks(data: bytes, rng: random.Random) -> bytes:
    first, second = sorted(rng.randrange(len(data)) for _ in range(2))
    size = rng.choice((1, 4, 30, 46, 512))
    return (
        data[:first]
        + data[second : second + size]
        + data[first + size : second]
        + data[first : first + size]
        + data[second + size :]
    )


def insert_member(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    some = rng.randrange(len(data))
    return data[:at] + data[some : some + rng.choice((30, 100, 512, 1024))] + data[at:]


def set_field(data: bytes, rng: random.Random) -> bytes:
    """Write an extreme number somewhere near a ZIP record, or anywhere."""
    positions = [position for signature in SIGNATURES if (position := data.find(signature)) >= 0] or [0]
    at = min(rng.choice(positions) + rng.randrange(48), max(len(data) - 8, 0))
    value = rng.choice((0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF))
    width = rng.choice("BHLQ")
    mask = (1 << (8 * struct.calcsize(f"<{width}"))) - 1
    packed = struct.pack(f"<{width}", value & mask)
    return data[:at] + packed + data[at + len(packed) :]


def swap_headers(data: bytes, rng: random.Random) -> bytes:
    """Exchange one record's signature for another's."""
    signature = rng.choice(SIGNATURES)
    return data.replace(signature, rng.choice(SIGNATURES), rng.choice((1, -1)))


MUTATIONS: tuple[Mutation, ...] = (flip_bits, truncate, swap_blocks, insert_member, set_field, swap_headers)


def inside_gzip(mutation: Mutation) -> Mutation:
    """The same damage to the tar archive inside of an sdist, compressed again."""

    def mutate(data: bytes, rng: random.Random) -> bytes:
        return gzip.compress(mutation(zlib.decompress(data, 31), rng), 1, mtime=0)

    return mutate


def _bases() -> tuple[tuple[str, bytes], ...]:
    text = metadata(
        fields=[("License-File", "LICENSE"), ("Requires-Dist", "other>=1"), ("Description-Content-Type", "text/plain")],
        body="Hello, wörld.\n",
    )
    info = "demo_pkg-1.0.dist-info"
    members = (
        ("demo_pkg/__init__.py", b"ANSWER = 42\n"),
        ("demo_pkg/data.bin", bytes(range(256)) * 20),
        ("demo_pkg/déjà vu.txt", b"again"),
        (f"{info}/licenses/LICENSE", b"MIT"),
    )
    scripts = b"[console_scripts]\ndemo = demo_pkg:main\n"
    rich = Wheel(metadata=text, members=members, entry_points=scripts)
    stored = rich.with_(method="stored")
    long = "d" * 90 + "/" + "e" * 120
    extra = (tar_info("demo_pkg-1.0/link", b"2", "demo_pkg/__init__.py"), b"")
    sdist = Sdist(metadata=text, members=(("LICENSE", b"MIT"), (long, b"long"), ("é.txt", b"x")), extra=(extra,))
    return tuple((each.filename, each.build()) for each in (rich, stored, sdist, sdist.with_(format=1)))


BASES = _bases()


def mutated(seed: int) -> tuple[str, bytes]:
    """The filename and the content of a mutation, the same for a seed each time."""
    rng = random.Random(seed)  # noqa: S311 - damage has to be repeatable
    filename, data = rng.choice(BASES)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutation = rng.choice(MUTATIONS)
        if filename.endswith(".tar.gz") and rng.random() < 0.6:
            try:
                data = inside_gzip(mutation)(data, rng)
            except (zlib.error, IndexError, ValueError):
                continue
        elif data:
            data = mutation(data, rng)
    return filename, data


def all_mutations(count: int) -> Iterator[tuple[int, str, bytes]]:
    for seed in range(count):
        yield seed, *mutated(seed)
