"""The geometry of the monitor's charts: numbers in, whole numbers of a viewBox out. Templates draw them as SVG.

Whole numbers, because a template would write 1.5 as 1,5 in Spanish, and SVG has no such number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from monitoring.selectors.videos import Day

WIDTH, HEIGHT = 1000, 400
#: Of the room that a day has.
BAR_SHARE = 0.7


@dataclass(frozen=True)
class DayBar:
    """One day: published videos below, failed ones on top of them."""

    day: Day
    x: int
    width: int
    published_y: int
    published_height: int
    failed_y: int
    failed_height: int
    room_x: int
    room: int


@dataclass(frozen=True)
class Throughput:
    """Bars of what ended, and over them `line`, the submitted videos. `ticks`: the scale, the highest first."""

    bars: list[DayBar]
    line: str
    ticks: list[int]


@dataclass(frozen=True)
class Curve:
    """`points` of a polyline, `area` of the polygon below it, `level_y` of the horizontal line."""

    points: str
    area: str
    level_y: int
    ticks: list[int]
    first: date
    last: date


def throughput(days: Sequence[Day]) -> Throughput:
    """The chart of `days` (at least one)."""
    top = scale_top(max(max(day.created, day.processed + day.failed) for day in days))
    room = WIDTH / len(days)
    bars = [_bar(day, number * room, room, top) for number, day in enumerate(days)]
    centres = [round((number + 0.5) * room) for number in range(len(days))]
    line = " ".join(f"{x},{_y(day.created, top)}" for x, day in zip(centres, days, strict=True))
    return Throughput(bars, line, [top, top // 2, 0])


def _bar(day: Day, left: float, room: float, top: int) -> DayBar:
    published, both = _y(day.processed, top), _y(day.processed + day.failed, top)
    return DayBar(
        day=day, x=round(left + room * (1 - BAR_SHARE) / 2), width=max(2, round(room * BAR_SHARE)),
        published_y=published, published_height=HEIGHT - published, failed_y=both, failed_height=published - both,
        room_x=round(left), room=round(room),
    )  # fmt: skip


def curve(peaks: Sequence[tuple[date, int]], level: int) -> Curve:
    """Daily peaks as a line, with a second, horizontal one at `level`."""
    top = scale_top(max(level, *(peak for _day, peak in peaks)))
    step = WIDTH / max(1, len(peaks) - 1)
    points = " ".join(f"{round(number * step)},{_y(peak, top)}" for number, (_day, peak) in enumerate(peaks))
    area = f"0,{HEIGHT} {points} {WIDTH},{HEIGHT}"
    return Curve(points, area, _y(level, top), [top, top // 2, 0], peaks[0][0], peaks[-1][0])


def scale_top(highest: int) -> int:
    """The end of a scale: an even round number that `highest` fits under; 4 at least."""
    size = 1
    while True:
        for step in (4, 6, 10, 16, 20, 30):
            if highest <= step * size:
                return step * size
        size *= 10


def share(value: float, whole: float) -> int:
    """The width of a bar, of WIDTH; what is there at all can be seen."""
    return max(6, round(WIDTH * min(1.0, value / whole))) if value and whole else 0


def _y(value: int, top: int) -> int:
    return HEIGHT - round(HEIGHT * value / top)
