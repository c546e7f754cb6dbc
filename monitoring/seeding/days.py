"""When work is done: the rhythm of the weeks and hours, TikTok's bad hours, and moments as text for a database."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

DAY, HOUR, MINUTE = 86_400, 3_600, 60
#: Submissions of a Monday, …, of a Sunday; and of each hour of a day in UTC (the office is three hours behind).
WEEK = (1.0, 1.1, 1.1, 1.05, 0.95, 0.4, 0.3)
HOURS = (4, 2, 1, 1, 0, 0, 0, 0, 0, 0, 1, 4, 9, 12, 12, 10, 8, 9, 11, 12, 11, 9, 7, 6)
#: An account's own bad hours come about so often, and are so long.
BAD_EVERY, BAD_HOURS = 40 * DAY, 3
#: A sector's, and everybody's.
SECTOR_EVERY, TIKTOK_EVERY = 12 * DAY, 50 * DAY

_CLOCK = tuple(
    f"{second // HOUR:02}:{second % HOUR // MINUTE:02}:{second % MINUTE:02}.{second * 7919 % 999_983 + 1:06}"
    for second in range(DAY)
)


class _Days(dict[int, str]):
    """A day since 1970 as its date and a space."""

    def __missing__(self, day: int) -> str:
        text = self[day] = f"{date(1970, 1, 1) + timedelta(days=day)} "
        return text


_DAYS = _Days()


def text_of(second: int) -> str:
    """A second since 1970 as both databases read it, in UTC."""
    return _DAYS[second // DAY] + _CLOCK[second % DAY]


def date_of(second: int) -> str:
    return _DAYS[second // DAY][:-1]


@dataclass(frozen=True)
class DayPlan:
    """How many videos are submitted on a day that begins at `start`, and how many of them nobody has mended yet."""

    start: int
    videos: int
    stuck: int


def day_plans(*, videos: int, months: int, now: int, stuck: int) -> list[DayPlan]:
    """`videos` over `months` up to `now`, growing slowly, fewer at the weekend; what is stuck is mostly of today."""
    last = now // DAY
    days = list(range(last - round(months * 30.4) + 1, last + 1))
    weights = [
        WEEK[datetime.fromtimestamp(day * DAY, UTC).weekday()] * (0.75 + 0.5 * number / len(days))
        for number, day in enumerate(days)
    ]
    weights[-1] *= _share_of_day(now % DAY)
    counts = _shares(videos, weights)
    recent = [
        0.0 if last - day > 30 else 0.75 ** (last - day) * min(count, 1)
        for day, count in zip(days, counts, strict=True)
    ]
    quotas = _shares(stuck, recent)
    return [
        DayPlan(day * DAY, count, min(quota, count * 2 // 3))
        for day, count, quota in zip(days, counts, quotas, strict=True)
    ]


def _share_of_day(second: int) -> float:
    """What of a day's work is done at `second` of it."""
    whole = sum(HOURS[: second // HOUR]) + HOURS[second // HOUR] * (second % HOUR) / HOUR
    return whole / sum(HOURS)


def _shares(total: int, weights: list[float]) -> list[int]:
    """Whole numbers in these proportions that add up to `total`."""
    sums = list(accumulate(weights))
    ends = [round(total * value / sums[-1]) if sums[-1] else 0 for value in sums]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


_BY_HOUR = list(accumulate(HOURS))


def submission_times(rng: random.Random, start: int, count: int, until: int) -> list[int]:
    """`count` seconds of the day that begins at `start`, in order, none of them at `until` or later."""
    longest = max(1, min(DAY, until - start))
    room = _share_of_day(longest - 1) * _BY_HOUR[-1] or 1.0
    found = []
    for _turn in range(count):
        hour = min(bisect_right(_BY_HOUR, rng.random() * room), 23)
        found.append(start + min(hour * HOUR + int(rng.random() * HOUR), longest - 1))
    found.sort()
    return found


@dataclass(frozen=True)
class Outage:
    """TikTok did not answer, from `begin` to `end`, for one sector or (0) for everybody."""

    begin: int
    end: int
    sector: int


class BadHours:
    """When which account's uploads fail."""

    def __init__(self, rng: random.Random, *, accounts: list[int], sectors: list[int], begin: int, end: int) -> None:
        self.outages = sorted(_outages(rng, sectors, begin, end), key=lambda outage: outage.begin)
        self._outages = {
            (hour, outage.sector): outage
            for outage in self.outages
            for hour in range(outage.begin // HOUR, (outage.end - 1) // HOUR + 1)
        }
        self._own = {
            (account, hour)
            for account in accounts
            for _turn in range(max(1, (end - begin) // BAD_EVERY))
            for first in (_office_hour(rng, begin, end) // HOUR,)
            for hour in range(first, first + BAD_HOURS)
        }

    def ends(self, account: int, sector: int, at: int) -> int:
        """Until when it is bad for the account; 0 when it is not."""
        hour = at // HOUR
        outage = self._outages.get((hour, 0)) or self._outages.get((hour, sector))
        if outage is not None and outage.begin <= at < outage.end:
            return outage.end
        return (hour + 1) * HOUR if (account, hour) in self._own else 0


def _office_hour(rng: random.Random, begin: int, end: int) -> int:
    day = rng.randrange(begin // DAY, max(begin // DAY + 1, end // DAY - 1))
    return day * DAY + rng.randrange(12, 22) * HOUR


def _outages(rng: random.Random, sectors: list[int], begin: int, end: int) -> Iterator[Outage]:
    for every, which, longest in ((SECTOR_EVERY, sectors, 3), (TIKTOK_EVERY, [0], 2)):
        for _turn in range((end - begin) // every):
            at = _office_hour(rng, begin, end) + rng.randrange(HOUR)
            yield Outage(at, at + rng.randrange(HOUR, longest * HOUR), rng.choice(which))
