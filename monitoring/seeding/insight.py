"""What was learnt from posts: their results, TikTok's counts, and the uses of topics by day."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from insights.models import Topic
from insights.services.topics import fold
from monitoring.seeding.cast import Cast
from monitoring.seeding.days import DAY, HOUR, date_of, text_of
from monitoring.seeding.lives import Life, World

#: Posts are compared at this age, and never asked about after the second.
SETTLED, ASKED = 3 * DAY, 90 * DAY
#: The account's first posts have nothing to be compared with.
LEAST = 5
#: Topics that everybody uses, and what some multiply views by.
COMMON = ("fyp", "parati", "viral", "argentina", "tips", "emprendedores", "pymes", "oficios", "foryou", "latam")
PLANTED = {"masamadre": 1.8, "hechoamano": 1.6, "patagonia": 1.5, "viral": 0.8}
SUBTITLED = 1.07
#: A day of topics is written once nothing of it can come any more: a mended or scheduled video is out by then.
LATE = 12

Hashtag = tuple[int, str, float]


class Insight:
    """`choose` the hashtags of a text, then `learn` from each of its videos, in the order of submission."""

    def __init__(self, world: World, cast: Cast) -> None:
        self.world = world
        names = sorted({*COMMON, *(name for names in cast.hashtags.values() for name in names)})
        Topic.objects.bulk_create([Topic(name=fold(name), hashtag=name) for name in names], ignore_conflicts=True)
        found = dict(Topic.objects.values_list("name", "pk"))
        known = {name: (found[fold(name)], name, PLANTED.get(name, 1.0)) for name in names}
        self._of_sector = {
            sector: ([known[name] for name in names], list(accumulate(1 / (place + 1) for place in range(len(names)))))
            for sector, names in cast.hashtags.items()
        }
        self._common = [known[name] for name in COMMON]
        self._luck = [world.rng.lognormvariate(0, 0.7) for _turn in range(4096)]
        self._days: dict[int, dict[tuple[int, int, int], list[int]]] = defaultdict(dict)

    def choose(self, rng: random.Random, sector: int) -> list[Hashtag]:
        """One to three of the sector, and mostly a common one."""
        hashtags, weights = self._of_sector[sector]
        chosen = dict.fromkeys(rng.choices(hashtags, cum_weights=weights, k=1 + int(rng.random() * 3)))
        if rng.random() < 0.6:
            chosen[self._common[int(rng.random() ** 2 * len(self._common))]] = None
        return list(chosen)

    def learn(self, life: Life, *, arm: str, assignment: str, topics: Sequence[Hashtag], public: bool) -> None:
        """The publication of a direct post."""
        now, posted = self.world.now, life.posted_at
        due = life.due or life.created
        counts: Sequence[int | float | str | None] = (None,) * 9
        hit = None
        if posted and public:
            counts, hit = self._counted(life, arm, topics)
        self.world.rows["insights_publication"].append((
            life.id, life.account.id, life.account.sector, arm, assignment, text_of(due), _outcome(life, due, now),
            int(life.has_failed), text_of(posted) if posted else None, *counts,
        ))  # fmt: skip
        if posted:
            self._use(life, topics, hit)

    def _counted(
        self, life: Life, arm: str, topics: Sequence[Hashtag]
    ) -> tuple[Sequence[int | float | str | None], bool | None]:
        """Views, likes, comments, shares, when counted, when next, settled views, median, whether it is a hit."""
        world, account, age = self.world, life.account, self.world.now - life.posted_at
        account.posts += 1
        luck = self._luck[int(world.random() * 4096)]
        for _topic, _name, factor in topics:
            luck *= factor
        whole = account.typical * luck * (SUBTITLED if arm == "auto" else 1.0)
        views = int(whole * min(1.0, age / SETTLED) ** 0.5)
        next_at = (
            None
            if age > ASKED
            else text_of(world.now + 60 + int(world.random() * (6 * HOUR if age < SETTLED else DAY)))
        )
        counted_at = text_of(min(world.now - 60, life.posted_at + ASKED))
        if age < ASKED / 3:
            self._snapshot(life, views)
        told = (views, views // 17, views // 300, views // 250, counted_at, next_at)
        if age < SETTLED:
            return (*told, None, None, None), None
        settled = int(whole * 0.9)
        if account.posts <= LEAST:
            return (*told, settled, None, None), None
        median = round(account.typical * 0.9)
        hit = settled > median
        return (*told, settled, median, int(hit)), hit

    def _snapshot(self, life: Life, views: int) -> None:
        add, number = self.world.adder("insights_countsnapshot")
        at = min(self.world.now - 60, life.posted_at + SETTLED)
        add((number(), life.id, text_of(at), views, views // 17, views // 300, views // 250))

    def _use(self, life: Life, topics: Sequence[Hashtag], hit: bool | None) -> None:
        add, number = self.world.adder("insights_publicationtopic")
        day = self._days[life.posted_at // DAY]
        for topic, name, _factor in topics:
            add((number(), life.id, topic, name))
            uses = day.setdefault((life.account.id, life.account.sector, topic), [0, 0, 0])
            uses[0] += 1
            if hit is not None:
                uses[1] += 1
                uses[2] += hit

    def write_days(self, before: int) -> None:
        """The rows of the days that are over at the second `before`."""
        add, number = self.world.adder("insights_topicday")
        for day in sorted(day for day in self._days if day < before // DAY - LATE):
            text = date_of(day * DAY)
            for key, uses in self._days.pop(day).items():
                add((number(), text, *key, *uses, *uses))  # summed at the end: monitoring.seeding.sums


def _outcome(life: Life, due: int, now: int) -> str:
    if due > now - DAY:
        return "in_flight"
    if life.posted_at:
        return "published" if life.posted_at <= due + DAY else "failed"
    return "cancelled" if life.status == "cancelled" and not life.has_failed else "failed"
