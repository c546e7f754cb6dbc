"""Hashtags as people meet them: chips, what was shown and taken, the report, the block list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from insights.models import BlockedTopic, SuggestedTopic, Suggestion
from insights.selectors.results import suggestion_results
from insights.services.suggestions import NoHashtag, suggestions_show, topic_block
from insights.statistics.tables import Arm
from publishing.services.batches import AccountChoice, batch_submit
from publishing.states import PostMode, PrivacyLevel, SubtitleChoice
from tests.factories import AdminFactory, AssetFactory, SectorFactory, TikTokAccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return UserFactory(language="en", username="ana")


@pytest.fixture
def food(ana, keep):
    """An account of Ana's in a sector where two accounts did well with #Masa and badly with #pan."""
    sector = SectorFactory(name="Gastronomía")
    mine, other = TikTokAccountFactory(sector=sector, managers=[ana]), TikTokAccountFactory(sector=sector)
    for account in (mine, other):
        for number in range(8):
            keep(account, "#Masa", ago=timedelta(days=number + 4), is_hit=True)
            keep(account, "#pan", ago=timedelta(days=number + 4), is_hit=False)
    return mine


@pytest.fixture
def as_ana(ana):
    client = Client()
    client.force_login(ana)
    return client


def submit(user, account, caption: str, key: str = "k1"):
    return batch_submit(
        user=user, source=AssetFactory(), caption=caption, mode=PostMode.DIRECT, subtitles=SubtitleChoice.NONE,
        submission_key=key,
        choices=[AccountChoice(account=account, privacy_level=PrivacyLevel.PUBLIC_TO_EVERYONE)],
    )  # fmt: skip


def ask(client, *accounts, key: str = "k1"):
    return client.post("/suggestions/", {"accounts": [account.pk for account in accounts], "submission_key": key})


def test_it_offers_chips_that_explain_themselves(as_ana, food) -> None:
    shown = ask(as_ana, food).content.decode()
    assert 'data-hashtag="Masa"' in shown and 'data-hashtag="pan"' not in shown
    assert "used in 16 of 32 videos of Gastronomía in 30 days; 16 of 16 above the median of their account" in shown
    assert "medium confidence" in shown


def test_it_invents_nothing_for_a_sector_without_posts(as_ana, ana) -> None:
    shown = ask(as_ana, TikTokAccountFactory(managers=[ana])).content.decode()
    assert "Nothing is known of this sector yet" in shown
    assert not Suggestion.objects.exists()


def test_it_says_when_nothing_stands_out(as_ana, ana, keep) -> None:
    account = TikTokAccountFactory(managers=[ana])
    for number in range(8):
        keep(account, "#pan", ago=timedelta(days=number + 4), is_hit=False)
    shown = ask(as_ana, account).content.decode()
    assert "Nothing stands out" in shown
    assert "Nothing is known" not in shown


def test_it_shows_nothing_of_other_peoples_accounts(as_ana, food) -> None:
    foreign = TikTokAccountFactory(sector=SectorFactory(name="Ajeno"))
    assert b"Ajeno" not in ask(as_ana, foreign, food).content


def test_it_keeps_what_was_shown_once_and_what_was_taken(as_ana, ana, food) -> None:
    ask(as_ana, food)
    ask(as_ana, food)
    shown = Suggestion.objects.get()
    assert (shown.user, shown.batch, shown.topics.count()) == (ana, None, 1)
    batch = submit(ana, food, "Rica #MASA")
    submit(ana, food, "Rica #MASA")  # the same again
    shown.refresh_from_db()
    assert (shown.batch, shown.topics.get().is_chosen) == (batch, True)
    ask(as_ana, food)  # the page stayed open
    assert SuggestedTopic.objects.count() == 1


def test_it_notes_that_none_was_taken(as_ana, ana, food) -> None:
    ask(as_ana, food)
    submit(ana, food, "Rica #pan")
    assert SuggestedTopic.objects.get().is_chosen is False


def test_it_measures_what_the_suggestions_were_worth(ana, food) -> None:
    for number, (caption, is_hit) in enumerate((("#masa", True), ("#masa", False), ("#pan", False))):
        suggestions_show(user=ana, accounts=[food], submission_key=f"s{number}")
        video = submit(ana, food, caption, f"s{number}").videos.get()
        from insights.models import Publication, PublicationTopic, Topic

        Publication.objects.filter(video=video).update(is_hit=is_hit, settled_views=1, median_views=1)
        PublicationTopic.objects.create(
            publication_id=video.pk, topic=Topic.objects.get(name=caption[1:]), hashtag=caption[1:]
        )
    found = suggestion_results(ana)
    assert (found.submissions, found.shown, found.chosen) == (3, 3, 2)
    assert (found.took, found.took_none) == (Arm(1, 2), Arm(0, 1))
    assert suggestion_results(UserFactory()).submissions == 0


def test_it_blocks_from_the_chip_and_takes_it_back(as_ana, food) -> None:
    answer = as_ana.post("/suggestions/block/", {"topic": "masa", "sector": food.sector_id}).json()
    assert b"Masa" not in ask(as_ana, food).content
    assert as_ana.post("/suggestions/unblock/", answer).json() == {"removed": 1}
    assert b"Masa" in ask(as_ana, food).content


def test_it_blocks_only_in_sectors_of_ones_own(as_ana, ana, food) -> None:
    foreign = SectorFactory()
    assert as_ana.post("/suggestions/block/", {"topic": "masa", "sector": foreign.pk}).status_code == 404
    row = BlockedTopic.objects.create(name="masa", sector=foreign)
    as_ana.post("/suggestions/unblock/", {"blocked": row.pk})
    assert as_ana.post(f"/reports/hashtags/block/{row.pk}/remove/").status_code == 404
    as_ana.post("/reports/hashtags/block/", {"hashtag": "masa", "sector": ""})  # everywhere is for administrators
    assert list(BlockedTopic.objects.all()) == [row]


@pytest.mark.parametrize("typed", ["#Panadería", "panaderia", " ＃PANADERÍA "])
def test_it_blocks_however_it_is_typed(typed) -> None:
    assert topic_block(typed=typed, sector=None, user=AdminFactory()).name == "panaderia"
    assert topic_block(typed="panadería", sector=None, user=AdminFactory()).pk == BlockedTopic.objects.get().pk


@pytest.mark.parametrize("typed", ["", "#", "dos palabras", "#a#b", "123", "!!"])
def test_it_blocks_nothing_that_is_no_hashtag(typed) -> None:
    with pytest.raises(NoHashtag):
        topic_block(typed=typed, sector=None, user=AdminFactory())


def test_it_reports_leaders_and_suggestions_of_ones_sectors(as_ana, food, keep) -> None:
    keep(TikTokAccountFactory(sector=SectorFactory(name="Ajeno")), "#ajeno")
    shown = as_ana.get("/reports/hashtags/").content.decode()
    assert "16/16 · 100.0 %" in shown and "#pan" in shown
    assert "Ajeno" not in shown
    sheet = as_ana.get("/reports/hashtags/leaders.csv").content.decode().splitlines()
    assert sheet[1].startswith("Gastronomía,#Masa,16,2,16,16,")
    assert len(sheet) == 3


def test_it_reports_all_of_history_unless_days_were_typed(as_ana, food, keep) -> None:
    keep(food, "#antes", ago=timedelta(days=200))
    shown = [as_ana.get(path).content.decode() for path in ("/reports/hashtags/", "/reports/hashtags/leaders.csv")]
    assert all("#antes" in page for page in shown)
    since = (timezone.now() - timedelta(days=20)).date().isoformat()
    assert "#antes" not in as_ana.get(f"/reports/hashtags/?since={since}").content.decode()


def test_it_lets_a_block_be_undone_on_the_page(as_ana, food) -> None:
    shown = as_ana.post(
        "/reports/hashtags/block/", {"hashtag": "#Masa", "sector": food.sector_id, "reason": "gastado"}, follow=True
    ).content.decode()
    row = BlockedTopic.objects.get()
    assert f"/reports/hashtags/block/{row.pk}/remove/" in shown and "gastado" in shown
    as_ana.post(f"/reports/hashtags/block/{row.pk}/remove/")
    assert not BlockedTopic.objects.exists()


def test_it_says_what_is_wrong_with_what_was_typed(as_ana, food) -> None:
    said = as_ana.post("/reports/hashtags/block/", {"hashtag": "dos palabras", "sector": food.sector_id}, follow=True)
    assert "is not a hashtag" in said.content.decode()


def test_it_says_so_where_there_is_nothing(as_ana) -> None:
    assert "No sector yet" in as_ana.get("/reports/hashtags/").content.decode()
