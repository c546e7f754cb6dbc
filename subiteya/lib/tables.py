"""Tables for a terminal."""

from __future__ import annotations


def table(rows: list[list[str]]) -> str:
    """Columns as wide as their widest cell; the last may be as long as it likes."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows)
