"""How topics stand: made from the summaries, and made again when a day is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from insights.models import TopicAccount, TopicSectorDay, TopicStanding
from insights.statistics.ranking import SHOWN_DAYS, WINDOW_DAYS, decay

NUMBERS = ("videos", "counted", "hits")
WEIGHTS = ("use_weight", "weight", "hit_weight")

#: A sector (None: all together) and a topic.
Key = tuple[int | None, int]


def standings_make(topics: Collection[int], today: date) -> None:
    """Write anew how these topics stand in every sector and in all together. Call where nobody else changes sums."""
    recent = _recent(topics, today)
    users = _users(topics, today)
    TopicStanding.objects.filter(topic__in=topics).delete()
    TopicStanding.objects.bulk_create(
        [
            TopicStanding(sector_id=sector, topic_id=topic, day=today, **facts, **recent[sector, topic])
            for (sector, topic), facts in users.items()
        ],
        batch_size=500,
    )


def _recent(topics: Collection[int], today: date) -> dict[Key, dict[str, float]]:
    """What is of 90 days, of 30, and weighted by age."""
    found: dict[Key, dict[str, float]] = defaultdict(lambda: defaultdict(int))
    days = TopicSectorDay.objects.filter(topic__in=topics, day__gt=today - timedelta(days=WINDOW_DAYS), day__lte=today)
    for sector, topic, day, *numbers in days.order_by("day").values_list("sector", "topic", "day", *NUMBERS):
        age = (today - day).days
        for facts in (found[sector, topic], found[None, topic]):
            for name, weighted, number in zip(NUMBERS, WEIGHTS, numbers, strict=True):
                facts[f"{name}90"] += number
                facts[weighted] += decay(age) * number
                if age < SHOWN_DAYS:
                    facts[f"{name}30"] += number
    return found


def _users(topics: Collection[int], today: date) -> dict[Key, dict[str, Any]]:
    """What is of all of history, and how many accounts there are in each window."""
    rows = TopicAccount.objects.filter(topic__in=topics).order_by()
    sums = {f"{name}_sum": Sum(name) for name in NUMBERS}
    overall: QuerySet[TopicAccount, Any] = rows.values("topic").annotate(**_counts(today, distinct=True), **sums)
    by_sector: QuerySet[TopicAccount, Any] = rows.values("sector", "topic").annotate(
        **_counts(today, distinct=False), **sums
    )
    found: dict[Key, dict[str, Any]] = {}
    for row in (*overall, *by_sector):
        facts = {name: row[f"{name}_sum"] for name in NUMBERS}
        facts |= {f"accounts{window}": row[f"users{window}"] for window in ("", "90", "30")}
        found[row.get("sector"), row["topic"]] = {**facts, "last_day": row["last"]}
    return found


def _counts(today: date, *, distinct: bool) -> dict[str, Any]:
    """Accounts of a group; `distinct` where one may be there for two sectors."""
    since = {str(days): Q(last_day__gt=today - timedelta(days=days)) for days in (WINDOW_DAYS, SHOWN_DAYS)}
    return {
        "users": Count("account", distinct=distinct), "last": Max("last_day"),
        **{f"users{days}": Count("account", distinct=distinct, filter=those) for days, those in since.items()},
    }  # fmt: skip


def standings_stale(today: date) -> Iterable[int]:
    """Topics whose standing is of another day."""
    return TopicStanding.objects.exclude(day=today).order_by("topic").values_list("topic", flat=True).distinct()
