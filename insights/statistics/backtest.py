"""Would the suggestions have helped? History again, week by week, with nothing known that was not known then."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from insights.statistics.posts import Post, evidence_of, in_window, overlap_of
from insights.statistics.ranking import MOST, SHOWN_DAYS, rank
from insights.statistics.special import t_of
from insights.statistics.tables import ALPHA, Interval

#: Suggestions are made once a week, and judged by the posts of the seven days after.
STEP = timedelta(days=7)
#: The views of a post are known so long after it was published.
KNOWN_AFTER = timedelta(days=3)
#: History that must lie before the first week.
WARM_UP = timedelta(days=14)
#: No word on fewer posts with a suggestion, or fewer accounts.
LEAST_POSTS, LEAST_ACCOUNTS = 30, 10


class Finding(StrEnum):
    FOUND = "found"
    NOT_FOUND = "not_found"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True)
class Lift:
    """A difference between shares of hits, and its interval; and the ratio of the shares."""

    difference: float | None
    interval: Interval | None
    ratio: float | None

    @property
    def finding(self) -> Finding:
        if self.interval is None:
            return Finding.NOT_ENOUGH_DATA
        return Finding.FOUND if self.interval.low > 0 else Finding.NOT_FOUND

    def as_json(self) -> dict[str, Any]:
        low, high = (self.interval.low, self.interval.high) if self.interval else (None, None)
        return {
            "difference": self.difference, "low": low, "high": high, "ratio": self.ratio, "verdict": self.finding,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """`suggested`: posts that carried a suggested topic; `most_used`: one of the sector's five most used."""

    weeks: int
    posts: int
    suggested: int
    most_used: int
    accounts: int
    rate: float | None
    suggested_rate: float | None
    most_used_rate: float | None
    over_sector: Lift
    over_most_used: Lift

    def as_json(self) -> dict[str, Any]:
        return {
            "weeks": self.weeks, "posts": self.posts, "accounts": self.accounts,
            "suggested": {"posts": self.suggested, "hit_rate": self.suggested_rate},
            "most_used": {"posts": self.most_used, "hit_rate": self.most_used_rate},
            "sector": {"posts": self.posts, "hit_rate": self.rate},
            "lift_over_sector": self.over_sector.as_json(),
            "lift_over_most_used": self.over_most_used.as_json(),
            "verdict": self.over_sector.finding,
        }  # fmt: skip


@dataclass(frozen=True)
class _Scored:
    """A post of a test week: its hit less the share of hits in its sector and week, and less its account's own."""

    post: Post
    above: float
    is_suggested: bool
    is_most_used: bool


def backtest(posts: Iterable[Post]) -> Backtest:
    """Replay these posts. Those without a result are used as uses, and judged by nothing."""
    history = sorted(posts, key=lambda post: (post.day, post.sector, post.account, sorted(post.topics)))
    by_sector: dict[str, list[Post]] = defaultdict(list)
    for post in history:
        by_sector[post.sector].append(post)
    scored, weeks = [], 0
    for cut in _cuts(history):
        found = [row for sector in sorted(by_sector) for row in _week(by_sector[sector], cut)]
        weeks += bool(found)
        scored += found
    return _judged(_within_accounts(scored), weeks)


def _cuts(history: Sequence[Post]) -> Iterable[date]:
    if history:
        cut = history[0].day + WARM_UP
        while cut < history[-1].day:
            yield cut
            cut += STEP


def _week(posts: Sequence[Post], cut: date) -> list[_Scored]:
    """The posts of the week after `cut`, with what would have been suggested on that day."""
    test = [post for post in posts if cut < post.day <= cut + STEP and post.is_hit is not None]
    if not test:
        return []
    known = [post for post in posts if post.day <= cut - KNOWN_AFTER]
    recent = in_window(known, cut, SHOWN_DAYS)
    best = rank(evidence_of(known, cut), videos30=len(recent), overlap=overlap_of(known, cut))
    suggested = {row.evidence.topic for row in best if row.score is not None}
    uses = Counter(topic for post in recent for topic in post.topics)
    most_used = {topic for topic, _n in sorted(uses.items(), key=lambda item: (-item[1], item[0]))[:MOST]}
    mean = sum(bool(post.is_hit) for post in test) / len(test)
    return [
        _Scored(post, bool(post.is_hit) - mean, bool(post.topics & suggested), bool(post.topics & most_used))
        for post in test
    ]


def _within_accounts(scored: Sequence[_Scored]) -> list[_Scored]:
    """An account that hits more and likes a topic must not make the topic look good."""
    sums: dict[str, list[float]] = defaultdict(list)
    for row in scored:
        sums[row.post.account].append(row.above)
    own = {account: math.fsum(values) / len(values) for account, values in sums.items()}
    return [replace(row, above=row.above - own[row.post.account]) for row in scored]


def _judged(scored: Sequence[_Scored], weeks: int) -> Backtest:
    suggested = [row for row in scored if row.is_suggested]
    most_used = [row for row in scored if row.is_most_used]
    accounts = {row.post.account for row in scored}
    rate, good, common = _rate(scored), _rate(suggested), _rate(most_used)
    return Backtest(
        weeks=weeks, posts=len(scored), suggested=len(suggested), most_used=len(most_used), accounts=len(accounts),
        rate=rate, suggested_rate=good, most_used_rate=common,
        over_sector=_lift(suggested, [], _ratio(good, rate)),
        over_most_used=_lift(suggested, most_used, _ratio(good, common)),
    )  # fmt: skip


def _rate(rows: Sequence[_Scored]) -> float | None:
    return sum(bool(row.post.is_hit) for row in rows) / len(rows) if rows else None


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _lift(good: Sequence[_Scored], base: Sequence[_Scored], ratio: float | None) -> Lift:
    """How far `good` posts are above their sector, week and account, less how far `base` ones are; by account.

    Posts of one account resemble each other, so the interval comes from the spread between accounts (a
    cluster-robust variance, with Student's t for their number).
    """
    mean, against = _above(good), _above(base)
    if mean is None or against is None and base:
        return Lift(None, None, None)
    value = mean - (against or 0.0)
    parts: dict[str, float] = defaultdict(float)
    for rows, centre, sign in ((good, mean, 1), (base, against or 0.0, -1)):
        for row in rows:
            parts[row.post.account] += sign * (row.above - centre) / len(rows)
    g = len(parts)
    if len(good) < LEAST_POSTS or g < LEAST_ACCOUNTS:
        return Lift(value, None, ratio)
    error = math.sqrt(g / (g - 1) * sum(part * part for part in parts.values()))
    half = t_of(ALPHA, g - 1) * error
    return Lift(value, Interval(value - half, value + half), ratio)


def _above(rows: Sequence[_Scored]) -> float | None:
    return sum(row.above for row in rows) / len(rows) if rows else None
