"""Formats numbers of bytes (pure).

Sizes are in decimal units, as on PyPI's pages of files and in pip's output: 1 MB is 1,000,000 bytes. Limits are in the
binary unit in which they are set, as on the settings page of a project: 100 MiB, not 104.9 MB.

Source: ``filesizeformat`` in warehouse/templates/includes/packaging/project-files.html, and with ``binary=True`` in
warehouse/templates/manage/project/settings.html.
"""

from typing import Final

_STEP: Final = 1000
_UNITS: Final = ("kB", "MB", "GB", "TB")
_BINARY: Final = ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB"))


def format_size(size: int, digits: int = 1) -> str:
    """Return a size: ``1.5 MB``, ``10.0 GB``, ``999 B``."""
    if size < _STEP:
        return f"{int(size)} B"  # an int subclass may format itself differently
    value, unit = size / _STEP, 0
    while value >= _STEP - 0.5 / 10**digits and unit < len(_UNITS) - 1:  # it would be rounded up to 1000
        value, unit = value / _STEP, unit + 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def format_limit(limit: int) -> str:
    """Return a limit: ``100 MiB`` for a whole number of binary units, otherwise as a size: ``200.0 MB``."""
    for power, name in _BINARY:
        if limit % 1024**power == 0 and limit % 1000**power:
            return f"{limit // 1024**power:,} {name}"
    return format_size(limit)


def format_size_and_limit(size: int, limit: int, digits: int = 1) -> tuple[str, str]:
    """Return a size and the limit that it is compared with: ``110.0 MB``, ``100 MiB (104.9 MB)``.

    They are in bytes where larger units would look the same.
    """
    shown, most = format_size(size, digits), format_size(limit, digits)
    if shown == most:
        shown, most = f"{size:,} B", f"{limit:,} B"
    named = format_limit(limit)
    return shown, most if named == format_size(limit) else f"{named} ({most})"
