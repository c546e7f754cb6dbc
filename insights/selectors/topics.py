"""What each sector's published videos talk about, and what of it works: from the days of topics, not from captions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Max, QuerySet, Sum
from django.utils import timezone

from accounts.models import Sector, TikTokAccount
from insights.models import TopicDay
from insights.selectors.standings import WINDOWS, Standing, standings, standings_overall, uses_ever

DAYS = 30
LEADERS = 5


@dataclass(frozen=True, kw_only=True)
class Leader:
    """A topic in a period: in how many published `videos` of how many `accounts`.

    Of the `counted` ones, whose views can be compared, `hits` were above the median of their account.
    """

    topic: str
    hashtag: str
    videos: int
    accounts: int
    counted: int
    hits: int
    last_day: date

    @property
    def hit_rate(self) -> float | None:
        return self.hits / self.counted if self.counted else None


def topic_leaders(
    *, start: date | None = None, end: date | None = None, sectors: Iterable[Sector] | None = None,
    limit: int = LEADERS,
) -> dict[str, list[Leader]]:  # fmt: skip
    """Sector's name → its most used topics, the most used first; 30 days up to today unless told.

    Days are UTC and inclusive. Use is no success: `hits` of `counted` says what worked, as far as TikTok told.
    """
    today = timezone.now().date()
    window = _window(start, end, today)
    known = None if window is None else standings(today, sectors, window=window)
    found: dict[str, list[Leader]] = defaultdict(list)
    for sector, leader in _of_days(start, end, sectors) if known is None else _standing(known, window or 0, limit):
        if len(found[sector]) < limit:
            found[sector].append(leader)
    return {sector: found[sector] for sector in sorted(found)}


def topic_leaders_overall(
    *, start: date | None = None, end: date | None = None, accounts: Sequence[TikTokAccount] | None = None,
    limit: int = LEADERS,
) -> list[Leader]:  # fmt: skip
    """The most used topics of all sectors together, or of some accounts."""
    today = timezone.now().date()
    window = _window(start, end, today)
    known = None
    if window is not None and accounts is None:
        known = standings_overall(today, window)
    elif window == 0 and accounts is not None:
        known = uses_ever(accounts, today)
    if known is not None:
        return [leader for _sector, leader in _standing(known, window or 0, limit)]
    days = _within(start, end)
    if accounts is not None:
        days = days.filter(account__in=accounts)
    rows = days.values("topic__name", "topic__hashtag")
    return [_leader(row) for row in _summed(rows)[:limit]]


def _window(start: date | None, end: date | None, today: date) -> int | None:
    """The days of a period that the summary knows: one that ends today; None for any other."""
    if end is not None and end < today:
        return None
    first = {today - timedelta(days=days - 1) if days else date.min: days for days in WINDOWS}
    return DAYS if start is None and end is None else first.get(start) if start else None


def _standing(known: Iterable[Standing], window: int, limit: int) -> Iterator[tuple[str, Leader]]:
    """Sector's name and leader, the most used first, `limit` of each sector: of hundreds that are known."""
    told: Counter[str] = Counter()
    rows = [(row, uses) for row in known if (uses := row.windows[window]).videos]
    for row, uses in sorted(rows, key=lambda pair: (-pair[1].videos, -pair[1].accounts, pair[0].topic)):
        told[row.sector] += 1
        if told[row.sector] > limit:
            continue
        yield row.sector, Leader(
            topic=row.topic, hashtag=row.hashtag, videos=uses.videos, accounts=uses.accounts, counted=uses.counted,
            hits=uses.hits, last_day=row.last_day,
        )  # fmt: skip


def _of_days(start: date | None, end: date | None, sectors: Iterable[Sector] | None) -> Iterator[tuple[str, Leader]]:
    """The same of any period, from the days themselves: as long as the period has rows."""
    days = _within(start, end)
    if sectors is not None:
        days = days.filter(sector__in=sectors if isinstance(sectors, QuerySet) else list(sectors))
    for row in _summed(days.values("sector__name", "topic__name", "topic__hashtag")):
        yield row["sector__name"], _leader(row)


def _within(start: date | None, end: date | None) -> QuerySet[TopicDay]:
    end = end or timezone.now().date()
    return TopicDay.objects.filter(day__gte=start or end - timedelta(days=DAYS - 1), day__lte=end).order_by()


def _summed(rows: QuerySet[TopicDay, Any]) -> QuerySet[TopicDay, Any]:
    summed = rows.annotate(
        total=Sum("videos"), users=Count("account", distinct=True), compared=Sum("counted"), above=Sum("hits"),
        last=Max("day"),
    )  # fmt: skip
    return summed.order_by(F("total").desc(), F("users").desc(), "topic__name")


def _leader(row: dict[str, Any]) -> Leader:
    return Leader(
        topic=row["topic__name"], hashtag=row["topic__hashtag"], videos=row["total"], accounts=row["users"],
        counted=row["compared"], hits=row["above"], last_day=row["last"],
    )  # fmt: skip
