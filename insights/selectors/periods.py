"""The uses of topics between two days that somebody typed: from sums by day, never from every account's days.

Two statements, whatever the length of history: sums first, then who is behind the few that are shown. Each reads what
is summed and what is not summed yet together, so that the scheduler may sum meanwhile. A period that is most of
history is everything there was, less what lies outside of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Count,
    DateField,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)

from accounts.models import Sector, TikTokAccount
from insights.models import TopicAccount, TopicDay, TopicSectorDay, TopicStanding
from insights.selectors.standings import NOWHERE, NUMBERS, Standing, Uses, behind

#: A sector (0: all together) and a topic.
Key = tuple[int, int]
Numbers = list[int]


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days, inclusive, UTC. `today` is the last day that there may be."""

    start: date
    end: date
    today: date

    @property
    def inside(self) -> Q:
        return Q(day__gte=self.start, day__lte=self.end)

    @property
    def is_open(self) -> bool:
        """Does it end today? Then an account's last day says whether it used a topic in it."""
        return self.end >= self.today

    def is_most(self, oldest: date) -> bool:
        """Of all days since `oldest`, more than a half?"""
        days = min(self.end, self.today) - max(self.start, oldest) + timedelta(days=1)
        return 2 * days > self.today - oldest + timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose uses: of each of these sectors apart, or (None) of all together; of some accounts, or (None) of all."""

    sectors: Iterable[Sector] | None = None
    accounts: Sequence[TikTokAccount] | None = None
    is_apart: bool = True

    @property
    def rows(self) -> Q:
        """Of any table that has a sector and, where accounts are asked for, an account."""
        found = Q()
        if self.sectors is not None:
            found &= Q(sector__in=self.sectors if isinstance(self.sectors, QuerySet) else list(self.sectors))
        if self.accounts is not None:
            found &= Q(account__in=self.accounts)
        return found

    @property
    def key(self) -> Any:
        return F("sector_id") if self.is_apart else Value(0, BigIntegerField())

    @property
    def name(self) -> Any:
        return F("sector__name") if self.is_apart else NOWHERE


def period_uses(period: Period, scope: Scope, limit: int) -> list[Standing]:
    """The `limit` topics of each part of the scope with most videos, and all that have as many as the last of them.

    Only the window 0 of a standing is filled: it is the period.
    """
    sums: dict[Key, Numbers] = defaultdict(lambda: [0, 0, 0])
    for sector, topic, *numbers in _sums(period, scope):
        sums[sector, topic] = [old + new for old, new in zip(sums[sector, topic], numbers, strict=True)]
    shown = _most_used(sums, limit)
    found: dict[Key, Standing] = {}
    for sector, topic, name, title, hashtag, account, users, day, seen in _users(period, scope, shown):
        if (key := (sector, topic)) not in shown:
            continue
        if key not in found:
            found[key] = Standing(name, title, hashtag)
            videos, compared, hits = sums[key]
            found[key].windows[0] = Uses(videos, compared, hits)
        standing, uses = found[key], found[key].windows[0]
        standing.last_day = max(standing.last_day, day or date.min)
        if account is None:
            uses.accounts += users
        elif (seen is None or seen < period.start) and account not in uses.new:
            uses.new.add(account)
            uses.accounts += 1
    return [*found.values()]


def _most_used(sums: dict[Key, Numbers], limit: int) -> set[Key]:
    parts: dict[int, list[int]] = defaultdict(list)
    for (sector, _topic), numbers in sums.items():
        parts[sector].append(numbers[0])
    least = {sector: sorted(videos, reverse=True)[:limit][-1] for sector, videos in parts.items()}
    # A rebuild makes the sums in pieces: meanwhile what lies outside may be more than all.
    return {key for key, numbers in sums.items() if numbers[0] > 0 and numbers[0] >= least[key[0]]}


def _sums(period: Period, scope: Scope) -> QuerySet[Any]:
    """Rows of sector, topic and numbers, some of them negative, that add up to what the period has."""
    oldest = TopicSectorDay.objects.order_by("day").values_list("day", flat=True).first() or period.today
    days, prefix = _days(scope).filter(scope.rows), "" if scope.accounts is None else "summed_"
    new = behind().filter(scope.rows).filter(period.inside).order_by()
    unsummed = new.values_list(scope.key, "topic_id", *(F(name) - F(f"summed_{name}") for name in NUMBERS))
    if period.is_most(oldest):
        parts = [_grouped(_ever(scope), scope, Sum)]
        # Two ranges, where an index finds each: of a NOT or an OR around both SQLite would go through all days.
        outside = [Q(day__lt=period.start)] if period.start > oldest else []
        outside += [] if period.is_open else [Q(day__gt=period.end)]
        parts += [_grouped(days.filter(side), scope, lambda name: Value(0) - Sum(prefix + name)) for side in outside]
    else:
        parts = [_grouped(days.filter(period.inside), scope, lambda name: Sum(prefix + name))]
    found: QuerySet[Any] = unsummed.union(*parts, all=True)
    return found


def _days(scope: Scope) -> QuerySet[Any]:
    """The sums by day, of all accounts together where nobody asks for some."""
    return TopicSectorDay.objects.all() if scope.accounts is None else TopicDay.objects.all()


def _ever(scope: Scope) -> QuerySet[Any]:
    """The sums of all of history."""
    if scope.accounts is not None:
        return TopicAccount.objects.filter(scope.rows)
    return TopicStanding.objects.filter(scope.rows, sector__isnull=not scope.is_apart)


def _grouped(rows: QuerySet[Any], scope: Scope, number: Callable[[str], Any]) -> QuerySet[Any]:
    sums = {f"{name}_sum": number(name) for name in NUMBERS}
    found: QuerySet[Any] = rows.order_by().annotate(part=scope.key).values_list("part", "topic_id").annotate(**sums)
    return found


def _users(period: Period, scope: Scope, shown: set[Key]) -> QuerySet[Any]:
    """Sector, topic and their names; then an account that is not summed, how many are, the day (of those: the last),
    and when the one that is not summed used the topic last as far as that is summed.
    """

    def rows(found: QuerySet[Any]) -> QuerySet[Any]:
        some = found.filter(scope.rows, _of(shown, scope)).order_by().annotate(part=scope.key, name=scope.name)
        listed: QuerySet[Any] = some.values_list(*columns)
        return listed

    columns = ("part", "topic_id", "name", "topic__name", "topic__hashtag")
    seen = TopicAccount.objects.filter(_same(scope)).order_by("-last_day").values("last_day")[:1]
    unsummed = rows(behind().filter(period.inside)).annotate(
        who=F("account_id"), users=Value(0, BigIntegerField()), at=F("day"), seen=Subquery(seen)
    )
    nobody = {"who": Value(None, BigIntegerField())}
    never = {"seen": Value(None, DateField())}
    known = TopicAccount.objects.filter(last_day__gte=period.start)
    users, last = Count("account", distinct=True), Max("last_day")
    if period.is_open:
        parts = [rows(known).annotate(**nobody, users=users, at=last, **never)]
    else:
        used = TopicDay.objects.filter(_same(scope)).filter(period.inside)
        known = known.filter(Q(last_day__lte=period.end) | Exists(used))
        days = _days(scope).filter(period.inside)
        parts = [
            rows(known).annotate(**nobody, users=users, at=Value(None, DateField()), **never),
            rows(days).annotate(**nobody, users=Value(0, BigIntegerField()), at=Max("day"), **never),
        ]
    found: QuerySet[Any] = unsummed.union(*parts, all=True)
    return found


def _of(shown: set[Key], scope: Scope) -> Q:
    """The rows of these topics, each in its sector where they are apart."""
    topics: dict[int, list[int]] = defaultdict(list)
    for sector, topic in sorted(shown):
        topics[sector].append(topic)
    found = Q(pk__in=[])
    for sector, those in topics.items():
        found |= Q(sector=sector, topic__in=those) if scope.is_apart else Q(topic__in=those)
    return found


def _same(scope: Scope) -> Q:
    found = Q(topic=OuterRef("topic"), account=OuterRef("account"))
    return found & Q(sector=OuterRef("sector")) if scope.is_apart else found
