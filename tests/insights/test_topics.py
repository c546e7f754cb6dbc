"""Topics: what a hashtag is, counted once, summed by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import TikTokAccount
from insights.models import Publication, PublicationTopic, Topic, TopicDay
from insights.selectors.topics import topic_leaders, topic_leaders_overall
from insights.services.topics import fold, hashtags, spellings_choose, topics_counted, topics_keep
from publishing.states import VideoStatus
from tests.factories import SectorFactory, TikTokAccountFactory, VideoFactory

MARCH = datetime(2026, 3, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("#Panadería, #PANADERIA y #panadería", {"panaderia": "Panadería"}),
        (
            "#ñandú,#日本 #v2 #2026 # solo#pegado",
            {"ñandu": "ñandú", "日本": "日本", "v2": "v2"},
        ),  # "solo#pegado" is a word
        ("#año no es #ano", {"año": "año", "ano": "ano"}),
        ("sin nada, C# y https://x.y/#ancla ni &#39;", {}),
        ("#cafe\u0301", {"cafe": "café"}),
        ("#pan🥐 #mate👩🏽‍🍳!", {"pan🥐": "pan🥐", "mate👩🍳": "mate👩🏽‍🍳"}),
        ("#❤️ #❤", {"❤": "❤️"}),
        ("#हिन्दी #مرحبا\u200f #привет", {"हिन्दी": "हिन्दी", "مرحبا": "مرحبا", "привет": "привет"}),
        ("＃ｐａｎ", {"pan": "ｐａｎ"}),
        ("##pan #_ #__", {"pan": "pan"}),
        ("#medialunas#desayuno", {"medialunas": "medialunas", "desayuno": "desayuno"}),
        (f"#{'a' * 101}", {}),
        ("#İstanbul #STRASSE #straße", {"istanbul": "İstanbul", "strasse": "STRASSE"}),
    ],
)
def test_it_reads_hashtags_of_any_script(caption: str, found: dict[str, str]) -> None:
    assert hashtags(caption) == found


@given(st.text(max_size=60))
def test_it_folds_to_what_folds_to_itself(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@given(st.text(max_size=80))
def test_it_finds_topics_that_are_folded_and_written_in_the_caption(caption: str) -> None:
    for topic, hashtag in hashtags(caption).items():
        assert topic == fold(hashtag)
        assert "#" not in hashtag


def published(account: TikTokAccount, caption: str, at: datetime = MARCH) -> Publication:
    video = VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=at, caption=caption)
    publication = Publication.objects.create(
        video=video, account=account, sector=account.sector, arm="none", due_at=at, posted_at=at
    )
    topics_keep(publication, caption)
    return publication


@pytest.mark.django_db
def test_it_counts_a_post_once_in_the_day_of_its_publication() -> None:
    account = TikTokAccountFactory()
    post = published(account, "#Pan #pan #mate", MARCH.replace(hour=23))

    assert topics_keep(post, "#Pan #pan #mate") == 0

    days = TopicDay.objects.order_by("topic__name").values_list("topic__name", "day", "videos", "counted", "hits")
    assert list(days) == [("mate", MARCH.date(), 1, 0, 0), ("pan", MARCH.date(), 1, 0, 0)]
    assert PublicationTopic.objects.count() == 2


@pytest.mark.django_db
def test_it_adds_what_was_compared_to_the_same_day() -> None:
    account = TikTokAccountFactory()
    for is_hit in (True, False):
        post = published(account, "#pan")
        Publication.objects.filter(pk=post.pk).update(settled_views=9, median_views=5, is_hit=is_hit)
        post.refresh_from_db()
        topics_counted(post)

    day = TopicDay.objects.get()
    assert (day.videos, day.counted, day.hits) == (2, 2, 1)


@pytest.mark.django_db
def test_it_leads_by_sector_and_overall_with_sources_and_results() -> None:
    food, sport = SectorFactory(name="Gastronomía"), SectorFactory(name="Deportes")
    baker, cook, club = (TikTokAccountFactory(sector=sector) for sector in (food, food, sport))
    now = timezone.now()
    for account, caption in ((baker, "#pan #mate"), (cook, "#Pan"), (club, "#mate"), (club, "#mate #gol")):
        published(account, caption, now)
    published(baker, "#viejo", now - timedelta(days=31))

    found = topic_leaders()

    assert [(leader.topic, leader.videos, leader.accounts) for leader in found["Gastronomía"]] == [
        ("pan", 2, 2), ("mate", 1, 1),
    ]  # fmt: skip
    assert [leader.topic for leader in found["Deportes"]] == ["mate", "gol"]
    overall = topic_leaders_overall()
    assert [(leader.topic, leader.videos, leader.accounts) for leader in overall] == [
        ("mate", 3, 2), ("pan", 2, 2), ("gol", 1, 1),
    ]  # fmt: skip
    assert topic_leaders(sectors=[sport]).keys() == {"Deportes"}
    assert [leader.topic for leader in topic_leaders_overall(accounts=[cook])] == ["pan"]
    assert topic_leaders(start=now.date() - timedelta(days=40))["Gastronomía"][2].topic == "viejo"


@pytest.mark.django_db
def test_it_leads_in_two_queries_whatever_the_number(django_assert_num_queries) -> None:
    account = TikTokAccountFactory()
    for number in range(8):
        published(account, f"#pan{number} #mate", timezone.now())
    with django_assert_num_queries(2):
        assert len(topic_leaders()[account.sector.name]) == 5
        assert len(topic_leaders_overall(limit=3)) == 3


@pytest.mark.django_db
def test_it_shows_a_topic_as_it_is_mostly_written() -> None:
    account = TikTokAccountFactory()
    for caption in ("#PANADERIA", "#panadería", "#panadería"):
        published(account, caption)
    assert Topic.objects.get().hashtag == "PANADERIA"

    assert spellings_choose() == 1
    assert spellings_choose() == 0
    assert Topic.objects.get().hashtag == "panadería"
