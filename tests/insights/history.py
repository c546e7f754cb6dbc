"""Invented histories of hashtags: what is published and compared, what is summed by then, who changes sector."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from hypothesis import strategies as st

from accounts.models import Sector, TikTokAccount
from insights.models import Publication, TopicAccount, TopicDay, TopicSectorDay, TopicStanding
from insights.services.summaries import summaries_fold
from insights.services.topics import topics_counted, topics_keep
from publishing.states import VideoStatus
from tests.factories import SectorFactory, TikTokAccountFactory, VideoFactory

TODAY = timezone.now().date()
TOPICS = ["pan", "mate", "asado", "vino", "gol"]


def publish(account: TikTokAccount, topics, age: int) -> Publication:
    at = datetime.combine(TODAY - timedelta(days=age), time(12), tzinfo=UTC)
    caption = " ".join(f"#{topic}" for topic in sorted(topics))
    video = VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=at, caption=caption)
    row = Publication.objects.create(
        video=video, account=account, sector=account.sector, arm="none", due_at=at, posted_at=at
    )
    topics_keep(row, caption)
    return row


def compare(row: Publication, is_hit: bool) -> None:
    if row.is_hit is None:
        row.settled_views, row.median_views, row.is_hit = 9, 5, is_hit
        row.save(update_fields=["settled_views", "median_views", "is_hit"])
        topics_counted(row)


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("publish"), st.integers(0, 3), st.sets(st.sampled_from(TOPICS), min_size=1), st.integers(0, 95)
        ),
        st.tuples(st.just("compare"), st.integers(0, 30), st.booleans()),
        st.just(("fold",)),
        st.tuples(st.just("move"), st.integers(0, 3)),
    ),
    max_size=20,
)


def played(done) -> tuple[list[TikTokAccount], list[Sector]]:
    """Play these steps with four accounts of two sectors, in tables that hold no other history."""
    for model in (TopicStanding, TopicAccount, TopicSectorDay, TopicDay, Publication):
        model.objects.all().delete()
    sectors = [SectorFactory(), SectorFactory()]
    accounts = [TikTokAccountFactory(sector=sectors[number % 2]) for number in range(4)]
    made: list[Publication] = []
    for step, *rest in done:
        if step == "publish":
            made.append(publish(accounts[rest[0]], rest[1], rest[2]))
        elif step == "compare" and made:
            compare(made[rest[0] % len(made)], rest[1])
        elif step == "fold":
            summaries_fold()
        elif step == "move":
            account = accounts[rest[0]]
            account.sector = sectors[account.sector == sectors[0]]
            account.save(update_fields=["sector"])
    return accounts, sectors
