"""The last look: exactly what TikTok receives, and what the account would have twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import TikTokAccount, User
from publishing.models import AccountBrand, Asset, Batch, BrandPattern, Video
from publishing.selectors.duplicates import duplicates_of
from publishing.selectors.sending import FIELDS, sending_of
from publishing.states import VideoStatus
from subiteya.tiktok import PostInfo
from tests.factories import AssetFactory, BatchFactory, TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return UserFactory(language="en")


@pytest.fixture
def source(ana: User) -> Asset:
    asset = AssetFactory(created_by=ana, size=70_000_000)
    asset.uploaders.add(ana)
    return asset


@pytest.fixture
def luna(ana: User) -> TikTokAccount:
    return TikTokAccountFactory(username="luna", managers=[ana])


def form(source: Asset, account: TikTokAccount, **fields: object) -> dict[str, object]:
    return {
        "submission_key": "key-1", "source": source.pk, "mode": "direct", "subtitles": "none", "when": "now",
        "caption": "Recién horneadas 🥐", "accounts": account.pk, "cover_timestamp_ms": 1500,
        f"{account.pk}-privacy_level": "SELF_ONLY", f"{account.pk}-allow_comment": "on",
    } | fields  # fmt: skip


def check(client: Client, data: dict[str, object]) -> str:
    answer = client.post("/new/check/", data, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_it_lists_every_field_that_tiktok_gets(as_ana, source, luna):
    assert set(FIELDS) == set(PostInfo(privacy_level="SELF_ONLY").payload())

    page = check(as_ana, form(source, luna))

    for words in ("Only me", "Recién horneadas 🥐", "19 of 2200 characters", "frame at 1.5 s", "70 MB, 3 parts"):
        assert words in page
    assert page.count("not allowed") == 2
    assert not Batch.objects.exists() and not Video.objects.exists()


def test_what_it_lists_is_what_the_video_sends(as_ana, source, luna):
    page = check(as_ana, form(source, luna))
    as_ana.post("/new/", form(source, luna), headers={"Accept": "application/json"})
    for field in sending_of(Video.objects.get()):
        assert field.value in page, field.name


def test_it_names_the_brand_pattern_of_the_edit(as_ana, source, luna):
    pattern = BrandPattern.objects.create(name="Luna de noche")
    AccountBrand.objects.create(account=luna, pattern=pattern)
    assert "Luna de noche" in check(as_ana, form(source, luna))


def test_the_inbox_gets_the_file_and_nothing_else(as_ana, source, luna):
    page = check(as_ana, form(source, luna, mode="inbox"))
    assert "Only the file is sent" in page
    assert "Recién" not in page and "Only me" not in page


def test_it_answers_the_forms_errors(as_ana, source, luna):
    data = form(source, luna) | {f"{luna.pk}-privacy_level": ""}
    answer = as_ana.post("/new/check/", data, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "privacy_level"


def test_it_warns_of_the_same_file_and_publishes_it_only_when_that_is_ticked(as_ana, source, luna):
    VideoFactory(
        account=luna, batch=BatchFactory(source=source), status=VideoStatus.POSTED,
        posted_at=timezone.now() - timedelta(days=3),
    )  # fmt: skip
    assert "has this very file already: Published" in check(as_ana, form(source, luna))

    refused = as_ana.post("/new/", form(source, luna), headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "anyway")
    taken = as_ana.post("/new/", form(source, luna, anyway=luna.pk), headers={"Accept": "application/json"})
    assert taken.status_code == 200


def test_a_form_that_is_sent_again_is_not_warned_of_itself(as_ana, source, luna):
    as_ana.post("/new/", form(source, luna), headers={"Accept": "application/json"})
    assert "already" not in check(as_ana, form(source, luna))
    assert "already" in check(as_ana, form(source, luna, submission_key="another"))


def test_a_second_click_is_no_duplicate_of_the_first(as_ana, source, luna):
    first, second = (as_ana.post("/new/", form(source, luna), headers={"Accept": "application/json"}) for _ in "ab")
    assert first.json() == second.json()
    assert Video.objects.count() == 1


@pytest.mark.parametrize(("minutes", "kinds"), [(0, ["hour"]), (29, ["hour"]), (-29, ["hour"]), (31, []), (-31, [])])
def test_it_warns_of_two_posts_near_the_same_hour(luna, minutes, kinds):
    at = timezone.now() + timedelta(days=1)
    draft = Video(account=luna, batch=Batch(source=AssetFactory()), scheduled_at=at, time_zone=luna.time_zone)
    VideoFactory(account=luna, status=VideoStatus.SCHEDULED, scheduled_at=at + timedelta(minutes=minutes))
    VideoFactory(status=VideoStatus.SCHEDULED, scheduled_at=at)
    assert [one.kind.value for one in duplicates_of([draft]).get(luna.pk, [])] == kinds


@pytest.mark.parametrize(("status", "kinds"), [
    (VideoStatus.UPLOADING, ["file"]),
    (VideoStatus.UNCONFIRMED, ["file"]),
    (VideoStatus.FAILED_EDIT, []),
    (VideoStatus.REJECTED, []),
    (VideoStatus.CANCELLED, []),
])  # fmt: skip
def test_it_counts_what_went_out_or_still_may(luna, source, status, kinds, django_assert_num_queries):
    VideoFactory(account=luna, batch=BatchFactory(source=source), status=status)
    draft = Video(account=luna, batch=Batch(source=source), time_zone=luna.time_zone)
    with django_assert_num_queries(1):
        found = duplicates_of([draft])
    assert [one.kind.value for one in found.get(luna.pk, [])] == kinds
