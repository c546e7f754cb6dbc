"""What each sector's published videos talk about, and what of it works: from the days of topics, not from captions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from accounts.models import Sector, TikTokAccount
from insights.selectors.periods import Period, Scope, period_uses
from insights.selectors.standings import WINDOWS, Standing, standings, standings_overall

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
    known = None if window is None else standings(today, sectors, window=window, limit=limit)
    if known is None:
        known, window = period_uses(_period(start, end, today), Scope(sectors=sectors), limit), 0
    found: dict[str, list[Leader]] = defaultdict(list)
    for sector, leader in _standing(known, window or 0, limit):
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
    known = standings_overall(today, window, limit) if window is not None and accounts is None else None
    if known is None:
        scope = Scope(accounts=accounts, is_apart=False)
        known, window = period_uses(_period(start, end, today), scope, limit), 0
    return [leader for _sector, leader in _standing(known, window or 0, limit)]


def _period(start: date | None, end: date | None, today: date) -> Period:
    end = end or today
    return Period(start=start or end - timedelta(days=DAYS - 1), end=end, today=today)


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
