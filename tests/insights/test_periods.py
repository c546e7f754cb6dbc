"""The leaders between two days that somebody typed are what a count of every post says, summed or not."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights.models import Publication, PublicationTopic, TopicDay
from insights.selectors.topics import Leader, topic_leaders, topic_leaders_overall
from insights.services.summaries import summaries_fold, summaries_refresh
from tests.factories import TikTokAccountFactory
from tests.insights.history import TODAY, TOPICS, compare, played, publish, steps

pytestmark = pytest.mark.django_db

LIMIT = 3


def counted(start: date, end: date, *, apart: bool, **where) -> dict[str, list[Leader]]:
    """The same from the uses of topics themselves."""
    uses: dict[tuple[str, str], list[Publication]] = defaultdict(list)
    for use in PublicationTopic.objects.filter(**where).select_related("publication__sector", "topic"):
        assert use.publication.posted_at is not None
        if start <= use.publication.posted_at.date() <= end:
            uses[use.publication.sector.name if apart else "", use.topic.name].append(use.publication)
    found: dict[str, list[Leader]] = defaultdict(list)
    for (sector, topic), posts in uses.items():
        found[sector].append(
            Leader(
                topic=topic, hashtag=topic, videos=len(posts), accounts=len({post.account_id for post in posts}),
                counted=sum(post.is_hit is not None for post in posts), hits=sum(bool(post.is_hit) for post in posts),
                last_day=max(post.posted_at.date() for post in posts),
            )
        )  # fmt: skip
    for leaders in found.values():
        leaders.sort(key=lambda leader: (-leader.videos, -leader.accounts, leader.topic))
        del leaders[LIMIT:]
    return dict(sorted(found.items()))


periods = st.lists(st.tuples(st.integers(-1, 100), st.integers(-1, 100)), min_size=4, max_size=4)


@given(steps, periods)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_it_says_of_any_period_what_its_posts_say(db, done, asked) -> None:
    accounts, sectors = played(done)

    for ages in [*asked, (100, 0)]:
        start, end = (TODAY - timedelta(days=age) for age in (max(ages), min(ages)))
        mine = accounts[1:3]
        assert topic_leaders(start=start, end=end, limit=LIMIT) == counted(start, end, apart=True)
        assert topic_leaders(start=start, end=end, sectors=sectors[:1], limit=LIMIT) == counted(
            start, end, apart=True, publication__sector=sectors[0]
        )
        assert topic_leaders_overall(start=start, end=end, limit=LIMIT) == counted(start, end, apart=False).get("", [])
        assert topic_leaders_overall(start=start, end=end, accounts=mine, limit=LIMIT) == counted(
            start, end, apart=False, publication__account__in=mine
        ).get("", [])


@pytest.mark.parametrize(("first", "last"), [(60, 0), (60, 20), (15, 5), (8, 0)])
def test_it_asks_the_same_number_of_questions_of_any_period(django_assert_num_queries, first: int, last: int) -> None:
    """Of most of history, of little, of one that ends today and of one that is over: the oldest day, sums, users."""
    account = TikTokAccountFactory()
    for age in range(0, 60, 4):
        publish(account, TOPICS, age)
    summaries_refresh()
    start, end = (TODAY - timedelta(days=age) for age in (first, last))
    with django_assert_num_queries(3):
        assert len(topic_leaders(start=start, end=end)[account.sector.name]) == len(TOPICS)


def test_it_never_reads_the_days_of_accounts_for_their_sums() -> None:
    """Days that say something else than their sums show which of both is read."""
    account = TikTokAccountFactory()
    for age in (3, 9):
        publish(account, ["pan"], age)
    summaries_fold()
    TopicDay.objects.update(videos=500, summed_videos=500)
    (leader,) = topic_leaders(start=TODAY - timedelta(days=10), end=TODAY - timedelta(days=2))[account.sector.name]
    assert (leader.videos, leader.accounts, leader.last_day) == (2, 1, TODAY - timedelta(days=3))


def test_it_leads_with_what_was_just_used_before_that_is_summed() -> None:
    """The first of what is summed are not all that may be first."""
    one, other = TikTokAccountFactory(), TikTokAccountFactory()
    other.sector = one.sector
    other.save(update_fields=["sector"])
    for topic, times in (("pan", 3), ("mate", 3), ("asado", 2), ("vino", 1)):
        for age in range(times):
            publish(one, [topic], age)
    summaries_refresh()
    assert [leader.topic for leader in topic_leaders(limit=2)[one.sector.name]] == ["mate", "pan"]
    for _time in range(3):
        publish(other, ["vino"], 0)
    publish(other, ["asado", "gol"], 0)

    found = topic_leaders(limit=2)[one.sector.name]
    assert [(leader.topic, leader.videos, leader.accounts) for leader in found] == [("vino", 4, 2), ("asado", 3, 2)]
    assert [leader.topic for leader in topic_leaders_overall(limit=2)] == ["vino", "asado"]


@pytest.mark.parametrize(("first", "last"), [(60, 0), (60, 20), (50, 4), (15, 5), (8, 0), (3, 1)])
def test_it_counts_what_is_summed_and_what_is_not_in_periods_of_each_kind(first: int, last: int) -> None:
    """Most of history and little of it, open and over; the unsummed of accounts known and new."""
    known, new = TikTokAccountFactory(), TikTokAccountFactory()
    new.sector = known.sector
    new.save(update_fields=["sector"])
    for age in range(0, 61, 4):
        compare(publish(known, ["pan", "mate"] if age % 8 else ["pan"], age), age % 3 == 0)
    summaries_refresh()
    for account, age in ((new, 2), (new, 2), (new, 6), (known, 2), (known, 55)):
        publish(account, ["mate", "gol"], age)
    start, end = (TODAY - timedelta(days=age) for age in (first, last))

    assert topic_leaders(start=start, end=end, limit=LIMIT) == counted(start, end, apart=True)
    assert topic_leaders_overall(start=start, end=end, limit=LIMIT) == counted(start, end, apart=False)[""]
    for account in (known, new):
        mine = topic_leaders_overall(start=start, end=end, accounts=[account], limit=LIMIT)
        assert mine == counted(start, end, apart=False, publication__account=account).get("", [])
