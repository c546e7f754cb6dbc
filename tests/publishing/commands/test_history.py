"""The told month: plausible, consistent with the state machine, the same every time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from publishing.causes import CATALOGUE
from publishing.demo.cast import BRAND_OF, BRANDS, UNLUCKY
from publishing.demo.history import DAYS, month
from publishing.demo.story import Story
from publishing.states import (
    FAMILIES,
    JOB_ALLOWED,
    JOB_TERMINAL,
    VIDEO_ALLOWED,
    Family,
    JobStatus,
    VideoStatus,
)
from subiteya.tiktok import TITLE_MAX_UTF16, utf16_len

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return [story for submission in month(NOW, 3) for story, _caption in submission.stories]


def test_it_tells_a_month_with_something_of_everything(stories):
    by_status = Counter(story.status for story in stories)

    assert 220 <= len(stories) <= 300
    assert by_status[VideoStatus.POSTED] / len(stories) > 0.75
    assert {
        VideoStatus.REJECTED, VideoStatus.FAILED_UPLOAD, VideoStatus.FAILED_EDIT, VideoStatus.UNCONFIRMED,
        VideoStatus.MISSED, VideoStatus.IN_INBOX, VideoStatus.CANCELLED, VideoStatus.SCHEDULED,
    } <= by_status.keys()  # fmt: skip
    assert {story.brand.username for story in stories} == BRAND_OF.keys()


def test_it_has_enough_of_both_arms_to_compare_subtitles(stories):
    over = [story for story in stories if story.status in FAMILIES[Family.ATTENTION] | {VideoStatus.POSTED}]
    arms = Counter((story.subtitled, story.status == VideoStatus.POSTED) for story in over)

    assert all(arms[subtitled, True] + arms[subtitled, False] >= 30 for subtitled in (True, False))
    assert all(arms[subtitled, good] >= 5 for subtitled in (True, False) for good in (True, False))


def test_it_moves_only_along_the_machines_and_forward_in_time(stories):
    for story in stories:
        for old, new in pairwise(story.steps):
            assert new.new in VIDEO_ALLOWED[VideoStatus(old.new)]
            assert new.at >= old.at
        for job in story.jobs:
            assert job.steps[-1].new in JOB_TERMINAL
            for old, new in pairwise(job.steps):
                assert new.new in JOB_ALLOWED[JobStatus(old.new)]
                assert new.at >= old.at


def test_it_happened_already_and_not_long_ago(stories):
    assert max(story.last.at for story in stories) < NOW
    assert min(story.steps[0].at for story in stories) > NOW - timedelta(days=DAYS + 2)
    assert all(story.due > NOW for story in stories if story.status == VideoStatus.SCHEDULED)


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_it_never_tells_the_future_whatever_the_hour(hour):
    now = NOW.replace(hour=hour)

    told = month(now, 3)

    assert all(story.last.at < now for submission in told for story, _caption in submission.stories)


def test_it_gives_only_causes_of_the_catalogue(stories):
    codes = {step.code for story in stories for step in [*story.steps, *(s for job in story.jobs for s in job.steps)]}

    assert codes - {""} <= CATALOGUE.keys()
    assert all(story.last.code for story in stories if story.status in FAMILIES[Family.ATTENTION])


def test_it_has_one_bad_afternoon(stories):
    failed = [s.last.at for s in stories if s.brand.username == UNLUCKY and s.status == VideoStatus.FAILED_UPLOAD]
    days = Counter(at.astimezone(ZoneInfo("America/Argentina/Buenos_Aires")).date() for at in failed)

    assert max(days.values()) >= 6


def test_it_writes_captions_of_the_brands_sector_with_hashtags():
    told = [(story.brand.sector, caption) for each in month(NOW, 3) for story, caption in each.stories]

    for sector, caption in told:
        assert 3 < sum(word.startswith("#") for word in caption.split()) <= 5
        assert utf16_len(caption) <= TITLE_MAX_UTF16
        others = {other for other_sector, other in told if other_sector != sector}
        assert caption not in others
    assert len({caption for _sector, caption in told}) > len(told) / 2


def test_it_tells_the_same_month_again():
    def told():
        return [(s.status, s.post_id, text) for each in month(NOW, 3) for s, text in each.stories]

    assert told() == told()


def test_it_gives_each_manager_accounts_of_their_own(stories):
    for submission in month(NOW, 3):
        assert {story.brand.manager for story, _caption in submission.stories} == {submission.manager}
    assert Counter(brand.manager for brand in BRANDS) == {"ana": 3, "bruno": 3}


@pytest.mark.parametrize("day", range(0, 28, 3))
def test_it_tells_something_of_everything_to_everybody_on_any_day(day: int) -> None:
    """Whoever is shown the demo finds a doubt, a missed hour, an inbox and a plan among their own accounts."""
    told = month(datetime(2026, 11, 3, 15, tzinfo=UTC) + timedelta(days=day), 3)
    for ending in ("unconfirmed", "missed", "in_inbox", "scheduled"):
        people = {one.manager for one in told for story, _text in one.stories if story.status == ending}
        assert people == {"ana", "bruno"}, ending
