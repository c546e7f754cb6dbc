"""The whole of it: days of submissions, one after the other, then what is at work now, then what is counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from monitoring.models import CounterTotal
from monitoring.seeding.cast import CLOSINGS, OPENINGS, RARE, RARE_SHARE, Place, cast_make, epoch
from monitoring.seeding.days import (
    DAY,
    HOUR,
    MINUTE,
    BadHours,
    DayPlan,
    date_of,
    day_plans,
    submission_times,
    text_of,
)
from monitoring.seeding.fates import NOW, lived, stuck
from monitoring.seeding.insight import Hashtag, Insight
from monitoring.seeding.lives import Life, World
from monitoring.seeding.loading import Loading, Say, loading
from monitoring.seeding.tables import TABLES

SIZES = (1, 1, 2, 2, 3, 4, 5, 6, 8)
#: People mend things: what is stuck, and what is at work, does not grow with the history.
STUCK, FULL = 600, 20_000
AT_ONCE = 20_000
#: Submissions of the last minutes are those at work now.
QUIET = 30 * MINUTE
SCHEDULED_SHARE, INBOX_SHARE, PRIVATE_SHARE = 0.35, 0.01, 0.03


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for."""

    videos: int
    accounts: int = 2_000
    months: int = 18
    seed: int = 1


@dataclass(slots=True)
class Submission:
    """A batch: one source for some accounts of one manager."""

    id: int
    at: int
    manager: int
    file: int
    accounts: list[Place]
    hashtags: list[Hashtag]
    caption: str
    subtitles: str
    trace: str
    render: str


class History:
    """One run; `write` it inside a `Loading`."""

    def __init__(self, wish: Wish, now: datetime, load: Loading, say: Say) -> None:
        self.wish, self.load, self.say = wish, load, say
        self.rng = random.Random(wish.seed)  # noqa: S311
        self.now = epoch(now)
        self.moment = now
        self.world = World(self.rng, self.now, {})
        self.share = min(1.0, wish.videos / FULL)
        self.batch_ids, self.video_ids = count(1), count(1)
        self.written = 0

    def write(self) -> None:
        self.cast = cast_make(self.rng, accounts=self.wish.accounts, now=self.moment)
        self.insight = Insight(self.world, self.cast)
        at_work = {status: max(1, round(number * self.share)) for status, (number, _way) in NOW.items()}
        past = max(1, self.wish.videos - sum(at_work.values()))
        plans = day_plans(videos=past, months=self.wish.months, now=self.now - QUIET, stuck=round(STUCK * self.share))
        self.bad = BadHours(
            self.rng, accounts=[place.id for place in self.cast.places], sectors=sorted(self.cast.hashtags),
            begin=plans[0].start, end=self.now,
        )  # fmt: skip
        for plan in plans:
            self._day(plan)
        self._at_work(at_work)
        self.insight.write_days(self.now + 100 * DAY)
        self._rest(plans)
        self._flush()

    # Days

    def _day(self, plan: DayPlan) -> None:
        waiting = set(self.rng.sample(range(plan.videos), plan.stuck))
        sizes = list(_sizes(self.rng, plan.videos, min(len(mine) for _manager, mine in self.cast.managers)))
        place = 0
        for at, size in zip(submission_times(self.rng, plan.start, len(sizes), self.now - QUIET), sizes, strict=True):
            batch = self._submission(at, size)
            due = self._due(at)
            for account in batch.accounts:
                life = self._life(batch, account, due=due)
                if place in waiting:
                    stuck(life)
                else:
                    lived(life, self.bad)
                self._video(life, batch)
                place += 1
        self.insight.write_days(plan.start)
        if len(self.world.rows["publishing_video"]) >= AT_ONCE:
            self._flush()

    def _submission(self, at: int, size: int) -> Submission:
        rng, random = self.rng, self.rng.random
        manager, mine = self.cast.managers[int(random() * len(self.cast.managers))]
        accounts = rng.sample(mine, size)
        sector = accounts[0].sector
        hashtags = self.insight.choose(rng, sector)
        subtitles = ("none", "none", "none", "auto", "auto", "system", "system")[int(random() * 7)]
        batch = Submission(
            next(self.batch_ids), at, manager, int(random() * len(self.cast.files)), accounts, hashtags,
            self._caption(sector, hashtags), subtitles, f"{rng.getrandbits(128):032x}", f"{rng.getrandbits(256):064x}",
        )  # fmt: skip
        file = self.cast.files[batch.file]
        self.world.rows["publishing_batch"].append((
            batch.id, manager, file.source, batch.caption, subtitles, None if subtitles == "none" else file.track,
            f"seed-{batch.id}", batch.trace, text_of(at),
        ))  # fmt: skip
        return batch

    def _caption(self, sector: int, hashtags: Sequence[Hashtag]) -> str:
        random, subjects = self.rng.random, self.cast.subjects[sector]
        words = [
            OPENINGS[int(random() * len(OPENINGS))], subjects[int(random() * len(subjects))] + ".",
            CLOSINGS[int(random() * len(CLOSINGS))], *(f"#{name}" for _topic, name, _factor in hashtags),
        ]  # fmt: skip
        if random() < RARE_SHARE:
            words.insert(0, f"{RARE}.")
        return " ".join(word for word in words if word)

    def _due(self, at: int) -> int:
        """An hour within the next two days, for some; none that is not over by now."""
        if self.rng.random() > SCHEDULED_SHARE:
            return 0
        due = (at + HOUR + int(self.rng.random() ** 2 * 47 * HOUR)) // (15 * MINUTE) * 15 * MINUTE
        return due if due < self.now - QUIET else 0

    def _life(self, batch: Submission, account: Place, *, due: int = 0, first: str = "") -> Life:
        return Life(
            self.world, pk=next(self.video_ids), batch=batch.id, account=account, file=self.cast.files[batch.file],
            person=batch.manager, trace=batch.trace, render=batch.render, at=batch.at, due=due, first=first,
        )  # fmt: skip

    def _video(self, life: Life, batch: Submission) -> None:
        """The rows that its life ends with."""
        random, account = self.rng.random, life.account
        by_lot = batch.subtitles == "system"
        arm = ("auto" if random() < 0.5 else "none") if by_lot else batch.subtitles
        assignment = "draw" if by_lot else "person"
        public = random() > PRIVATE_SHARE
        if by_lot:
            account.draws += 1
            add, number = self.world.adder("publishing_subtitledraw")
            add((number(), account.id, account.draws - 1, life.id, arm, text_of(life.created)))
        inbox = life.mode == "inbox"
        privacy = "" if inbox else "PUBLIC_TO_EVERYONE" if public else "SELF_ONLY"
        posted = bool(life.posted_at)
        url = f"https://www.tiktok.com/@{account.username}/video/{life.post_id}" if posted else ""
        self.world.rows["publishing_video"].append((
            life.id, batch.id, account.id, life.status, life.mode, batch.caption, privacy, arm, assignment,
            int(life.status == "awaiting_approval"), text_of(life.due) if life.due else None, account.zone,
            life.file.edited if life.edited else None, life.code, life.detail,
            text_of(life.resume_at) if life.resume_at else None, life.tiktok_status,
            life.post_id if public else "", url, text_of(life.posted_at) if posted else None, life.trace,
            text_of(life.created), text_of(life.t),
        ))  # fmt: skip
        self.world.counts["videos_total", "submitted"] += 1
        if not inbox:
            self.insight.learn(life, arm=arm, assignment=assignment, topics=batch.hashtags, public=public)

    # Now

    def _at_work(self, numbers: dict[str, int]) -> None:
        """What stands somewhere on its way at this moment."""
        held = self.cast.managers[0][1][:2]
        for status, number in numbers.items():
            way = NOW[status][1]
            for turn in range(number):
                ago = 14 * MINUTE if status == "held" else 4 * MINUTE + int(self.rng.random() * 20 * MINUTE)
                batch = self._submission(self.now - ago, 1)
                account = held[turn % len(held)] if status == "held" else batch.accounts[0]
                due = self.now + HOUR + int(self.rng.random() * 60 * HOUR) if status == "scheduled" else 0
                life = self._life(batch, account, due=due, first=status if status == "awaiting_approval" else "")
                way(life)
                self._video(life, batch)

    # What is counted

    def _rest(self, plans: Sequence[DayPlan]) -> None:
        rows, world = self.world.rows, self.world
        rows["publishing_accountcircuit"] += world.circuits.values()
        rows["publishing_tiktokoutage"] += [
            (number, text_of(outage.begin), text_of(outage.end), 20)
            for number, outage in enumerate((one for one in self.bad.outages if not one.sector), start=1)
        ]  # fmt: skip
        rows["monitoring_dailypeak"] += [
            (date_of(plan.start), 1 + plan.videos % 7) for plan in plans if plan.start > self.now - 400 * DAY
        ]
        self.load.wait()
        videos = float(world.counts["videos_total", "submitted"])
        world.counts["tiktok_api_requests_total", "video_init|ok"] = int(videos)
        world.counts["tiktok_api_requests_total", "status_fetch|ok"] = int(videos * 2)
        CounterTotal.objects.bulk_create(
            [
                CounterTotal(metric=metric, labels=labels, value=float(value))
                for (metric, labels), value in sorted(world.counts.items())
            ]
        )

    def _flush(self) -> None:
        self.load.wait()  # for the rows before these
        self.written += len(self.world.rows["publishing_video"])
        for table in TABLES:
            rows = self.world.rows[table.name]
            if rows:
                self.load.write(table, rows)
                rows.clear()
        self.say(f"{self.written:,} / {self.wish.videos:,}")


def _sizes(rng: random.Random, videos: int, largest: int) -> Iterator[int]:
    """How many accounts each submission is for, until there are `videos`."""
    while videos > 0:
        size = min(videos, largest, SIZES[int(rng.random() * len(SIZES))])
        yield size
        videos -= size


def history_write(wish: Wish, now: datetime, say: Callable[[str], None]) -> int:
    """Write it in one transaction into a database without videos; the number of videos."""
    load = loading(TABLES, say)
    history = History(wish, now, load, say)
    with load.whole():
        history.write()
    return history.written


def is_empty() -> bool:
    """Whether no table that is filled holds anything."""
    return not any(table.model._default_manager.exists() for table in TABLES)
