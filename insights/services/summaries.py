"""Summaries of topics across accounts: brought up by the scheduler, and made anew from the rows at will.

An event writes rows of its own account only. What the scheduler has not summed yet is seen from the row itself
(`is_behind`), and whoever reads adds it, as with the counters (docs/adr/0004-counters-are-rows.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min, QuerySet, Sum
from django.utils import timezone

from accounts.models import Sector
from insights.models import (
    PublicationTopic,
    TopicAccount,
    TopicDay,
    TopicSectorDay,
    TopicStanding,
)
from insights.services.standings import NUMBERS, standings_make, standings_stale

FOLD_AT_ONCE = 2_000
#: What a rebuild holds in memory: the days of a sector, and the accounts of a sector, of one transaction.
DAYS_AT_ONCE, ACCOUNTS_AT_ONCE, TOPICS_AT_ONCE = timedelta(days=7), 100, 500
#: Of these chunks of topics, at one turn of the scheduler.
CHUNKS_AT_ONCE = 4

#: videos, counted, hits
Numbers = list[int]


def summaries_refresh() -> int:
    """What the scheduler does: sum what is new, and let the windows slide when a day is over; how many rows."""
    done = summaries_fold()
    today = timezone.now().date()
    # At midnight all are of yesterday: a few at each turn, or the videos would wait. Until then the days are read.
    for topics in islice(_chunks(list(standings_stale(today)), TOPICS_AT_ONCE), CHUNKS_AT_ONCE):
        with transaction.atomic():
            if not _is_alone():
                break
            standings_make(topics, today)
        done += len(topics)
    return done


def summaries_fold() -> int:
    """Take the oldest days of topics that are not summed, or not wholly, into the summaries; how many."""
    if not TopicDay.objects.filter(is_behind=True).exists():
        return 0
    with transaction.atomic():
        if not _is_alone():
            return 0
        rows = TopicDay.objects.filter(is_behind=True).select_for_update(skip_locked=True)
        new = list(rows.order_by("pk")[:FOLD_AT_ONCE])
        _add(new)
        TopicDay.objects.filter(pk__in=[row.pk for row in new]).update(
            **{f"summed_{name}": F(name) for name in NUMBERS}
        )
        standings_make({row.topic_id for row in new}, timezone.now().date())
    return len(new)


def summaries_rebuild() -> int:
    """Make days, sums and standings anew from the uses of topics, in pieces; how many days of topics were wrong.

    Anybody may publish meanwhile: a piece holds the rows that it counts.
    """
    wrong = 0
    for sector in Sector.objects.order_by("pk"):
        for first in _weeks(sector):
            wrong += _days_rebuild(sector, first, first + DAYS_AT_ONCE)
        for accounts in _chunks(_accounts(sector), ACCOUNTS_AT_ONCE):
            _accounts_rebuild(sector, accounts)
    TopicStanding.objects.exclude(topic__in=TopicAccount.objects.order_by().values("topic")).delete()
    topics = TopicAccount.objects.order_by("topic").values_list("topic", flat=True).distinct()
    for some in _chunks(list(topics), TOPICS_AT_ONCE):
        with transaction.atomic():
            _alone()
            standings_make(some, timezone.now().date())
    return wrong


def _alone() -> None:
    """Until the transaction ends nobody else changes a sum. Rows that refer to a sector are free to come."""
    list(Sector.objects.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _is_alone() -> bool:
    """The same, for whoever does not wait: a rebuild must not hold up the scheduler. False: somebody else sums."""
    mine = Sector.objects.select_for_update(no_key=True, skip_locked=True).order_by("pk")
    return len(mine.values_list("pk", flat=True)) == Sector.objects.count()


def _add(new: Sequence[TopicDay]) -> None:
    days: dict[tuple[int, int, date], Numbers] = defaultdict(lambda: [0, 0, 0])
    users: dict[tuple[int, int, int], Numbers] = defaultdict(lambda: [0, 0, 0])
    last: dict[tuple[int, int, int], date] = {}
    for row in new:
        user = (row.sector_id, row.topic_id, row.account_id)
        for sums in (days[row.sector_id, row.topic_id, row.day], users[user]):
            for place, name in enumerate(NUMBERS):
                sums[place] += getattr(row, name) - getattr(row, f"summed_{name}")
        last[user] = max(last.get(user, row.day), row.day)
    _write(TopicSectorDay, "day", days, {})
    _write(TopicAccount, "account_id", users, last)


def _write(model: Any, third: str, sums: dict[Any, Numbers], last: dict[Any, date]) -> None:
    """Add these sums to the rows of (sector, topic, `third`), made where there are none."""
    names = ("sector_id", "topic_id", third)
    near = {f"{name}__in": {key[place] for key in sums} for place, name in enumerate(names)}
    found = {tuple(getattr(row, name) for name in names): row for row in model.objects.filter(**near)}
    rows = []
    for key, numbers in sorted(sums.items()):
        row = found.get(key) or model(**dict(zip(names, key, strict=True)))
        for name, number in zip(NUMBERS, numbers, strict=True):
            setattr(row, name, getattr(row, name) + number)
        if last:
            row.last_day = max(row.last_day or last[key], last[key])
        rows.append(row)
    _put(model, third, rows)


def _put(model: Any, third: str, rows: Sequence[Any]) -> None:
    more = ["last_day"] if model is TopicAccount else []
    model.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["sector", "topic", third.removesuffix("_id")],
        update_fields=[*NUMBERS, *more], batch_size=500,
    )  # fmt: skip


def _weeks(sector: Sector) -> Iterator[date]:
    """The first days of pieces that hold every day of this sector."""
    uses = PublicationTopic.objects.filter(publication__sector=sector, publication__posted_at__isnull=False)
    posted = uses.aggregate(first=Min("publication__posted_at"), last=Max("publication__posted_at"))
    summed = TopicDay.objects.filter(sector=sector).aggregate(first=Min("day"), last=Max("day"))
    edges = [at.astimezone(UTC).date() for at in posted.values() if at] + [day for day in summed.values() if day]
    day = min(edges, default=date.max)
    while edges and day <= max(edges):
        yield day
        day += DAYS_AT_ONCE


def _days_rebuild(sector: Sector, first: date, end: date) -> int:
    with transaction.atomic():
        _alone()
        mine = TopicDay.objects.filter(sector=sector, day__gte=first, day__lt=end)
        rows, wanted = _held(mine), _counted(sector, first, end)
        missing = wanted.keys() - rows.keys()
        if missing:
            TopicDay.objects.bulk_create(
                [TopicDay(day=day, account_id=of, sector=sector, topic_id=topic) for day, of, topic in sorted(missing)],
                ignore_conflicts=True, batch_size=500,
            )  # fmt: skip
            # what somebody made in between is theirs to count, and is summed as any other
            rows, wanted = _held(mine), _counted(sector, first, end)
        wrong = [row for key, row in rows.items() if _numbers(row) != wanted.get(key)]
        for row in wrong:
            for name, number in zip(NUMBERS, wanted.get(_key(row), (0, 0, 0)), strict=True):
                setattr(row, name, number)
        TopicDay.objects.bulk_update(wrong, NUMBERS, batch_size=200)
        for pks in _chunks([row.pk for row in rows.values() if row.videos], FOLD_AT_ONCE):
            behind = TopicDay.objects.filter(pk__in=pks).exclude(**{f"summed_{name}": F(name) for name in NUMBERS})
            behind.update(**{f"summed_{name}": F(name) for name in NUMBERS})
        for pks in _chunks([row.pk for row in rows.values() if not row.videos], FOLD_AT_ONCE):
            TopicDay.objects.filter(pk__in=pks).delete()
        _sums_rebuild(sector, first, end, rows.values())
    return len(wrong)


def _held(days: QuerySet[TopicDay]) -> dict[tuple[date, int, int], TopicDay]:
    """These rows, which nobody else changes until the transaction ends; locked in the order of whoever publishes."""
    return {_key(row): row for row in days.order_by("topic", "pk").select_for_update()}


def _key(row: TopicDay) -> tuple[date, int, int]:
    return row.day, row.account_id, row.topic_id


def _numbers(row: TopicDay) -> Numbers:
    return [row.videos, row.counted, row.hits]


def _counted(sector: Sector, first: date, end: date) -> dict[tuple[date, int, int], Numbers]:
    """Day, account and topic → numbers, from the posts of these days."""
    start, after = (datetime.combine(day, time.min, tzinfo=UTC) for day in (first, end))
    uses = PublicationTopic.objects.filter(
        publication__sector=sector, publication__posted_at__gte=start, publication__posted_at__lt=after
    )
    fields = ("publication__posted_at", "publication__account", "topic", "publication__is_hit")
    found: dict[tuple[date, int, int], Numbers] = defaultdict(lambda: [0, 0, 0])
    for at, account, topic, is_hit in uses.order_by().values_list(*fields).iterator():
        assert at is not None, "only published ones were asked for"
        numbers = found[at.astimezone(UTC).date(), account, topic]
        numbers[0] += 1
        numbers[1] += is_hit is not None
        numbers[2] += bool(is_hit)
    return found


def _sums_rebuild(sector: Sector, first: date, end: date, rows: Iterable[TopicDay]) -> None:
    sums: dict[tuple[int, date], Numbers] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        if row.videos:
            for place, number in enumerate(_numbers(row)):
                sums[row.topic_id, row.day][place] += number
    TopicSectorDay.objects.filter(sector=sector, day__gte=first, day__lt=end).delete()
    TopicSectorDay.objects.bulk_create(
        [
            TopicSectorDay(sector=sector, topic_id=topic, day=day, **dict(zip(NUMBERS, numbers, strict=True)))
            for (topic, day), numbers in sorted(sums.items())
        ],
        batch_size=500,
    )


def _accounts(sector: Sector) -> list[int]:
    """Every account with a topic in this sector, summed or not."""
    those = [model.objects.filter(sector=sector).order_by() for model in (TopicDay, TopicAccount)]
    return sorted({account for rows in those for account in rows.values_list("account", flat=True).distinct()})


def _accounts_rebuild(sector: Sector, accounts: Sequence[int]) -> None:
    with transaction.atomic():
        _alone()
        rows = TopicDay.objects.filter(sector=sector, account__in=accounts, summed_videos__gt=0).order_by()
        sums = {f"{name}_sum": Sum(f"summed_{name}") for name in NUMBERS}
        found: QuerySet[TopicDay, Any] = rows.values("account", "topic").annotate(last=Max("day"), **sums)
        made = [
            TopicAccount(
                sector=sector, topic_id=row["topic"], account_id=row["account"], last_day=row["last"],
                **{name: row[f"{name}_sum"] for name in NUMBERS},
            )
            for row in found
        ]  # fmt: skip
        TopicAccount.objects.filter(sector=sector, account__in=accounts).delete()
        TopicAccount.objects.bulk_create(made, batch_size=500)


def _chunks(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
