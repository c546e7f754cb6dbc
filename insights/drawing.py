"""The geometry of the reports' charts: shares in, whole numbers of a viewBox out. Templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from insights.statistics.growth import Point
from insights.statistics.report import ABReport, StratumResult
from insights.statistics.tables import Interval
from insights.statistics.views import ViewsReport, ViewsStratum

WIDTH, HEIGHT, ROW = 1000, 400, 40
#: Ends of a scale of differences.
ENDS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
#: Ends of a scale of ratios.
RATIO_ENDS = (1.5, 2.0, 4.0, 10.0)


@dataclass(frozen=True)
class Span:
    """A difference on the scale: the ends of its interval, its point, and half the side of its box."""

    low: int
    high: int
    x: int
    size: int


@dataclass(frozen=True)
class Forest:
    """The largest accounts with their spans (None where an arm is empty), and all together; `ends` of the scale."""

    rows: list[tuple[StratumResult, Span | None]]
    pooled: Span | None
    diamond: str
    end: float
    hidden: int


@dataclass(frozen=True)
class ViewsForest:
    """The same of views, on a scale of ratios from 1/`end` to `end`."""

    rows: list[tuple[ViewsStratum, Span | None]]
    pooled: Span | None
    diamond: str
    end: float
    hidden: int

    @property
    def least(self) -> float:
        return 1 / self.end


@dataclass(frozen=True)
class Course:
    """The difference as it grew: `line`, and the `band` of the interval that holds at all times."""

    line: str
    band: str
    end: float
    first: date
    last: date


def forest(report: ABReport, accounts: int) -> Forest:
    """One row per account that is shown of so many, the largest first."""
    shown = report.strata
    bounds = [row.interval for row in shown] + [report.adjusted_interval]
    end = _end(max((abs(edge) for found in bounds if found for edge in (found.low, found.high)), default=0.1))
    rows = [(row, _span(row.difference, row.interval, end, 4 + round(12 * math.sqrt(row.weight)))) for row in shown]
    value = report.adjusted.value if report.adjusted else None
    pooled = _span(value, report.adjusted_interval, end, 10)
    return Forest(rows, pooled, _diamond(pooled), end, accounts - len(shown))


def views_forest(report: ViewsReport, accounts: int) -> ViewsForest:
    """The same of views; twice as many is as far from the middle as half as many."""
    shown = report.strata
    bounds = [_logs(row.interval) for row in shown] + [_logs(report.adjusted_interval)]
    reach = max((abs(edge) for found in bounds if found for edge in (found.low, found.high)), default=0.0)
    end = next((end for end in RATIO_ENDS if reach <= math.log(end)), RATIO_ENDS[-1])
    rows = [
        (row, _span(_log(row.ratio), _logs(row.interval), math.log(end), 4 + round(12 * math.sqrt(row.weight))))
        for row in shown
    ]
    pooled = _span(_log(report.adjusted), _logs(report.adjusted_interval), math.log(end), 10)
    return ViewsForest(rows, pooled, _diamond(pooled), end, accounts - len(shown))


def course(points: Sequence[Point]) -> Course | None:
    """The difference by account over time; None with fewer than two points."""
    if len(points) < 2:
        return None
    last = points[-1].band
    end = _end(max(*(abs(point.value) for point in points), abs(last.low), abs(last.high)))
    room = WIDTH / (len(points) - 1)
    line = [f"{round(place * room)},{_y(point.value, end)}" for place, point in enumerate(points)]
    above = [f"{round(place * room)},{_y(point.band.high, end)}" for place, point in enumerate(points)]
    below = [f"{round(place * room)},{_y(point.band.low, end)}" for place, point in enumerate(points)]
    return Course(" ".join(line), " ".join([*above, *below[::-1]]), end, points[0].day, points[-1].day)


def _diamond(pooled: Span | None) -> str:
    if pooled is None:
        return ""
    return f"{pooled.low},{ROW // 2} {pooled.x},4 {pooled.high},{ROW // 2} {pooled.x},{ROW - 4}"


def _log(ratio: float | None) -> float | None:
    return math.log(ratio) if ratio else None


def _logs(interval: Interval | None) -> Interval | None:
    return Interval(math.log(interval.low), math.log(interval.high)) if interval and interval.low else None


def _end(reach: float) -> float:
    return next(end for end in ENDS if reach <= end or end == ENDS[-1])


def _span(value: float | None, interval: Interval | None, end: float, size: int) -> Span | None:
    if value is None or interval is None:
        return None
    return Span(_x(interval.low, end), _x(interval.high, end), _x(value, end), size)


def _x(value: float, end: float) -> int:
    return round(WIDTH * (min(max(value, -end), end) + end) / (2 * end))


def _y(value: float, end: float) -> int:
    return HEIGHT - round(HEIGHT * (min(max(value, -end), end) + end) / (2 * end))
