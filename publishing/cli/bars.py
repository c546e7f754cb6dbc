"""Progress for people: bars that redraw themselves on a terminal, plain lines anywhere else."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from publishing.services.files import Readable

WIDTH = 24
#: Elsewhere than on a terminal a line is worth writing every so many percent.
PLAIN_STEP = 25
REDRAW_SECONDS = 0.1
#: Below so many bytes reading takes no time worth showing.
METERED = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """How far one thing is. `percent` None: not measurable; `good` None: not over yet, else how it ended.

    `text` stands behind the bar, and instead of it at the end.
    """

    name: str
    label: str
    percent: int | None = None
    text: str = ""
    good: bool | None = None


class Bars:
    """Shows rows on `out`, each time in the place of the last ones."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._redraws = out.isatty() and os.environ.get("TERM") != "dumb"
        self._full, self._empty, good, bad = "█░✓✗" if _can_write(out, "█░✓✗") else "#-+!"
        self._marks = {None: " ", True: good, False: bad}
        self._drawn = 0
        self._said: dict[str, tuple[str, int]] = {}

    def show(self, rows: Sequence[Row]) -> None:
        """Draw `rows`, or on a plain output say only what changed enough."""
        if self._redraws:
            self._draw(rows)
        else:
            for row in rows:
                self._say(row)

    def end(self) -> None:
        """Leave the last picture where it is; the next one is drawn below it."""
        self._drawn = 0
        self._said.clear()

    def _draw(self, rows: Sequence[Row]) -> None:
        names, labels = (max((len(value) for value in column), default=0) for column in _columns(rows))
        room = shutil.get_terminal_size().columns - 1
        lines = [self._line(row, names, labels)[:room] for row in rows]
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        self._out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._out.flush()
        self._drawn = len(lines)

    def _line(self, row: Row, names: int, labels: int) -> str:
        head = f"{self._marks[row.good]} {row.name:<{names}}  {row.label:<{labels}}"
        if row.good is not None:
            return f"{head}  {row.text}".rstrip()
        share = WIDTH * (row.percent or 0) // 100
        bar = self._full * share + self._empty * (WIDTH - share)
        figure = f"{row.percent:>3} %" if row.percent is not None else "     "
        return f"{head}  {bar} {figure}  {row.text}".rstrip()

    def _say(self, row: Row) -> None:
        news = (row.label, (row.percent or 0) // PLAIN_STEP)
        if self._said.get(row.name) == news:
            return
        self._said[row.name] = news
        over = row.good is not None
        figure = f" {row.percent} %" if row.percent is not None and not over else ""
        text = f" {row.text}" if over and row.text else ""
        self._out.write(f"{time.strftime('%H:%M:%S')} {row.name}: {row.label}{figure}{text}\n")
        self._out.flush()


class Meter:
    """Reads through to `source` and shows how much of `total` bytes has passed, when they are many."""

    def __init__(self, source: Readable, bars: Bars, *, name: str, label: str, total: int) -> None:
        self._source, self._bars, self._name, self._label = source, bars, name, label
        self._total = max(total, 1)
        self._passed = 0
        self._shown_at = float("-inf")

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._passed += len(data)
        if self._total >= METERED and (not data or time.monotonic() - self._shown_at >= REDRAW_SECONDS):
            self._shown_at = time.monotonic()
            percent = min(100, 100 * self._passed // self._total)
            self._bars.show([Row(name=self._name, label=self._label, percent=percent)])
        return data


def _columns(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    return [row.name for row in rows], [row.label for row in rows]


def _can_write(out: TextIO, letters: str) -> bool:
    try:
        letters.encode(getattr(out, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
