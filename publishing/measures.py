"""Lengths, sizes and numbers as people read them."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext


def clock_text(milliseconds: int) -> str:
    """680000 -> 11:20; under a minute with a decimal: 0.4 s."""
    seconds = milliseconds / 1000
    if seconds < 60:
        return gettext("{seconds} s").format(seconds=short(seconds))
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def short(value: float) -> str:
    """A number with at most one decimal, with the language's own mark: 442,7."""
    rounded = round(value, 1)
    return str(number_format(int(rounded) if rounded == int(rounded) else rounded))


def size_text(size: int) -> str:
    """Decimal units, as TikTok counts them: 64000000 -> 64 MB."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{short(size / factor)} {unit}"
    return f"{size} B"
