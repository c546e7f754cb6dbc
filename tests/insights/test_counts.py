"""Counts: asked on a schedule, kept with their date, and compared at three days of age."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import OAuthToken
from accounts.services.connections import account_import
from insights.models import AccountCounts, CountSnapshot, Publication, TopicDay
from insights.services.counts import (
    account_refresh,
    counts_due,
    counts_refresh,
    next_count_at,
    snapshots_prune,
)
from insights.services.settling import settle
from publishing.models import AccountCircuit
from tests.factories import TikTokAccountFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def post(keep, tiktok) -> Callable[..., Publication]:
    """A published post that the sandbox knows, with these views."""

    def post(account, number: int, *, views: int = 100, ago: timedelta = DAY, privacy="PUBLIC_TO_EVERYONE", **more):
        row = keep(account, "#pan", ago=ago, **more)
        at = timezone.now() - ago
        tiktok.sandbox.register_posts([
            {"username": account.username, "post_id": str(number), "create_time": int(at.timestamp()),
             "view_count": views, "like_count": 3, "comment_count": 2, "share_count": 1, "privacy_level": privacy}
        ])  # fmt: skip
        type(row.video).objects.filter(pk=row.pk).update(post_id=str(number), privacy_level=privacy)
        Publication.objects.filter(pk=row.pk).update(next_count_at=timezone.now() - timedelta(minutes=1))
        row.refresh_from_db()
        return row

    return post


def test_it_keeps_dated_counts_and_asks_again_later(connect, post) -> None:
    row = post(connect(), 71, views=123)
    assert counts_refresh() == 1
    row.refresh_from_db()
    assert (row.views, row.likes, row.comments, row.shares) == (123, 3, 2, 1)
    snapshot = CountSnapshot.objects.get()
    assert (snapshot.publication, snapshot.views, snapshot.taken_at) == (row, 123, row.counted_at)
    assert row.next_count_at > timezone.now()
    assert counts_refresh() == 0


def test_it_asks_for_twenty_at_a_time_and_leaves_the_rest_for_the_next_round(connect, post) -> None:
    account = connect()
    for number in range(45):
        post(account, 100 + number)
    assert [counts_refresh(), counts_refresh(), counts_refresh()] == [40, 5, 0]


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(0), timedelta(hours=6)), (3 * DAY - timedelta(hours=1), timedelta(hours=1)), (4 * DAY, DAY),
        (20 * DAY, 7 * DAY), (91 * DAY, None),
    ],
)  # fmt: skip
def test_it_asks_often_about_young_posts_and_never_about_old_ones(age, pause) -> None:
    now = timezone.now()
    assert next_count_at(now - age, now) == (None if pause is None else now + pause)


def test_it_does_not_ask_without_the_permission_until_the_account_connects_again(
    connect,
    post,
    tiktok,
    django_capture_on_commit_callbacks,
) -> None:
    account = connect()
    post(account, 71)
    OAuthToken.objects.filter(account=account).update(scope="user.info.basic,video.publish")
    AccountCounts.objects.create(account=account, next_at=timezone.now() + DAY, failures=2, code="x")
    assert counts_refresh() == 0
    assert not counts_due(timezone.now()).exists()
    with django_capture_on_commit_callbacks(execute=True):
        account_import(
            answer=tiktok.sandbox.mint_tokens(account.username), username=account.username,
            sector_name="Gastronomía", managers=[],
        )  # fmt: skip
    assert counts_refresh() == 1


def test_it_waits_longer_after_each_refusal_and_pauses_no_upload(connect, post, tiktok) -> None:
    account = connect()
    post(account, 71)
    tiktok.sandbox.fault("refuse", "video_query", http_status=503, code="internal_error", times=None)
    pauses = []
    now = timezone.now()
    for _turn in range(3):
        with time_machine.travel(now, tick=False):
            assert account_refresh(account) == 0
            state = AccountCounts.objects.get()
            pauses.append((state.next_at - timezone.now()) // timedelta(minutes=1))
            now = state.next_at
    assert pauses == [5, 10, 20]
    assert (state.code, state.failures) == ("internal_error", 3)
    assert not AccountCircuit.objects.exclude(state="closed").exists()


def test_it_lets_one_process_ask_at_a_time(connect, post) -> None:
    account = connect()
    post(account, 71)
    AccountCounts.objects.create(account=account, next_at=timezone.now() + timedelta(minutes=1))
    assert account_refresh(account) == 0
    assert not CountSnapshot.objects.exists()


def test_it_asks_daily_about_a_post_that_is_gone_and_then_no_more(connect, post, tiktok) -> None:
    account = connect()
    young, old = post(account, 71), post(account, 72, ago=20 * DAY)
    type(young.video).objects.filter(pk=young.pk).update(post_id="404")
    type(old.video).objects.filter(pk=old.pk).update(post_id="405")
    assert counts_refresh() == 0
    young.refresh_from_db()
    old.refresh_from_db()
    assert young.next_count_at > timezone.now() + timedelta(hours=23)
    assert old.next_count_at is None


def test_it_does_not_ask_about_what_the_world_cannot_see(connect, post) -> None:
    row = post(connect(), 71, privacy="SELF_ONLY")
    assert counts_refresh() == 0
    row.refresh_from_db()
    assert row.next_count_at is None


def test_it_decides_once_with_the_first_count_at_three_days(keep) -> None:
    account = TikTokAccountFactory()
    for number in range(5):
        keep(account, ago=(20 + number) * DAY, settled_views=100 * (number + 1))
    row = keep(account, "#pan #mate", ago=5 * DAY)
    assert not settle(row, views=900, at=row.posted_at + 2 * DAY)
    assert settle(row, views=301, at=row.posted_at + 3 * DAY)
    assert not settle(row, views=9, at=row.posted_at + 4 * DAY)
    row.refresh_from_db()
    assert (row.settled_views, row.median_views, row.is_hit) == (301, 300, True)
    assert {(day.counted, day.hits) for day in TopicDay.objects.all()} == {(1, 1)}


def test_it_compares_with_nothing_that_came_later_and_not_with_too_few(keep) -> None:
    account = TikTokAccountFactory()
    for number in range(4):
        keep(account, ago=(20 + number) * DAY, settled_views=1)
    keep(account, ago=DAY, settled_views=1)
    keep(account, ago=120 * DAY, settled_views=1)
    row = keep(account, "#pan", ago=10 * DAY)
    assert settle(row, views=500, at=row.posted_at + 3 * DAY)
    row.refresh_from_db()
    assert (row.settled_views, row.median_views, row.is_hit) == (500, None, None)
    assert {(day.videos, day.counted) for day in TopicDay.objects.all()} == {(1, 0)}


def test_it_compares_no_count_of_another_age(keep) -> None:
    row = keep(TikTokAccountFactory(), ago=30 * DAY)
    assert not settle(row, views=500, at=row.posted_at + 14 * DAY)


def test_it_forgets_snapshots_after_a_year(keep) -> None:
    row = keep(TikTokAccountFactory())
    for days in (401, 399):
        CountSnapshot.objects.create(
            publication=row, taken_at=timezone.now() - days * DAY, views=1, likes=0, comments=0, shares=0
        )
    assert snapshots_prune() == 1
