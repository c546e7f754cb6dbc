"""Evidence from posts one by one: what the summary in the database must agree with, and what the back-test reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta

from insights.statistics.ranking import LOOKED_AT, SHOWN_DAYS, WINDOW_DAYS, Evidence, Overlap, decay


@dataclass(frozen=True)
class Post:
    """A published post. `is_hit` is None while its views cannot be compared."""

    day: date
    account: str
    sector: str
    topics: frozenset[str]
    is_hit: bool | None = None


def in_window(posts: Iterable[Post], today: date, days: int = WINDOW_DAYS) -> list[Post]:
    """Those of the last `days` days, today included."""
    return [post for post in posts if timedelta(0) <= today - post.day < timedelta(days=days)]


def evidence_of(posts: Iterable[Post], today: date) -> list[Evidence]:
    """What these posts of one sector say about each of their topics, by name."""
    by_topic: dict[str, list[Post]] = defaultdict(list)
    for post in in_window(posts, today):
        for topic in post.topics:
            by_topic[topic].append(post)
    return [_evidence(topic, uses, today) for topic, uses in sorted(by_topic.items())]


def _evidence(topic: str, uses: Sequence[Post], today: date) -> Evidence:
    counted = [post for post in uses if post.is_hit is not None]
    recent = in_window(uses, today, SHOWN_DAYS)

    def weight(posts: Iterable[Post]) -> float:
        return sum(decay((today - post.day).days) for post in posts)

    return Evidence(
        topic=topic,
        hashtag=topic,
        weight=weight(counted),
        hit_weight=weight(post for post in counted if post.is_hit),
        use_weight=weight(uses),
        counted=len(counted),
        hits=sum(bool(post.is_hit) for post in counted),
        videos=len(uses),
        videos30=len(recent),
        counted30=sum(post.is_hit is not None for post in recent),
        hits30=sum(bool(post.is_hit) for post in recent),
        accounts=len({post.account for post in uses}),
        last_day=max(post.day for post in uses),
    )


def overlap_of(posts: Sequence[Post], today: date) -> Overlap:
    """How much of the latest LOOKED_AT posts in the window two topics have in common."""
    carrying: dict[str, set[int]] = defaultdict(set)
    for place, post in enumerate(sorted(in_window(posts, today), key=lambda post: post.day)[-LOOKED_AT:]):
        for topic in post.topics:
            carrying[topic].add(place)
    return lambda one, other: jaccard(carrying[one], carrying[other])


def jaccard(here: Set[int], there: Set[int]) -> float:
    """Of the posts that are in one or the other, the share that is in both."""
    either = here | there
    return len(here & there) / len(either) if either else 0.0
