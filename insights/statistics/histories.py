"""Invented histories, to see whether the back-test finds what is there and nothing else."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from insights.statistics.posts import Post

FIRST_DAY = date(2026, 1, 5)
SECTORS = ("Gastronomía", "Mascotas", "Deportes")
ACCOUNTS, TOPICS, DAYS = 8, 40, 150
#: The share of hits without any effect, and what a planted topic adds.
BASE, EFFECT = 0.45, 0.3
PLANTED = (4, 7, 11)


@dataclass(frozen=True)
class History:
    """Posts, and the topics in which an effect was planted (none in a null history)."""

    posts: tuple[Post, ...]
    planted: frozenset[str]


def history(seed: int, *, effect: float = EFFECT) -> History:
    """The posts of three sectors with eight accounts each over 150 days; the same for the same seed.

    Few topics are used much and many little (Zipf), each account has its taste, and some accounts hit more than
    others. `effect` is what each planted topic adds to the chance of a hit; 0 for a null history.
    """
    lot = random.Random(seed)  # noqa: S311  invented data, not a secret
    posts: list[Post] = []
    planted: set[str] = set()
    for sector in SECTORS:
        topics = [f"{sector.casefold()}{number:02}" for number in range(TOPICS)]
        good = {topics[number] for number in PLANTED} if effect else set()
        planted |= good
        for number in range(ACCOUNTS):
            account = f"{sector.casefold()}.{number}"
            taste = [lot.lognormvariate(0, 0.8) / (place + 1) for place in range(TOPICS)]
            level = BASE + lot.uniform(-0.08, 0.08)
            posts += _posts(lot, sector, account, topics, taste, level, good, effect)
    return History(tuple(posts), frozenset(planted))


def _posts(
    lot: random.Random, sector: str, account: str, topics: list[str], taste: list[float], level: float,
    good: set[str], effect: float,
) -> list[Post]:  # fmt: skip
    found = []
    for day in range(DAYS):
        if lot.random() < 0.7:
            carried = frozenset(lot.choices(topics, weights=taste, k=4))
            chance = min(0.95, level + effect * len(carried & good))
            found.append(Post(FIRST_DAY + timedelta(days=day), account, sector, carried, lot.random() < chance))
    return found
