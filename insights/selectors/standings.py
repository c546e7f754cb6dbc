"""How topics stand today: the scheduler's summary, and what is not in it yet, read by one statement.

Days are UTC. While the summary is of another day than today (the seconds after midnight, or a scheduler that stands
still), `standings` has no answer: leaders are then counted as those of any period, evidence from the days of topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import Cast, RowNumber

from accounts.models import Sector
from insights.models import TopicAccount, TopicDay, TopicStanding
from insights.statistics.ranking import SHOWN_DAYS, WINDOW_DAYS, decay
from subiteya.lib.columns import AsRead

#: Days of a window that ends today; 0 is all of history.
WINDOWS = (0, WINDOW_DAYS, SHOWN_DAYS)
NUMBERS = ("videos", "counted", "hits")
WEIGHTS = ("use_weight", "weight", "hit_weight")
#: Columns of the summary, in the order of a row's numbers.
WIDTH = len(NUMBERS) + 1
COLUMNS = tuple(f"{name}{window or ''}" for window in WINDOWS for name in (*NUMBERS, "accounts"))


class Number(AsRead, Cast):
    """A float, in each of hundreds of rows."""


@dataclass(slots=True)
class Uses:
    """Of one window."""

    videos: int = 0
    counted: int = 0
    hits: int = 0
    accounts: int = 0
    new: set[int] = field(default_factory=set, repr=False)


@dataclass
class Standing:
    """A topic in a sector (`sector` is "" for all together). `windows`: days → uses, of those that were asked for.

    Weights are of 90 days, by age.
    """

    sector: str
    topic: str
    hashtag: str
    last_day: date = date.min
    windows: dict[int, Uses] = field(default_factory=dict)
    weights: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def take(self, numbers: Sequence[float], window: int | None) -> None:
        """What the summary says of one window, or of all."""
        for place, days in enumerate(WINDOWS if window is None else (window,)):
            videos, counted, hits, accounts = map(int, numbers[WIDTH * place : WIDTH * place + WIDTH])
            self.windows[days] = Uses(videos, counted, hits, accounts)
        if window is None:
            self.weights = [*numbers[-len(WEIGHTS) :]]

    def add(self, *, day: date, today: date, numbers: tuple[int, ...], account: int, seen: date | None) -> None:
        """What is not in the summary: of an account that, as far as the summary knows, used it last on day `seen`."""
        if day > today:
            return
        self.last_day = max(self.last_day, day)
        for days, uses in self.windows.items():
            since = today - timedelta(days=days) if days else date.min
            if day <= since:
                continue
            uses.videos, uses.counted, uses.hits = (
                old + new for old, new in zip((uses.videos, uses.counted, uses.hits), numbers, strict=True)
            )
            if (seen is None or seen <= since) and account not in uses.new:
                uses.new.add(account)
                uses.accounts += 1
        if (age := (today - day).days) < WINDOW_DAYS:
            self.weights = [old + decay(age) * new for old, new in zip(self.weights, numbers, strict=True)]


def behind() -> QuerySet[TopicDay]:
    """The days that are not wholly summed: by key, so that SQLite looks at these first whatever it joins them to."""
    return TopicDay.objects.filter(pk__in=TopicDay.objects.filter(is_behind=True).values("pk"))


def standings(
    today: date, sectors: Iterable[Sector] | None = None, *, window: int | None = None, limit: int | None = None
) -> list[Standing] | None:
    """Every topic of these sectors (all when None), in one window or (None) in all, with weights.

    With a `limit` the most used of a window: at least so many of each sector, if it has them. None while the summary
    is of another day.
    """
    known, new = TopicStanding.objects.filter(sector__isnull=False), behind()
    if sectors is not None:
        those = sectors if isinstance(sectors, QuerySet) else list(sectors)
        known, new = known.filter(sector__in=those), new.filter(sector__in=those)
    if limit is not None:
        known = _leading(known, new.filter(sector=OuterRef("sector"), topic=OuterRef("topic")), window or 0, limit)
    mine = TopicAccount.objects.filter(sector=OuterRef("sector"), topic=OuterRef("topic"), account=OuterRef("account"))
    name = F("sector__name")
    return _merged(_summed(known, name, window).union(_new(new, name, mine, window), all=True), today, window)


def standings_overall(today: date, window: int, limit: int) -> list[Standing] | None:
    """The most used topics of all sectors together, at least `limit`; None while the summary is of another day."""
    known, new = TopicStanding.objects.filter(sector__isnull=True), behind()
    known = _leading(known, new.filter(topic=OuterRef("topic")), window, limit)
    rows = _summed(known, NOWHERE, window).union(_new(new, NOWHERE, _anywhere(), window), all=True)
    return _merged(rows, today, window)


def _leading(
    known: QuerySet[TopicStanding], new: QuerySet[TopicDay], window: int, limit: int
) -> QuerySet[TopicStanding]:
    """The first of what is summed, and all that `new` may have brought forward: nothing else can be among the first."""
    videos, accounts = (f"{name}{window or ''}" for name in ("videos", "accounts"))
    order = (F(videos).desc(), F(accounts).desc(), F("topic__name").asc())
    first = known.annotate(place=Window(RowNumber(), partition_by="sector", order_by=order)).filter(place__lte=limit)
    return known.filter(Q(pk__in=first.values("pk")) | Exists(new))


#: The name of all sectors together.
NOWHERE = Value("", CharField())


def _names(window: int | None) -> tuple[str, ...]:
    """The columns of one window, or of all with the weights."""
    if window is None:
        return (*COLUMNS, *WEIGHTS)
    place = WIDTH * WINDOWS.index(window)
    return COLUMNS[place : place + WIDTH]


def _summed(known: QuerySet[TopicStanding], name: Any, window: int | None) -> QuerySet[Any]:
    return _columns(known, name, Value(None, BigIntegerField()), F("last_day"), map(F, _names(window)))


def _new(days: QuerySet[TopicDay], name: Any, mine: QuerySet[TopicAccount], window: int | None) -> QuerySet[Any]:
    """What is not summed; `mine` finds when the account used the topic last, as far as that is summed."""
    differences = tuple(F(number) - F(f"summed_{number}") for number in NUMBERS)
    nothing = (Value(0.0, FloatField()),) * (len(_names(window)) - len(NUMBERS))
    return _columns(days, name, F("account_id"), Subquery(mine.values("last_day")[:1]), (*differences, *nothing))


def _anywhere() -> QuerySet[TopicAccount]:
    return TopicAccount.objects.filter(topic=OuterRef("topic"), account=OuterRef("account")).order_by("-last_day")


def _columns(rows: QuerySet[Any], name: Any, account: Any, last: Any, numbers: Iterable[Any]) -> QuerySet[Any]:
    """The same columns of a summary's row and of a day's, so that one statement reads both."""
    floats = (Number(number, FloatField()) for number in numbers)
    return rows.order_by().values_list(name, "topic__name", "topic__hashtag", account, "day", last, *floats)


def _merged(rows: Iterable[Any], today: date, window: int | None) -> list[Standing] | None:
    found: dict[tuple[str, str], Standing] = {}
    new = []
    for sector, topic, hashtag, account, day, last, *numbers in rows:
        standing = found.get((sector, topic))
        if standing is None:
            standing = found[sector, topic] = Standing(sector, topic, hashtag)
        if account is not None:
            new.append((standing, account, day, last, tuple(map(int, numbers[: len(NUMBERS)]))))
            continue
        if day != today:
            return None
        standing.last_day = max(standing.last_day, last)
        standing.take(numbers, window)
    for standing, account, day, seen, more in new:
        for days in WINDOWS if window is None else (window,):
            standing.windows.setdefault(days, Uses())
        standing.add(day=day, today=today, numbers=more, account=account, seen=seen)
    return [*found.values()]
