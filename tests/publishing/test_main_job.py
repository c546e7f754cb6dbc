"""The main job, whole: a file goes in, TikTok (the sandbox) has the same bytes, and only then it is published."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from publishing.models import Asset, AssetKind, Job, Render, UploadSession, VideoEvent
from publishing.services.reconcile import reconcile_tick
from publishing.services.runner import job_run
from publishing.states import JobStatus, PostMode, PrivacyLevel, UploadState, VideoStatus
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db


def posts(tiktok):
    return [entry for entry in tiktok.sandbox.ledger() if entry["posted"]]


def test_it_publishes_one_file_to_three_accounts_with_the_edited_bytes(tiktok, connect, submit, work):
    accounts = [connect(name) for name in ("panaderia", "pasteleria", "cafe")]
    batch = submit(*accounts, privacy_level=PrivacyLevel.PUBLIC_TO_EVERYONE)
    work()
    videos = [reload(video) for video in batch.videos.all()]
    assert [video.status for video in videos] == [VideoStatus.POSTED] * 3
    ledger = {entry["username"]: entry for entry in posts(tiktok)}
    for video in videos:
        entry = ledger[video.account.username]
        assert entry["sha256"] == video.edited.sha256
        assert entry["title"] == "Medialunas ñandú 😀 #panaderia"
        assert video.post_url == f"{tiktok.url}/@{video.account.username}/video/{entry['post_id']}"
    assert len(posts(tiktok)) == 3


def test_it_renders_an_equal_edit_once(connect, submit, work):
    submit(connect("a1"), connect("b1"), connect("c1"))
    work()
    assert Render.objects.count() == 1
    assert Asset.objects.filter(kind=AssetKind.EDITED).count() == 1


def test_it_is_not_published_before_tiktok_says_so(tiktok, connect, submit, work):
    tiktok.sandbox.configure(processing_seconds=3600)
    batch = submit(connect())
    work(rounds=4)
    video = reload(batch.videos.get())
    assert video.status == VideoStatus.VERIFYING
    assert video.posted_at is None
    assert not posts(tiktok)


def test_it_shows_a_post_in_moderation_as_in_review_until_it_has_an_id(tiktok, connect, submit, work):
    tiktok.sandbox.configure(moderation_seconds=3600)
    with time_machine.travel(timezone.now(), tick=True) as clock:
        batch = submit(connect(), privacy_level=PrivacyLevel.PUBLIC_TO_EVERYONE)
        work(rounds=4)
        assert reload(batch.videos.get()).status == VideoStatus.IN_REVIEW
        clock.shift(timedelta(hours=1, minutes=2))
        work(rounds=4)
    video = reload(batch.videos.get())
    assert (video.status, bool(video.post_id)) == (VideoStatus.POSTED, True)


def test_it_leaves_an_inbox_video_to_the_person(tiktok, connect, submit, work):
    batch = submit(connect(), mode=PostMode.INBOX, privacy_level="")
    work()
    assert reload(batch.videos.get()).status == VideoStatus.IN_INBOX
    assert not posts(tiktok)


def test_it_rejects_with_tiktoks_reason(tiktok, connect, submit, work):
    tiktok.sandbox.fault("post_failed", fail_reason="frame_rate_check_failed")
    batch = submit(connect())
    work()
    video = reload(batch.videos.get())
    assert (video.status, video.reason_code) == (VideoStatus.REJECTED, "frame_rate_check_failed")
    assert Job.objects.filter(video=video, status=JobStatus.FAILED).count() == 1


def test_it_records_every_change_under_one_trace_id(connect, submit, work):
    batch = submit(connect())
    work()
    video = batch.videos.get()
    events = VideoEvent.objects.filter(video=video)
    assert [event.new for event in events] == [
        VideoStatus.PENDING, VideoStatus.EDITING, VideoStatus.EDITED, VideoStatus.UPLOADING, VideoStatus.VERIFYING,
        VideoStatus.POSTED,
    ]  # fmt: skip
    assert {event.trace_id for event in events} == {batch.trace_id}
    assert {job.trace_id for job in video.jobs.all()} == {batch.trace_id}


def test_it_keeps_the_publish_id_and_the_plan_of_each_upload(connect, submit, work):
    batch = submit(connect())
    work()
    session = UploadSession.objects.get(video=batch.videos.get())
    assert session.state == UploadState.COMPLETE
    assert session.publish_id.startswith("v_pub")
    assert session.uploaded_bytes == session.video_size == batch.videos.get().edited.size


def test_it_edits_a_scheduled_video_at_once_and_sends_it_at_its_hour(tiktok, connect, submit, work):
    with time_machine.travel(timezone.now(), tick=True) as clock:
        batch = submit(connect(), scheduled_at=timezone.now() + timedelta(hours=3))
        work(all_times=False)
        video = reload(batch.videos.get())
        assert (video.status, bool(video.edited_id)) == (VideoStatus.SCHEDULED, True)
        reconcile_tick()
        assert reload(video).status == VideoStatus.SCHEDULED
        clock.shift(timedelta(hours=3, seconds=1))
        assert reconcile_tick()["started"] == 1
        work()
    assert reload(video).status == VideoStatus.POSTED


def test_it_calls_a_video_missed_when_nothing_ran_at_its_hour(tiktok, connect, submit, work):
    with time_machine.travel(timezone.now(), tick=True) as clock:
        batch = submit(connect(), scheduled_at=timezone.now() + timedelta(hours=1))
        clock.shift(timedelta(hours=1, minutes=31))
        reconcile_tick()
        video = reload(batch.videos.get())
        assert (video.status, video.reason_code) == (VideoStatus.MISSED, "missed")
        work()
    assert reload(video).status == VideoStatus.MISSED
    assert not posts(tiktok)


def test_it_submits_the_same_form_once(cm, connect, submit):
    account = connect()
    first = submit(account, submission_key="form-1")
    again = submit(account, submission_key="form-1", source=first.source)
    assert again.pk == first.pk
    assert Job.objects.count() == 1


def test_it_ignores_bells_for_work_that_is_done(tiktok, connect, submit, work):
    submit(connect())
    work()
    for job in Job.objects.all():
        job_run(job.pk)
        job_run(job.pk)
    assert len(posts(tiktok)) == 1
