"""What to suggest for a sector now: the ranking of `insights.statistics.ranking`, fed from the summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import Sector, TikTokAccount
from insights.models import BlockedTopic, Publication, PublicationTopic
from insights.selectors.evidence import own_evidence, sector_evidence
from insights.statistics.posts import jaccard
from insights.statistics.ranking import (
    LOOKED_AT,
    MOST,
    SHOWN_DAYS,
    WINDOW_DAYS,
    Evidence,
    Overlap,
    Ranked,
    candidates,
    diverse,
    with_own,
)

#: Topics that are compared with each other for sameness.
COMPARED = 40
AT_ONCE = 10


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """A suggested topic with the figures of its explanation, of the whole sector.

    Counts are of the last 30 days; `counted90` and `hits90` of 90, for a topic that has rested for a month.
    """

    topic: str
    hashtag: str
    rank: int
    score: float | None
    mean: float | None
    videos: int
    sector_videos: int
    hits: int
    counted: int
    hits90: int
    counted90: int
    accounts: int
    last_day: date
    is_single_source: bool
    is_broad: bool
    confidence: str

    def as_json(self) -> dict[str, Any]:
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class SectorSuggestions:
    """`basis`: "views" when TikTok's counts are known, "uses" when only use is, "none" without any post.

    `videos` are the sector's of the last 30 days.
    """

    sector: Sector
    basis: str
    items: tuple[Suggested, ...]
    videos: int


def suggest(
    sector: Sector, *, accounts: Sequence[TikTokAccount] = (), today: date | None = None, limit: int = MOST
) -> SectorSuggestions:
    """At most `limit` topics for a post in `sector`, for `accounts` of it; at most seven queries."""
    return suggest_all([sector], accounts=accounts, today=today, limit=limit)[0]


def suggest_all(
    sectors: Sequence[Sector], *, accounts: Sequence[TikTokAccount] = (), today: date | None = None,
    limit: int = MOST,
) -> list[SectorSuggestions]:  # fmt: skip
    """At most `limit` topics for a post in each sector, for those of `accounts` that are of it.

    Days are UTC. Nothing is invented: a sector without posts has no suggestions.
    """
    today = today or timezone.now().date()
    known = sector_evidence(sectors, today)
    own = own_evidence(sectors, accounts, known, today) if accounts and any(known.values()) else {}
    sizes, blocked = _sizes(sectors, today), _blocked(sectors)
    best = {}
    for sector in sectors:
        evidence = with_own(known[sector.pk], own.get(sector.pk, {}))
        names = blocked[sector.pk] | blocked[None]
        best[sector.pk] = candidates(evidence, videos30=sizes[sector.pk], blocked=names)[:COMPARED]
    return [
        SectorSuggestions(
            sector=sector, basis=_basis(known[sector.pk]), videos=sizes[sector.pk],
            items=tuple(
                _suggested(row, place, sizes[sector.pk])
                for place, row in enumerate(_chosen(best[sector.pk], sector, today, limit), start=1)
            ),
        )
        for sector in sectors
    ]  # fmt: skip


def _chosen(best: Sequence[Ranked], sector: Sector, today: date, limit: int) -> list[Ranked]:
    if len(best) < 2:
        return list(best[:limit])
    return diverse(best, overlap=_overlap(best, sector, today), limit=limit)


def _sizes(sectors: Sequence[Sector], today: date) -> Counter[int]:
    """The posts of 30 days, by sector."""
    posts = Publication.objects.filter(
        sector__in=sectors, posted_at__gte=_midnight(today - timedelta(days=SHOWN_DAYS - 1)),
        posted_at__lt=_midnight(today + timedelta(days=1)),
    )  # fmt: skip
    # of rows, not of keys: the index has all that this asks for
    return Counter(dict(posts.order_by().values_list("sector").annotate(n=Count("*"))))


def _basis(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return "none"
    return "views" if any(row.counted for row in evidence) else "uses"


def _blocked(sectors: Sequence[Sector]) -> dict[int | None, set[str]]:
    found: dict[int | None, set[str]] = defaultdict(set)
    rows = BlockedTopic.objects.filter(Q(sector__in=sectors) | Q(sector=None)).order_by()
    for sector, name in rows.values_list("sector", "name"):
        found[sector].add(name)
    return found


def _overlap(ranked: Sequence[Ranked], sector: Sector, today: date) -> Overlap:
    """How much of the sector's latest posts these topics have in common.

    One query for the first AT_ONCE of them, which are mostly all that is asked about; one for each AT_ONCE more.
    """
    latest = Publication.objects.filter(
        sector=sector, posted_at__gte=_midnight(today - timedelta(days=WINDOW_DAYS - 1)),
        posted_at__lt=_midnight(today + timedelta(days=1)),
    ).order_by("-posted_at", "-pk")[:LOOKED_AT]  # fmt: skip
    unread = [row.evidence.topic for row in ranked]
    carrying: dict[str, set[int]] = {}

    def posts_of(topic: str) -> set[int]:
        while topic not in carrying:
            names = unread[:AT_ONCE]
            del unread[:AT_ONCE]
            carrying.update((name, set()) for name in names)
            uses = PublicationTopic.objects.filter(publication__in=latest.values("pk"), topic__name__in=names)
            for post, name in uses.order_by().values_list("publication", "topic__name"):
                carrying[name].add(post)
        return carrying[topic]

    return lambda one, other: jaccard(posts_of(one), posts_of(other))


def _suggested(row: Ranked, place: int, sector_videos: int) -> Suggested:
    known = row.evidence
    return Suggested(
        topic=known.topic, hashtag=known.hashtag, rank=place, score=row.score, mean=row.mean, videos=known.videos30,
        sector_videos=sector_videos, hits=known.hits30, counted=known.counted30, hits90=known.hits,
        counted90=known.counted, accounts=known.accounts, last_day=known.last_day,
        is_single_source=row.is_single_source, is_broad=row.is_broad, confidence=row.confidence,
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
