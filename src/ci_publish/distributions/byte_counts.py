"""How numbers of bytes are written in findings: in binary units, as PyPI counts its limits (pure)."""

from typing import Final

from ci_publish.distributions.limits import KIB, MIB

_UNITS: Final = ((1024 * MIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))


def format_byte_size(size: int, digits: int = 1) -> str:
    """Return a size in the largest unit of which it has one: ``1.5 MiB``, ``10 GiB``, ``1,000 B``."""
    for unit, name in _UNITS:
        if size >= unit:
            number = f"{size / unit:.{digits}f}"
            return f"{number.rstrip('0').rstrip('.')} {name}"
    return format_exact_bytes(size)


def format_exact_bytes(size: int) -> str:
    """Return the exact number of bytes: ``104,857,601 B``."""
    return f"{size:,} B"


def format_size_and_limit(size: int, limit: int) -> tuple[str, str]:
    """Return a size and the limit that it exceeds; in bytes where larger units would not tell them apart."""
    texts = format_byte_size(size), format_byte_size(limit)
    return texts if limit >= KIB and texts[0] != texts[1] else (format_exact_bytes(size), format_exact_bytes(limit))
