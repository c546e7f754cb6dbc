"""What a person may ask for a video: cancel, retry, another time, the answer about an unconfirmed one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from publishing.errors import NotPossible
from publishing.models import Job, UploadSession, Video
from publishing.services.jobs import job_cancel_active, job_create
from publishing.services.moves import is_due, is_missed, video_move, video_note
from publishing.services.tracks import track_again
from publishing.services.working import preferred_host
from publishing.states import (
    JOB_ACTIVE,
    UPLOAD_LIVE,
    VIDEO_ALLOWED,
    VIDEO_CANCELLABLE,
    VIDEO_RETRYABLE,
    JobKind,
    UploadState,
    VideoStatus,
)


@transaction.atomic
def video_cancel(*, video: Video, actor: User | None) -> Video:
    """Cancel what TikTok cannot complete any more. Work in hand stops at its next heartbeat.

    The live upload session is closed in the same transaction, and a worker may send a video's last part
    only while the session is live: either the cancel or the last part wins, never both.
    """
    _lock(video)
    if video.status not in VIDEO_CANCELLABLE:
        raise NotPossible("not_cancellable", {"status": video.status})
    _refuse_if_sent(video)
    UploadSession.objects.filter(
        video=video, state__in=[UploadState.INIT_SENT, UploadState.INITIALISED, UploadState.UPLOADING]
    ).update(state=UploadState.DEAD, settled_at=timezone.now())
    job_cancel_active(video=video)
    return video_move(video=video, to=VideoStatus.CANCELLED, code="cancelled_by_person", actor=actor)


@transaction.atomic
def video_retry(*, video: Video, actor: User | None) -> Video:
    """Take up a red or cancelled video again, from the first step that is not done yet.

    Also *Publish now* of a video whose time passed. Refused while TikTok could still complete an upload of it.
    """
    _lock(video)
    if video.status not in VIDEO_RETRYABLE | {VideoStatus.CANCELLED}:
        raise NotPossible("not_retryable", {"status": video.status})
    _refuse_if_sent(video)
    fields: dict[str, Any] = {}
    if video.status == VideoStatus.MISSED or is_missed(video):
        fields["scheduled_at"] = timezone.now()
        video.scheduled_at = fields["scheduled_at"]
    if video.reason_code == "edited_missing":
        fields["edited"] = video.edited = None
    needs_edit = video.edited_id is None
    now = VideoStatus.PENDING if needs_edit else VideoStatus.EDITED
    to = now if is_due(video) else VideoStatus.SCHEDULED
    video_move(video=video, to=to, code="retry_by_person", actor=actor, **fields)
    if needs_edit:
        _edit_again(video)
    elif to == now:
        job_create(video=video, kind=JobKind.UPLOAD)
    return video


@transaction.atomic
def video_reschedule(*, video: Video, at: datetime, actor: User | None) -> Video:
    """Give a video that has not gone out another time; `at` is aware and in the future."""
    _lock(video)
    if at <= timezone.now():
        raise NotPossible("time_in_past", {"at": at.isoformat()})
    if video.status == VideoStatus.SCHEDULED:
        Video.objects.filter(pk=video.pk, status=VideoStatus.SCHEDULED).update(scheduled_at=at)
        video.scheduled_at = at
        video_note(video=video, code="rescheduled", detail={"at": at.isoformat()}, actor=actor)
        return video
    if VideoStatus.SCHEDULED not in VIDEO_ALLOWED[VideoStatus(video.status)] or video.status == VideoStatus.EDITING:
        raise NotPossible("not_reschedulable", {"status": video.status})
    _refuse_if_sent(video)
    job_cancel_active(video=video)
    detail = {"at": at.isoformat()}
    video_move(video=video, to=VideoStatus.SCHEDULED, code="rescheduled", detail=detail, actor=actor, scheduled_at=at)
    if video.edited_id is None:
        _edit_again(video)
    return video


@transaction.atomic
def video_resolve(*, video: Video, posted: bool, post_url: str = "", actor: User | None = None) -> Video:
    """A person looked at the profile and says whether an unconfirmed video is there.

    Not there: its upload is closed for good and it goes out again. There: it is published, with their link.
    """
    _lock(video)
    if video.status != VideoStatus.UNCONFIRMED:
        raise NotPossible("not_unconfirmed", {"status": video.status})
    ended = UploadState.COMPLETE if posted else UploadState.DEAD
    UploadSession.objects.filter(video=video, state__in=UPLOAD_LIVE).update(state=ended, settled_at=timezone.now())
    if posted:
        return video_move(
            video=video, to=VideoStatus.POSTED, code="confirmed_by_person", actor=actor, post_url=post_url,
            posted_at=timezone.now(),
        )  # fmt: skip
    video_move(video=video, to=VideoStatus.EDITED, code="denied_by_person", actor=actor)
    job_create(video=video, kind=JobKind.UPLOAD)
    return video


def _edit_again(video: Video) -> None:
    """An edit that finds what is done, on the host that has it; subtitles that failed are tried again."""
    if video.batch.track is not None:
        track_again(video.batch.track)
    job_create(video=video, kind=JobKind.EDIT, prefer_host=preferred_host(video))


def _lock(video: Video) -> None:
    """Lock the rows in the workers' order (job, then video) and decide on the video as it is now."""
    list(Job.objects.select_for_update().filter(video=video, status__in=sorted(JOB_ACTIVE)).order_by("pk"))
    locked = Video.objects.select_for_update().get(pk=video.pk)
    for field in ("status", "edited_id", "scheduled_at", "reason_code", "resume_at"):
        setattr(video, field, getattr(locked, field))


def _refuse_if_sent(video: Video) -> None:
    """While TikTok could still complete what it has, nothing may start that could become a second post."""
    if UploadSession.objects.filter(video=video, state__in=sorted(UPLOAD_LIVE), sent_at__isnull=False).exists():
        raise NotPossible("already_sent")
