"""A month of the agency's work: who submitted what and when, and how it ended. The same seed tells the same month."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from publishing.demo.captions import caption
from publishing.demo.cast import BRAND_OF, BRANDS, UNLUCKY, Brand
from publishing.demo.story import FAILURES, Story
from publishing.states import PostMode, PrivacyLevel

SEED = 20_260_801
DAYS = 30
OFFICE = ZoneInfo("America/Argentina/Buenos_Aires")
#: Submissions of a working day and of a day of the weekend.
WORKDAY, WEEKEND = (4, 5, 5, 6), (1, 2, 2, 3)
#: The share of submissions that leave the subtitles to the system.
BY_LOT = 0.3
GOOD_HOURS = (time(9, 30), time(12, 15), time(18, 30), time(20, 0), time(21, 15))
#: The last things happened at least so long ago.
QUIET = timedelta(minutes=20)
UNLUCKY_DAY, UNCONFIRMED_DAYS, MISSED_DAYS, INBOX_DAYS = 4, (6, 3), (13, 5, 2), (9, 5, 3, 1)
UPCOMING_HOURS = (3, 8, 22, 27, 46, 70)
MANAGERS = sorted({brand.manager for brand in BRANDS})


@dataclass(frozen=True)
class Submission:
    """What one person sent off at once; `source` is an index into the demo's files."""

    manager: str
    source: int
    subtitled: bool
    by_lot: bool
    stories: Sequence[tuple[Story, str]]

    @property
    def at(self) -> datetime:
        return self.stories[0][0].steps[0].at


def month(now: datetime, sources: int) -> list[Submission]:
    """Every submission of the last month, and some for the next days, oldest first."""
    rng = random.Random(SEED)  # noqa: S311
    told = [*_routine(rng, now), *_events(rng, now), *_planned(rng, now)]
    told.sort(key=lambda stories: stories[0].steps[0].at)
    return [_submission(rng, stories, rng.randrange(sources)) for stories in told]


def _submission(rng: random.Random, stories: Sequence[Story], source: int) -> Submission:
    first = stories[0]
    texts = [(story, caption(rng, story.brand.sector)) for story in stories]
    return Submission(first.brand.manager, source, first.subtitled, first.by_lot, texts)


def _routine(rng: random.Random, now: datetime) -> Iterator[list[Story]]:
    """The days as they go, most of it well."""
    today = now.astimezone(OFFICE).date()
    lots = random.Random(SEED + 2)  # noqa: S311
    for ago in range(DAYS, -1, -1):
        day = today - timedelta(days=ago)
        for _turn in range(rng.choice(WEEKEND if day.weekday() >= 5 else WORKDAY)):
            at = _office_hour(rng, day)
            brands = _brands(rng)
            due = _due(rng, at, brands[0])
            subtitled = rng.random() < brands[0].subtitled
            by_lot = lots.random() < BY_LOT
            stories = [
                _ended(rng, brand, at, due, lots.random() < 0.5 if by_lot else subtitled, by_lot=by_lot)
                for brand in brands
            ]
            if max(story.at for story in stories) < now - QUIET:
                yield stories


def _office_hour(rng: random.Random, day: date) -> datetime:
    at = datetime.combine(day, time(9, 0), tzinfo=OFFICE)
    return at + timedelta(minutes=rng.uniform(0, 9.5 * 60))


def _brands(rng: random.Random) -> list[Brand]:
    """One to three accounts of one manager."""
    manager = rng.choice(("ana", "ana", "bruno"))
    mine = [brand for brand in BRANDS if brand.manager == manager]
    return rng.sample(mine, rng.choices((1, 2, 3), weights=(35, 35, 30))[0])


def _due(rng: random.Random, at: datetime, brand: Brand) -> datetime | None:
    """A good hour of the brand's own zone, today or tomorrow, for some of them."""
    if rng.random() > 0.4:
        return None
    zone = ZoneInfo(brand.zone)
    day = at.astimezone(zone).date() + timedelta(days=rng.choice((0, 1)))
    due = datetime.combine(day, rng.choice(GOOD_HOURS), tzinfo=zone)
    return due if due > at + timedelta(minutes=40) else None


def _ended(
    rng: random.Random, brand: Brand, at: datetime, due: datetime | None, subtitled: bool, *, by_lot: bool
) -> Story:
    private = rng.random() < 0.04
    privacy = PrivacyLevel.SELF_ONLY if private else PrivacyLevel.PUBLIC_TO_EVERYONE
    story = Story(rng, brand, at=at, due=due, subtitled=subtitled, privacy=privacy, by_lot=by_lot)
    fate = rng.random()
    if fate < brand.luck + (0.03 if subtitled else -0.02):
        story.posted()
    elif fate > 0.98:
        story.cancelled()
    else:
        weights, endings = zip(*FAILURES, strict=True)
        rng.choices(endings, weights=weights)[0](story)
    return story


def _events(rng: random.Random, now: datetime) -> Iterator[list[Story]]:
    """What a month has besides its routine: a bad afternoon, doubts, missed hours, inboxes."""
    unlucky = BRAND_OF[UNLUCKY]
    for turn in range(6):
        at = _ago(now, UNLUCKY_DAY, 15) + timedelta(minutes=11 * turn)
        story = Story(rng, unlucky, at=at, subtitled=turn % 2 == 0)
        story.failed_upload("unavailable")
        yield [story]
    for turn, days in enumerate(UNCONFIRMED_DAYS):
        story = Story(rng, _brand(rng, turn), at=_ago(now, days, 11))
        story.unconfirmed()
        yield [story]
    for turn, days in enumerate(MISSED_DAYS):
        story = Story(rng, _brand(rng, turn), at=_ago(now, days, 17), due=_ago(now, days, 21))
        story.missed()
        yield [story]
    for turn, days in enumerate(INBOX_DAYS):
        story = Story(rng, _brand(rng, turn), at=_ago(now, days, 13), mode=PostMode.INBOX)
        story.in_inbox()
        yield [story]


def _planned(rng: random.Random, now: datetime) -> Iterator[list[Story]]:
    """What goes out in the next days."""
    for turn, hours in enumerate(UPCOMING_HOURS):
        brand = _brand(rng, turn)
        due = (now + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
        story = Story(rng, brand, at=now - timedelta(hours=rng.uniform(1, 9)), due=due, subtitled=rng.random() < 0.5)
        story.upcoming()
        yield [story]


def _brand(rng: random.Random, turn: int) -> Brand:
    """One of each manager in turn: whatever day it is, everybody has something of everything."""
    manager = MANAGERS[turn % len(MANAGERS)]
    return rng.choice([brand for brand in BRANDS if brand.manager == manager])


def _ago(now: datetime, days: int, hour: int) -> datetime:
    day = now.astimezone(OFFICE).date() - timedelta(days=days)
    return datetime.combine(day, time(hour, 0), tzinfo=OFFICE)
