"""Suggestions from the summary are those of the posts themselves."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import approx

from accounts.models import TikTokAccount
from insights.models import BlockedTopic, Publication
from insights.selectors.suggestions import suggest
from insights.services.topics import topics_counted, topics_keep
from insights.statistics.posts import Post, evidence_of, in_window, overlap_of
from insights.statistics.ranking import rank
from publishing.states import VideoStatus
from tests.factories import SectorFactory, TikTokAccountFactory, VideoFactory

pytestmark = pytest.mark.django_db

TODAY = timezone.now().date()
TOPICS = ["pan", "mate", "medialunas", "asado", "facturas", "ñandu☕"]


def keep(account: TikTokAccount, topics, *, age: int = 0, is_hit: bool | None = None) -> Publication:
    at = datetime.combine(TODAY - timedelta(days=age), time(12), tzinfo=UTC)
    caption = " ".join(f"#{topic}" for topic in topics)
    video = VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=at, caption=caption)
    views = {} if is_hit is None else {"settled_views": 9, "median_views": 5, "is_hit": is_hit}
    row = Publication.objects.create(
        video=video, account=account, sector=account.sector, arm="none", due_at=at, posted_at=at, **views
    )
    topics_keep(row, caption)
    if is_hit is not None:
        topics_counted(row)
    return row


posts = st.lists(
    st.tuples(
        st.integers(0, 3),  # the account, of which two are of each sector
        st.sets(st.sampled_from(TOPICS), max_size=4),
        st.integers(0, 95),
        st.sampled_from([True, False, None]),
    ),
    max_size=25,
)


@given(posts, st.sets(st.sampled_from(TOPICS), max_size=2))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_it_ranks_as_the_plain_reference_does(db, rows, blocked) -> None:
    Publication.objects.all().delete()
    sectors = [SectorFactory(), SectorFactory()]
    accounts = [TikTokAccountFactory(sector=sectors[number % 2]) for number in range(4)]
    for topic in blocked:
        BlockedTopic.objects.create(name=topic, sector=sectors[0])
    for account, topics, age, is_hit in rows:
        keep(accounts[account], topics, age=age, is_hit=is_hit)

    plain = [
        Post(TODAY - timedelta(days=age), str(account), str(account % 2), frozenset(topics), is_hit)
        for account, topics, age, is_hit in rows
        if account % 2 == 0
    ]
    videos30 = len(in_window(plain, TODAY, 30))
    wanted = rank(evidence_of(plain, TODAY), videos30=videos30, overlap=overlap_of(plain, TODAY), blocked=blocked)
    found = suggest(sectors[0], today=TODAY)

    assert [item.topic for item in found.items] == [row.evidence.topic for row in wanted]
    assert found.videos == videos30
    for item, row in zip(found.items, wanted, strict=True):
        assert (item.score is None) == (row.score is None)
        if row.score is not None:
            assert (item.score, item.mean) == approx((row.score, row.mean), abs=1e-9)
        assert (item.hits90, item.counted90) == (row.evidence.hits, row.evidence.counted)
        assert (item.videos, item.counted, item.hits, item.accounts, item.last_day, item.is_broad, item.confidence) == (
            row.evidence.videos30, row.evidence.counted30, row.evidence.hits30, row.evidence.accounts,
            row.evidence.last_day, row.is_broad, row.confidence,
        )  # fmt: skip


def test_it_invents_nothing() -> None:
    found = suggest(SectorFactory())
    assert (found.basis, found.items, found.videos) == ("none", (), 0)


def test_it_explains_a_topic_that_rested_for_a_month_by_ninety_days() -> None:
    account = TikTokAccountFactory()
    for age in (40, 41, 42):
        keep(account, ["pan"], age=age, is_hit=True)
    item = suggest(account.sector, today=TODAY).items[0]
    assert (item.counted, item.hits90, item.counted90) == (0, 3, 3)
    text = render_to_string("insights/_why.html", {"item": item, "sector": "Pan", "today": TODAY})
    assert "3 de 3 por encima de la mediana de su cuenta en 90" in text


def test_it_says_when_only_use_is_known() -> None:
    account = TikTokAccountFactory()
    keep(account, ["pan"])
    found = suggest(account.sector)
    assert (found.basis, [item.score for item in found.items]) == ("uses", [None])
    assert found.items[0].is_single_source


def test_it_blocks_everywhere_or_in_one_sector() -> None:
    one, other = TikTokAccountFactory(sector=SectorFactory()), TikTokAccountFactory(sector=SectorFactory())
    for account in (one, other):
        for topic in ("pan", "mate"):
            keep(account, [topic])
    BlockedTopic.objects.create(name="pan", sector=one.sector)
    assert [item.topic for item in suggest(one.sector).items] == ["mate"]
    assert [item.topic for item in suggest(other.sector).items] == ["mate", "pan"]
    BlockedTopic.objects.create(name="mate")
    assert [item.topic for item in suggest(other.sector).items] == ["pan"]


def test_it_asks_six_times_whatever_the_number(django_assert_max_num_queries) -> None:
    account = TikTokAccountFactory()
    for number in range(12):
        keep(account, [f"pan{number}", "mate"], age=number, is_hit=bool(number % 2))
    with django_assert_max_num_queries(7):
        assert suggest(account.sector, accounts=[account]).items
