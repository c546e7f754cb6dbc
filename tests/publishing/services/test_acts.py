"""Acts over many videos: what is said before, what is done, what is put back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from accounts.models import User
from publishing.errors import NotPossible
from publishing.models import Act, Job, UploadSession, Video
from publishing.services import acts
from publishing.services.acts import When, act_do, act_preview
from publishing.states import ActKind, JobKind, JobStatus, UploadState, VideoStatus
from tests.factories import (
    EditedAssetFactory,
    JobFactory,
    TikTokAccountFactory,
    UploadSessionFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def ana() -> User:
    return UserFactory()


@pytest.fixture
def account(ana):
    return TikTokAccountFactory(managers=[ana])


@pytest.fixture
def make(account):
    def make(status=VideoStatus.FAILED_EDIT, **fields) -> Video:
        if status == VideoStatus.FAILED_EDIT:
            fields = {"reason_code": "edit_failed"} | fields
        return VideoFactory(account=account, status=status, **fields)

    return make


def sent(video: Video) -> UploadSession:
    return UploadSessionFactory(video=video, state=UploadState.PROCESSING, sent_at=timezone.now())


def test_it_says_what_a_retry_will_do_to_each_and_why_not_to_the_others(ana, make):
    """Nothing is written."""
    failed, uploaded = make(), make(VideoStatus.FAILED_UPLOAD, edited=EditedAssetFactory(), reason_code="unavailable")
    refused, posted = make(VideoStatus.REJECTED, reason_code="spam_risk"), make(VideoStatus.VERIFYING)

    preview = act_preview(user=ana, kind=ActKind.RETRY, videos=Video.objects.all())

    assert {video.pk: words for video, words in preview.possible} == {
        failed.pk: "It is edited again; it is not downloaded again.",
        uploaded.pk: "It is uploaded again; it is not edited again.",
    }
    assert {(video.pk, code) for video, code in preview.refused} == {
        (refused.pk, "retry_useless"),
        (posted.pk, "at_tiktok"),
    }
    assert not Act.objects.exists()


def test_it_retries_those_that_can_be_and_counts_the_others(ana, make):
    failed, posted = make(), make(VideoStatus.IN_REVIEW)

    act = act_do(user=ana, kind=ActKind.RETRY, videos=Video.objects.all())

    failed.refresh_from_db()
    assert (act.done, act.refused) == (1, 1)
    assert failed.status == VideoStatus.PENDING
    assert failed.jobs.get().status == JobStatus.QUEUED
    assert act.items.get(video=posted).code == "at_tiktok"


def test_it_touches_no_video_of_somebody_else(make):
    video = make()
    act = act_do(user=UserFactory(), kind=ActKind.CANCEL, videos=Video.objects.all())
    video.refresh_from_db()
    assert (act.done, act.refused, video.status) == (0, 0, VideoStatus.FAILED_EDIT)


def test_it_does_once_what_is_pressed_twice(ana, make):
    make()
    first = act_do(user=ana, kind=ActKind.RETRY, videos=Video.objects.all(), key="form-1")
    second = act_do(user=ana, kind=ActKind.RETRY, videos=Video.objects.all(), key="form-1")
    assert first.pk == second.pk
    assert (second.done, second.refused, Job.objects.count()) == (1, 0, 1)


def test_it_refuses_more_videos_than_it_can_do_at_once(ana, make, monkeypatch):
    monkeypatch.setattr(acts, "MOST", 2)
    for _number in range(3):
        make()
    with pytest.raises(NotPossible, match="3 videos; 2 at most"):
        act_do(user=ana, kind=ActKind.RETRY, videos=Video.objects.all())
    assert not Act.objects.exists()


def test_it_cancels_and_leaves_alone_what_is_at_tiktok(ana, make):
    waiting, uploading = make(VideoStatus.SCHEDULED), make(VideoStatus.UPLOADING)
    JobFactory(video=uploading, kind=JobKind.UPLOAD, status=JobStatus.RUNNING)
    sent(uploading)

    act = act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.all())

    waiting.refresh_from_db()
    assert (act.done, act.refused, waiting.status) == (1, 1, VideoStatus.CANCELLED)
    assert act.items.get(video=uploading).code == "at_tiktok"


def test_it_moves_each_to_tomorrow_at_its_own_hour(ana, make):
    zone = ZoneInfo("America/Argentina/Buenos_Aires")
    tomorrow = timezone.now().astimezone(zone).date() + timedelta(days=1)
    evening = datetime.combine(tomorrow - timedelta(days=1), datetime.min.time().replace(hour=20, minute=30), zone)
    own, without = make(VideoStatus.MISSED, scheduled_at=evening, reason_code="missed"), make()

    act_do(user=ana, kind=ActKind.RESCHEDULE, videos=Video.objects.all(), when=When(to_tomorrow=True))

    own.refresh_from_db()
    without.refresh_from_db()
    assert own.scheduled_at == evening + timedelta(days=1)
    assert without.scheduled_at.astimezone(zone).strftime("%H:%M") == "09:00"
    assert own.status == without.status == VideoStatus.SCHEDULED


def test_it_takes_a_clock_without_zone_as_that_of_each_account(ana, make):
    here, there = make(VideoStatus.SCHEDULED), make(VideoStatus.SCHEDULED, time_zone="Europe/Madrid")
    noon = datetime(2040, 6, 1, 12, 0)  # noqa: DTZ001  # without a zone on purpose

    act_do(user=ana, kind=ActKind.RESCHEDULE, videos=Video.objects.all(), when=When(at=noon))

    for video in (here, there):
        video.refresh_from_db()
        assert video.scheduled_at.astimezone(ZoneInfo(video.time_zone)).replace(tzinfo=None) == noon
    assert here.scheduled_at != there.scheduled_at


def test_it_asks_no_more_for_those_that_cannot_be_done(ana, make, django_assert_max_num_queries):
    for _number in range(20):
        make(VideoStatus.IN_REVIEW)
    with django_assert_max_num_queries(12):
        act_do(user=ana, kind=ActKind.RETRY, videos=Video.objects.all())


def test_it_previews_in_a_handful_of_queries(ana, make, django_assert_max_num_queries):
    for _number in range(20):
        make()
    with django_assert_max_num_queries(5):
        act_preview(user=ana, kind=ActKind.RETRY, videos=Video.objects.all())
