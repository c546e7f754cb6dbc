"""Which hashtags to suggest: cautious about the few, deaf to the old, and never two that are one.

A *hit* is a post whose views after three days are above the median of its own account: how large an account is
does not count. docs/hashtags.md says it in words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from insights.statistics.special import beta_quantile

#: Evidence of `WINDOW_DAYS`; a post of two weeks ago counts half.
WINDOW_DAYS, HALF_LIFE_DAYS = 90, 14
#: The figures of an explanation are of the last month.
SHOWN_DAYS = 30
MOST = 5
#: Topics are ordered by what they reach in four of five cases.
CAUTIOUS = 0.2
#: Above this share of common posts two topics are one.
SAME = 0.8
#: Whether they are is looked up in the latest posts of the sector, so many: the answer costs the same in any sector.
LOOKED_AT = 500
#: A topic in this share of the sector's posts is broad; only so many of those are suggested beside niche ones.
BROAD_SHARE, MOST_BROAD = 0.2, 2
#: An account's own results count twice from here on.
OWN_N = 10
#: What is believed of a sector's hashtag before anything is known, in posts; and where too little is known of all.
FALLBACK = (2.0, 8.0)
STRENGTH = (4.0, 40.0)
#: Half of an account's posts are above its median: a sector cannot do better than that for long.
MEAN = (0.05, 0.5)
LEAST_TOPICS, LEAST_WEIGHT = 5, 3.0


class Weights(NamedTuple):
    """Decayed counts of the compared posts of a topic, of the hits among them, and of all posts."""

    weight: float = 0.0
    hit_weight: float = 0.0
    use_weight: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a topic in a sector.

    `weight` and `hit_weight` are decayed counts of compared posts and of hits, `use_weight` of all posts. The
    figures with a 30 are plain counts of the last 30 days; `accounts` used it in 90.
    """

    topic: str
    hashtag: str
    weight: float = 0.0
    hit_weight: float = 0.0
    use_weight: float = 0.0
    counted: int = 0
    hits: int = 0
    videos: int = 0
    videos30: int = 0
    counted30: int = 0
    hits30: int = 0
    accounts: int = 0
    last_day: date


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A suggested topic. `score` and `mean` are shares of hits, None while TikTok's views are not known."""

    evidence: Evidence
    score: float | None
    mean: float | None
    is_single_source: bool
    is_broad: bool

    @property
    def confidence(self) -> str:
        """ "high" from 30 recent compared posts of 3 accounts, "medium" from 10 of 2, else "low"."""
        known = self.evidence
        if known.weight >= 30 and known.accounts >= 3:
            return "high"
        return "medium" if known.weight >= 10 and known.accounts >= 2 else "low"


#: The share of their posts that two topics have in common.
Overlap = Callable[[str, str], float]


def decay(age_days: int) -> float:
    """What a post of this age counts: 1 today, a half after two weeks."""
    return float(2 ** (-age_days / HALF_LIFE_DAYS))


def prior(evidence: Iterable[Evidence]) -> tuple[float, float]:
    """The Beta distribution of the sector's topics, by moments; FALLBACK while too few are known.

    Kept within STRENGTH posts and MEAN, so that one post of one account never outweighs fifty of seventy.
    """
    known = [row for row in evidence if row.weight >= LEAST_WEIGHT]
    if len(known) < LEAST_TOPICS:
        return FALLBACK
    total = sum(row.weight for row in known)
    mean = sum(row.hit_weight for row in known) / total
    spread = sum(row.weight * (row.hit_weight / row.weight - mean) ** 2 for row in known) / total
    noise = mean * (1 - mean) * len(known) / total
    between = spread - noise
    strength = mean * (1 - mean) / between - 1 if between > 0 else STRENGTH[1]
    strength = min(max(strength, STRENGTH[0]), STRENGTH[1])
    mean = min(max(mean, MEAN[0]), MEAN[1])
    return mean * strength, (1 - mean) * strength


def shrunk(hits: float, weight: float, alpha: float, beta: float) -> float:
    """The mean of the topic's distribution: its own share of hits, pulled to the sector's."""
    return (hits + alpha) / (weight + alpha + beta)


def cautious(hits: float, weight: float, alpha: float, beta: float) -> float:
    """What the topic's share of hits exceeds in four of five cases."""
    return beta_quantile(CAUTIOUS, hits + alpha, weight - hits + beta)


def with_own(evidence: Sequence[Evidence], own: Mapping[str, Weights]) -> list[Evidence]:
    """The sector's evidence, with that of the chosen accounts (by topic) once more where there is enough of it."""
    mine = {topic: weights for topic, weights in own.items() if weights.weight >= OWN_N}
    return [
        replace(row, weight=row.weight + more.weight, hit_weight=row.hit_weight + more.hit_weight)
        if (more := mine.get(row.topic))
        else row
        for row in evidence
    ]


def rank(
    evidence: Sequence[Evidence], *, videos30: int, overlap: Overlap, blocked: Collection[str] = (), limit: int = MOST
) -> list[Ranked]:
    """The topics to suggest, the best first: `candidates` without those that are one, broad and niche mixed."""
    return diverse(candidates(evidence, videos30=videos30, blocked=blocked), overlap=overlap, limit=limit)


def candidates(evidence: Sequence[Evidence], *, videos30: int, blocked: Collection[str] = ()) -> list[Ranked]:
    """Every topic that may be suggested, in order.

    Where views are known: topics that do better than their sector, by what they reach in four of five cases.
    Where none are: by recent use. Topics of one account come after all others, whatever they reached.
    """
    alpha, beta = prior(evidence)
    counted = [row for row in evidence if row.counted]
    found = []
    for row in counted or evidence:
        if row.topic in blocked:
            continue
        mean = shrunk(row.hit_weight, row.weight, alpha, beta) if counted else None
        if mean is not None and mean < alpha / (alpha + beta):
            continue
        score = cautious(row.hit_weight, row.weight, alpha, beta) if counted else None
        found.append(
            Ranked(
                evidence=row, score=score, mean=mean, is_single_source=row.accounts < 2,
                is_broad=bool(videos30) and row.videos30 / videos30 >= BROAD_SHARE,
            )
        )  # fmt: skip
    return sorted(found, key=_order)


def _order(row: Ranked) -> tuple[bool, float, str]:
    # equal to the last bits is equal: sums of the same posts in another order must not swap two topics
    reached = row.evidence.use_weight if row.score is None else row.score
    return row.is_single_source, -round(reached, 9), row.evidence.topic


def diverse(ranked: Sequence[Ranked], *, overlap: Overlap, limit: int = MOST) -> list[Ranked]:
    """The first of the ranked that are not the same as one before; broad ones beyond MOST_BROAD only to fill up."""
    chosen: list[Ranked] = []
    spare: list[Ranked] = []
    for row in ranked:
        if len(chosen) == limit:
            break
        if any(_is_same(row.evidence, other.evidence, overlap) for other in (*chosen, *spare)):
            continue
        full = row.is_broad and sum(other.is_broad for other in chosen) >= MOST_BROAD
        (spare if full else chosen).append(row)
    return sorted([*chosen, *spare[: limit - len(chosen)]], key=_order)


def _is_same(one: Evidence, other: Evidence, overlap: Overlap) -> bool:
    """Topics of which one is used much more than the other cannot have most of their posts in common."""
    fewer, more = sorted((one.videos, other.videos))
    return fewer > SAME * more and overlap(one.topic, other.topic) > SAME
