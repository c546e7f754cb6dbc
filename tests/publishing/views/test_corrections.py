"""Correcting a video that has not gone out: its lines, its text, its cover; and nothing of what TikTok may have."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from publishing.models import Job, SubtitleTrack, UploadSession, Video
from publishing.services.videos import video_hold, video_release
from publishing.states import JobKind, SubtitleChoice, UploadState, VideoStatus
from tests.factories import (
    BatchFactory,
    EditedAssetFactory,
    SubtitleTrackFactory,
    TikTokAccountFactory,
    UploadSessionFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db

LATER = timezone.now() + timezone.timedelta(days=2)


@pytest.fixture
def ana() -> User:
    return UserFactory(language="en")


@pytest.fixture
def track(ana: User) -> SubtitleTrack:
    return SubtitleTrackFactory(created_by=ana)


def of_the_batch(track: SubtitleTrack, ana: User, **fields: object) -> Video:
    batch = track.batches.first() or BatchFactory(
        source=track.asset, track=track, subtitles=SubtitleChoice.AUTO, created_by=ana
    )
    account = TikTokAccountFactory(managers=[ana])
    return VideoFactory(batch=batch, account=account, subtitle_variant=SubtitleChoice.AUTO, **fields)


def correct(client: Client, video: Video, text: str, **more: object) -> Video:
    """As the page does it: save the lines, then edit with them."""
    cues = [{"start_ms": 0, "end_ms": 900, "text": text}]
    saved = client.post(
        f"/tracks/{video.subtitles.pk}/", json.dumps({"cues": cues}), content_type="application/json"
    ).json()
    client.post(f"/videos/{video.pk}/subtitles/", {"track": saved["id"], **more})
    return Video.objects.get(pk=video.pk)


def lines(video: Video) -> list[str]:
    return [cue["text"] for cue in video.subtitles.cues]


def test_it_edits_a_failed_video_again_with_the_corrected_lines(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    other = of_the_batch(track, ana, status=VideoStatus.SCHEDULED, scheduled_at=LATER)

    video = correct(as_ana, video, "Nueva línea")

    assert (video.status, lines(video)) == (VideoStatus.PENDING, ["Nueva línea"])
    assert Job.objects.get(video=video).kind == JobKind.EDIT
    assert lines(Video.objects.get(pk=other.pk)) == ["Mañana, medialunas"]


def test_it_corrects_the_uploads_other_videos_too_when_asked(as_ana, ana, track):
    first, other = (of_the_batch(track, ana, status=VideoStatus.SCHEDULED, scheduled_at=LATER) for _one in "ab")
    out = of_the_batch(track, ana, status=VideoStatus.POSTED, posted_at=timezone.now())
    strangers = of_the_batch(track, UserFactory(), status=VideoStatus.SCHEDULED, scheduled_at=LATER)

    correct(as_ana, first, "Para las dos", everywhere="on")

    rows = {video.pk: lines(video) for video in Video.objects.all()}
    assert rows[first.pk] == rows[other.pk] == ["Para las dos"]
    assert rows[out.pk] == rows[strangers.pk] == ["Mañana, medialunas"]


def test_a_scheduled_one_keeps_its_hour_and_forgets_its_old_edit(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.SCHEDULED, scheduled_at=LATER, edited=EditedAssetFactory())
    video = correct(as_ana, video, "Otra")
    assert (video.status, video.scheduled_at, video.edited_id) == (VideoStatus.SCHEDULED, LATER, None)
    assert Job.objects.get(video=video).kind == JobKind.EDIT


def test_a_held_one_stays_held_and_is_edited_when_it_is_released(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.EDITED, edited=EditedAssetFactory())
    video_hold(video=video, actor=ana)

    video = correct(as_ana, video, "Otra")
    assert (video.status, video.edited_id) == (VideoStatus.HELD, None)
    assert not Job.objects.filter(video=video, status="queued").exists()

    video_release(video=video, actor=ana)
    assert Job.objects.get(video=video, status="queued").kind == JobKind.EDIT


def test_it_publishes_without_subtitles(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.FAILED_EDIT, reason_code="no_speech")
    assert b"without-subtitles" in as_ana.get(f"/videos/{video.pk}/").content

    as_ana.post(f"/videos/{video.pk}/without-subtitles/")

    video = Video.objects.get(pk=video.pk)
    assert (video.status, video.subtitle_variant, video.subtitles) == (VideoStatus.PENDING, "none", None)


@pytest.mark.parametrize("status", [VideoStatus.EDITING, VideoStatus.UPLOADING, VideoStatus.VERIFYING])
def test_it_changes_nothing_of_what_is_on_its_way(as_ana, ana, track, status):
    video = of_the_batch(track, ana, status=status, edited=EditedAssetFactory())
    before = Video.objects.values().get(pk=video.pk)

    page = as_ana.get(f"/videos/{video.pk}/subtitles/", follow=True).content.decode()
    as_ana.post(f"/videos/{video.pk}/without-subtitles/")
    as_ana.post(f"/videos/{video.pk}/change/", {"caption": "Otro", "cover_timestamp_ms": 0})

    assert "hold it first" in page
    assert Video.objects.values().get(pk=video.pk) == before


def test_it_changes_nothing_of_what_tiktok_may_have(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.FAILED_UPLOAD, edited=EditedAssetFactory())
    UploadSessionFactory(video=video, state=UploadState.UNKNOWN, sent_at=timezone.now())
    as_ana.post(f"/videos/{video.pk}/without-subtitles/")
    assert Video.objects.get(pk=video.pk).subtitle_variant == SubtitleChoice.AUTO
    assert b"change-post" not in as_ana.get(f"/videos/{video.pk}/").content


def test_it_changes_the_text_and_the_cover_without_an_edit(as_ana, ana):
    edited = EditedAssetFactory()
    video = VideoFactory(
        account=TikTokAccountFactory(managers=[ana]), status=VideoStatus.FAILED_UPLOAD, reason_code="spam_risk_text",
        edited=edited,
    )  # fmt: skip
    session = UploadSessionFactory(video=video, state=UploadState.INITIALISED)
    assert b'name="caption" rows="5" maxlength="2200"' in as_ana.get(f"/videos/{video.pk}/").content

    as_ana.post(f"/videos/{video.pk}/change/", {"caption": "Mejor así\r\n#pan", "cover_timestamp_ms": 1500})

    video = Video.objects.get(pk=video.pk)
    assert (video.caption, video.cover_timestamp_ms, video.edited_id) == ("Mejor así\n#pan", 1500, edited.pk)
    assert (video.status, video.reason_code) == (VideoStatus.FAILED_UPLOAD, "spam_risk_text")
    assert UploadSession.objects.get(pk=session.pk).state == UploadState.DEAD


@pytest.mark.parametrize(("fields", "words"), [
    ({"caption": "x" * 2201, "cover_timestamp_ms": 0}, "2200"),
    ({"caption": "x", "cover_timestamp_ms": 9_000_000}, "after the end"),
    ({"caption": "x", "cover_timestamp_ms": "soon"}, "number"),
])  # fmt: skip
def test_it_refuses_what_tiktok_would_refuse(as_ana, ana, fields, words):
    video = VideoFactory(
        account=TikTokAccountFactory(managers=[ana]), status=VideoStatus.SCHEDULED, scheduled_at=LATER
    )  # fmt: skip
    page = as_ana.post(f"/videos/{video.pk}/change/", fields, follow=True).content.decode()
    assert words in page
    assert Video.objects.get(pk=video.pk).caption == video.caption


def test_it_takes_no_lines_that_are_not_ready(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    pending = SubtitleTrackFactory(asset=track.asset, created_by=ana, status="pending")
    as_ana.post(f"/videos/{video.pk}/subtitles/", {"track": pending.pk})
    assert Video.objects.get(pk=video.pk).status == VideoStatus.FAILED_EDIT


def test_it_takes_no_lines_of_another_file_or_person(as_ana, ana, track):
    video = of_the_batch(track, ana, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    for foreign in (SubtitleTrackFactory(created_by=ana), SubtitleTrackFactory(asset=track.asset)):
        assert as_ana.post(f"/videos/{video.pk}/subtitles/", {"track": foreign.pk}).status_code == 404
    assert Video.objects.get(pk=video.pk).track is None
