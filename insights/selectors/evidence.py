"""What is known of the topics of sectors, for the ranking: from the summary, or from the days themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Sector, TikTokAccount
from insights.models import TopicAccount, TopicDay
from insights.selectors.standings import Standing, behind, standings
from insights.statistics.ranking import SHOWN_DAYS, WINDOW_DAYS, Evidence, Weights, decay

#: Sector → evidence, by topic's name.
BySector = dict[int, list[Evidence]]
#: Sector → topic's name → what some accounts' own posts say.
Own = dict[int, dict[str, Weights]]


def sector_evidence(sectors: Sequence[Sector], today: date) -> BySector:
    """Of 90 days up to `today`; one query where the summary is of that day."""
    known = standings(today, sectors) if today == timezone.now().date() else None
    if known is None:
        return _of_days(_window(sectors, today), sectors, today)
    keys = {sector.name: sector.pk for sector in sectors}
    found: BySector = {sector.pk: [] for sector in sectors}
    for row in sorted(known, key=lambda row: row.topic):
        if row.windows[WINDOW_DAYS].videos:
            found[keys[row.sector]].append(_standing(row))
    return found


def own_evidence(sectors: Sequence[Sector], accounts: Sequence[TikTokAccount], known: BySector, today: date) -> Own:
    """What these accounts' own posts in their sectors say; at most three queries.

    Where they are all who posted there, that is what the sector says.
    """
    others = _others(sectors, accounts, today)
    found: Own = {
        sector.pk: {row.topic: Weights(row.weight, row.hit_weight, row.use_weight) for row in known[sector.pk]}
        for sector in sectors if sector.pk not in others
    }  # fmt: skip
    if rest := [sector for sector in sectors if sector.pk in others]:
        mine = [account for account in accounts if account.sector_id in others]
        days = _window(rest, today).filter(account__sector=F("sector"), account__in=mine)
        for (sector, topic), weights in _weights(days, today).items():
            found.setdefault(sector, {})[topic] = weights
    return found


def _others(sectors: Sequence[Sector], accounts: Sequence[TikTokAccount], today: date) -> set[int]:
    """The sectors in which somebody else may have posted in the window: with accounts that are not among these, or
    that accounts of other sectors by now posted for.
    """
    mine = Counter(account.sector_id for account in accounts)
    of_sector = TikTokAccount.objects.filter(sector__in=sectors).order_by().values_list("sector")
    others = {sector for sector, n in of_sector.annotate(n=Count("pk")) if n > mine[sector]}
    if rest := [sector for sector in sectors if sector.pk not in others]:
        since = today - timedelta(days=WINDOW_DAYS)
        summed = TopicAccount.objects.filter(sector__in=rest, last_day__gt=since)
        new = behind().filter(sector__in=rest, day__gt=since)
        moved = [rows.exclude(account__sector=F("sector")).order_by().values("sector") for rows in (summed, new)]
        others |= {row["sector"] for row in moved[0].union(moved[1])}
    return others


def _window(sectors: Sequence[Sector], today: date) -> QuerySet[TopicDay]:
    first = today - timedelta(days=WINDOW_DAYS)
    return TopicDay.objects.filter(sector__in=sectors, day__gt=first, day__lte=today).order_by()


def _standing(row: Standing) -> Evidence:
    quarter, month = row.windows[WINDOW_DAYS], row.windows[SHOWN_DAYS]
    use_weight, weight, hit_weight = row.weights
    return Evidence(
        topic=row.topic, hashtag=row.hashtag, weight=weight, hit_weight=hit_weight, use_weight=use_weight,
        counted=quarter.counted, hits=quarter.hits, videos=quarter.videos, videos30=month.videos,
        counted30=month.counted, hits30=month.hits, accounts=quarter.accounts, last_day=row.last_day,
    )  # fmt: skip


def _of_days(days: QuerySet[TopicDay], sectors: Sequence[Sector], today: date) -> BySector:
    """Per topic, from two sums: totals, and the days, each of which counts by its age."""
    recent = Q(day__gt=today - timedelta(days=SHOWN_DAYS))
    topics: QuerySet[TopicDay, Any] = days.values("sector", "topic__name", "topic__hashtag")
    totals = topics.annotate(
        all_videos=Sum("videos"), all_counted=Sum("counted"), all_hits=Sum("hits"),
        videos30=Sum("videos", filter=recent, default=0), counted30=Sum("counted", filter=recent, default=0),
        hits30=Sum("hits", filter=recent, default=0), users=Count("account", distinct=True), last=Max("day"),
    )  # fmt: skip
    found: BySector = {sector.pk: [] for sector in sectors}
    weights = _weights(days, today)
    for row in totals.order_by(F("topic__name")):
        found[row["sector"]].append(
            Evidence(
                topic=row["topic__name"], hashtag=row["topic__hashtag"], counted=row["all_counted"],
                hits=row["all_hits"], videos=row["all_videos"], videos30=row["videos30"], counted30=row["counted30"],
                hits30=row["hits30"], accounts=row["users"], last_day=row["last"],
                **weights[row["sector"], row["topic__name"]]._asdict(),
            )
        )  # fmt: skip
    return found


def _weights(days: QuerySet[TopicDay], today: date) -> dict[tuple[int, str], Weights]:
    """Sector and topic's name → weights; one query."""
    sums: dict[tuple[int, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    shares = [decay(age) for age in range(WINDOW_DAYS)]
    by_day: QuerySet[TopicDay, Any] = days.values_list("sector", "topic__name", "day")
    for sector, topic, day, *numbers in by_day.annotate(c=Sum("counted"), h=Sum("hits"), v=Sum("videos")):
        share, found = shares[(today - day).days], sums[sector, topic]
        for place, number in enumerate(numbers):
            found[place] += share * number
    return {key: Weights(*numbers) for key, numbers in sums.items()}
