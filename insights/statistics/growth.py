"""Counts day by day: what they add up to by account, by account and week, and the difference as it grew."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insights.statistics.sequential import always_valid
from insights.statistics.strata import risk_difference
from insights.statistics.tables import Arm, Interval, Stratum

#: Points of the difference as it grew: each day, or in a long range every second, third …
MOST_POINTS = 60
ARMS = ("auto", "none")


@dataclass(frozen=True)
class Point:
    """The difference by account of everything up to a day, and the interval that holds at all times."""

    day: date
    value: float
    band: Interval


def cuts(first: date, last: date) -> list[date]:
    """The days up to which the difference is told: the last one, and back from there in equal steps."""
    step = (last - first).days // MOST_POINTS + 1
    return [last - timedelta(days=back) for back in range(0, (last - first).days + 1, step)][::-1]


class Growth:
    """Takes counts in the order of their days. Each publication is looked at once, each account once a point."""

    def __init__(self, days: Sequence[date]) -> None:
        self._cuts = days
        self._tables: dict[str, list[int]] = {}
        self._weekly: dict[tuple[str, int, int], list[int]] = {}
        self._day: date | None = None
        self.course: list[Point] = []

    def add(self, day: date, name: str, arm: str, *, won: int, n: int) -> None:
        """`won` of `n` publications of an arm of an account that were due on a day."""
        if self._day is not None and self._cut(day) > self._cut(self._day):
            self.end()
        self._day = day
        year, week, _day = day.isocalendar()
        place = 2 * ARMS.index(arm)
        for cells in (self._tables.setdefault(name, [0] * 4), self._weekly.setdefault((name, year, week), [0] * 4)):
            cells[place] += won
            cells[place + 1] += n

    def end(self) -> None:
        """Note the difference as it is after the last day that was added. Call at the end, too."""
        rows = self.strata
        found = risk_difference(rows)
        n = sum(row.n for row in rows if row.auto.n and row.none.n)
        if self._day is not None and found is not None and found.error:
            band = always_valid(found.value, error=found.error, n=n)
            self.course.append(Point(self._day, found.value, band))

    @property
    def strata(self) -> list[Stratum]:
        """By account."""
        return [_stratum(name, cells) for name, cells in sorted(self._tables.items())]

    @property
    def weekly(self) -> list[Stratum]:
        """By account and week."""
        return [
            _stratum(f"{name} {year}-W{week:02}", cells) for (name, year, week), cells in sorted(self._weekly.items())
        ]

    def _cut(self, day: date) -> int:
        return bisect_left(self._cuts, day)


def _stratum(name: str, cells: Sequence[int]) -> Stratum:
    return Stratum(name, Arm(cells[0], cells[1]), Arm(cells[2], cells[3]))
