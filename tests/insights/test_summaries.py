"""Sums of topics: brought up bit by bit they are what the rows say, and every reading is as of now."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from insights.models import TopicAccount, TopicDay, TopicSectorDay, TopicStanding
from insights.selectors.suggestions import suggest_all
from insights.selectors.topics import topic_leaders, topic_leaders_overall
from insights.services.summaries import summaries_fold, summaries_rebuild, summaries_refresh
from tests.factories import TikTokAccountFactory
from tests.insights.history import TODAY, TOPICS, compare, played, publish, steps

pytestmark = pytest.mark.django_db


def everything() -> list[object]:
    """The days and all their sums, without keys that say nothing."""
    found: list[object] = []
    for model in (TopicDay, TopicSectorDay, TopicAccount, TopicStanding):
        names = [part.attname for part in model._meta.concrete_fields if part.name != "id"]
        rows = model.objects.values_list(*names)
        found.append(sorted(tuple(round(v, 9) if isinstance(v, float) else str(v) for v in row) for row in rows))
    return found


def read(accounts) -> object:
    """What people see of it."""
    sectors = sorted({account.sector for account in accounts}, key=lambda sector: sector.pk)
    long_ago = TODAY.replace(year=1)
    since = TODAY - timedelta(days=29)
    return (
        topic_leaders(limit=9), topic_leaders_overall(limit=9),
        topic_leaders(start=long_ago.min, limit=9), topic_leaders_overall(start=long_ago.min, limit=9),
        topic_leaders_overall(start=long_ago.min, accounts=accounts[:2], limit=9),
        topic_leaders_overall(start=since, accounts=accounts[:2], limit=9),
        [
            [(item.topic, round(item.score or 0, 6), item.videos, item.counted90, item.hits90, item.accounts)
             for item in found.items]
            for found in suggest_all(sectors, accounts=accounts[::2])
        ],
    )  # fmt: skip


@given(steps)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_it_adds_up_bit_by_bit_to_what_the_rows_say(db, done) -> None:
    """Whatever is folded when, also of accounts that change their sector: to read it is to read the days."""
    accounts, _sectors = played(done)
    seen = read(accounts)
    summaries_fold()
    assert read(accounts) == seen
    TopicStanding.objects.update(day=TODAY - timedelta(days=1))  # nobody reads those: the days themselves speak
    assert read(accounts) == seen
    summaries_refresh()
    summed = everything()
    assert summaries_rebuild() == 0
    assert everything() == summed


def test_it_makes_good_what_is_wrong_missing_and_too_much() -> None:
    account = TikTokAccountFactory()
    for age in (0, 40):
        compare(publish(account, TOPICS, age), True)
    summaries_fold()
    right = everything()
    TopicDay.objects.filter(topic__name="pan").update(videos=7, counted=7)
    TopicDay.objects.filter(topic__name="mate").delete()
    TopicDay.objects.create(day=TODAY, account=TikTokAccountFactory(), sector=account.sector,
                            topic=TopicDay.objects.first().topic, videos=1)  # fmt: skip
    TopicSectorDay.objects.update(videos=99)
    TopicAccount.objects.all().delete()
    summaries_fold()

    assert summaries_rebuild() == 5
    assert everything() == right


def test_it_lets_the_windows_slide_when_a_day_is_over() -> None:
    account = TikTokAccountFactory()
    publish(account, ["pan"], 29)
    publish(account, ["mate"], 0)
    summaries_fold()
    assert {leader.topic for leader in topic_leaders_overall()} == {"pan", "mate"}
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert [leader.topic for leader in topic_leaders_overall()] == ["mate"]
        assert summaries_refresh() == 2
        assert not TopicStanding.objects.exclude(day=TODAY + timedelta(days=1)).exists()
        assert [leader.topic for leader in topic_leaders_overall()] == ["mate"]
        assert summaries_refresh() == 0


def test_it_sums_what_code_wrote_that_knows_nothing_of_sums() -> None:
    publish(TikTokAccountFactory(), ["pan"], 0)
    summaries_fold()
    TopicDay.objects.update(videos=3)
    assert topic_leaders_overall()[0].videos == 3
    assert summaries_fold() == 1
    assert (TopicStanding.objects.filter(sector=None).get().videos30, TopicSectorDay.objects.get().videos) == (3, 3)


def test_it_costs_the_same_to_sum_and_to_read_however_much_was_before(django_assert_num_queries) -> None:
    accounts = [TikTokAccountFactory() for _number in range(3)]
    for age in range(6):
        for account in accounts:
            publish(account, TOPICS, age)
    summaries_fold()
    for account in accounts:
        publish(account, ["pan"], 0)
    with django_assert_num_queries(1):
        assert topic_leaders_overall()[0].videos == 21
