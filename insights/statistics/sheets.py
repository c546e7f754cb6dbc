"""Strata as a CSV file: `stratum,arm,successes,failures`, one line per arm."""

from __future__ import annotations

import csv
import io

from insights.statistics.tables import Arm, Stratum

COLUMNS = ("stratum", "arm", "successes", "failures")
ARMS = ("auto", "none")
MAX_BYTES = 5_000_000
#: No agency publishes more; beyond it a cell is a mistake.
DIGITS = 12


class SheetInvalid(Exception):
    """`line` (from 1; 0 for the whole file) is wrong; `code` and `value` say what."""

    def __init__(self, code: str, *, line: int = 0, value: str = "") -> None:
        self.code, self.line, self.value = code, line, value[:80]
        super().__init__(f"line {line}: {code} {value[:80]}")


def strata_read(data: bytes) -> list[Stratum]:
    """The strata of a file, in its order. UTF-8, with or without a byte order mark. Raises SheetInvalid."""
    if len(data) > MAX_BYTES:
        raise SheetInvalid("too_big")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetInvalid("not_utf8", line=data.count(b"\n", 0, error.start) + 1) from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: dict[tuple[str, str], Arm] = {}
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if sorted(header) != sorted(COLUMNS):
            raise SheetInvalid("columns", line=1, value=",".join(header))
        for cells in rows:
            if any(cell.strip() for cell in cells):
                _take(cells, header, rows.line_num, found)
    except csv.Error as error:
        raise SheetInvalid("not_csv", line=rows.line_num, value=str(error)) from None
    if not found:
        raise SheetInvalid("empty")
    names = dict.fromkeys(name for name, _arm in found)
    return [Stratum(name, *(found.get((name, arm), Arm(0, 0)) for arm in ARMS)) for name in names]


def _take(cells: list[str], header: list[str], line: int, found: dict[tuple[str, str], Arm]) -> None:
    if len(cells) != len(header):
        raise SheetInvalid("cells", line=line, value=str(len(cells)))
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    name, arm = row["stratum"].removeprefix("'"), row["arm"]
    if not name:
        raise SheetInvalid("no_stratum", line=line)
    if arm not in ARMS:
        raise SheetInvalid("arm", line=line, value=arm)
    if (name, arm) in found:
        raise SheetInvalid("twice", line=line, value=f"{name}, {arm}")
    successes, failures = (_count(row[column], line) for column in ("successes", "failures"))
    found[name, arm] = Arm(successes, successes + failures)


def _count(text: str, line: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > DIGITS:
        raise SheetInvalid("number", line=line, value=text)
    return int(text)
