"""What a person may ask for a video: cancel, retry, another time, hold, release, an answer about an unconfirmed one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from publishing.errors import NotPossible
from publishing.models import Job, UploadSession, Video
from publishing.services.jobs import job_cancel_active, job_create
from publishing.services.moves import is_due, is_missed, video_move, video_stay
from publishing.services.tracks import track_again
from publishing.services.working import preferred_host
from publishing.states import (
    HELD_BY_PERSON,
    JOB_ACTIVE,
    UPLOAD_LIVE,
    VIDEO_ALLOWED,
    VIDEO_CANCELLABLE,
    VIDEO_HOLDABLE,
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
    video_lock(video)
    if video.status not in VIDEO_CANCELLABLE:
        raise NotPossible("not_cancellable", {"status": video.status})
    refuse_if_sent(video)
    work_stop(video)
    return video_move(video=video, to=VideoStatus.CANCELLED, code="cancelled_by_person", actor=actor)


@transaction.atomic
def video_retry(*, video: Video, actor: User | None) -> Video:
    """Take up a red or cancelled video again, from the first step that is not done yet.

    Also *Publish now* of a video whose time passed. Refused while TikTok could still complete an upload of it.
    """
    video_lock(video)
    if video.status not in VIDEO_RETRYABLE | {VideoStatus.CANCELLED}:
        raise NotPossible("not_retryable", {"status": video.status})
    refuse_if_sent(video)
    fields = {"edited": None} if video.reason_code == "edited_missing" else {}
    if fields:
        video.edited = None  # it is edited again
    return go_on(video, code="retry_by_person", actor=actor, late=video.status == VideoStatus.MISSED, **fields)


@transaction.atomic
def video_hold(*, video: Video, actor: User | None) -> Video:
    """Keep a video from going out until a person releases it. Work in hand stops as with a cancel.

    A held one has no job: no scheduler, circuit or new connection finds anything of it to go on with.
    """
    video_lock(video)
    if video.status not in VIDEO_HOLDABLE:
        raise NotPossible("not_holdable", {"status": video.status})
    if is_held_by_person(video):
        raise NotPossible("held_already")
    refuse_if_sent(video)
    work_stop(video)
    if video.status != VideoStatus.HELD:
        return video_move(video=video, to=VideoStatus.HELD, code=HELD_BY_PERSON, actor=actor)
    # The account is paused: from now on it is the person who holds it, whatever becomes of the account.
    video_stay(video=video, code=HELD_BY_PERSON, actor=actor, reason_code=HELD_BY_PERSON, reason_detail={},
               resume_at=None)  # fmt: skip
    return video


@transaction.atomic
def video_release(*, video: Video, actor: User | None) -> Video:
    """Let a video that a person holds go on: at its hour, or now when that has passed."""
    video_lock(video)
    if not is_held_by_person(video):
        raise NotPossible("not_held", {"status": video.status})
    return go_on(video, code="released_by_person", actor=actor)


def is_held_by_person(video: Video) -> bool:
    """Does a person hold it? Then nothing but a person moves it."""
    return video.status == VideoStatus.HELD and video.reason_code == HELD_BY_PERSON


def go_on(video: Video, *, code: str, actor: User | None, late: bool = False, **fields: Any) -> Video:
    """From the first step that is not done yet; `late`: its hour passed, it goes out now."""
    if video.approval_due:
        return _wait_for_approval(video, code=code, actor=actor, late=late, **fields)
    if late or is_missed(video):
        fields["scheduled_at"] = video.scheduled_at = timezone.now()
    needs_edit = video.edited_id is None
    now = VideoStatus.PENDING if needs_edit else VideoStatus.EDITED
    to = now if is_due(video) else VideoStatus.SCHEDULED
    video_move(video=video, to=to, code=code, actor=actor, **fields)
    if needs_edit:
        edit_again(video)
    elif to == now:
        job_create(video=video, kind=JobKind.UPLOAD)
    return video


def _wait_for_approval(video: Video, *, code: str, actor: User | None, late: bool, **fields: Any) -> Video:
    """Not approved yet, or changed since: it waits. One whose hour passed goes out as soon as it is approved."""
    if late or is_missed(video):
        fields["scheduled_at"] = None
    return video_move(video=video, to=VideoStatus.AWAITING_APPROVAL, code=code, actor=actor, **fields)


@transaction.atomic
def video_reschedule(*, video: Video, at: datetime, actor: User | None) -> Video:
    """Give a video that has not gone out another time; `at` is aware and in the future. A held one stays held."""
    video_lock(video)
    if at <= timezone.now():
        raise NotPossible("time_in_past", {"at": at.isoformat()})
    detail = {"at": at.isoformat()}
    stays = {VideoStatus.SCHEDULED, VideoStatus.AWAITING_APPROVAL}
    if video.status in stays or is_held_by_person(video):
        video_stay(video=video, code="rescheduled", detail=detail, actor=actor, scheduled_at=at)
        return video
    if VideoStatus.SCHEDULED not in VIDEO_ALLOWED[VideoStatus(video.status)] or video.status == VideoStatus.EDITING:
        raise NotPossible("not_reschedulable", {"status": video.status})
    refuse_if_sent(video)
    job_cancel_active(video=video)
    if video.approval_due:
        return video_move(video=video, to=VideoStatus.AWAITING_APPROVAL, code="rescheduled", detail=detail, actor=actor,
                          scheduled_at=at)  # fmt: skip
    video_move(video=video, to=VideoStatus.SCHEDULED, code="rescheduled", detail=detail, actor=actor, scheduled_at=at)
    if video.edited_id is None:
        edit_again(video)
    return video


@transaction.atomic
def video_resolve(*, video: Video, posted: bool, post_url: str = "", actor: User | None = None) -> Video:
    """A person looked at the profile and says whether an unconfirmed video is there.

    Not there: its upload is closed for good and it goes out again. There: it is published, with their link.
    """
    video_lock(video)
    if video.status != VideoStatus.UNCONFIRMED:
        raise NotPossible("not_unconfirmed", {"status": video.status})
    ended = UploadState.COMPLETE if posted else UploadState.DEAD
    UploadSession.objects.filter(video=video, state__in=UPLOAD_LIVE).update(
        state=ended, settled_at=timezone.now(), upload_url=""
    )  # fmt: skip
    if posted:
        return video_move(
            video=video, to=VideoStatus.POSTED, code="confirmed_by_person", actor=actor, post_url=post_url,
            posted_at=timezone.now(),
        )  # fmt: skip
    video_move(video=video, to=VideoStatus.EDITED, code="denied_by_person", actor=actor)
    job_create(video=video, kind=JobKind.UPLOAD)
    return video


def edit_again(video: Video) -> None:
    """An edit that finds what is done, on the host that has it; subtitles that failed are tried again."""
    if video.subtitles is not None:
        track_again(video.subtitles)
    job_create(video=video, kind=JobKind.EDIT, prefer_host=preferred_host(video))


def video_lock(video: Video) -> Job | None:
    """Lock the rows in the workers' order (job, then video) and decide on the video as it is now; its active job."""
    active = Job.objects.select_for_update().filter(video=video, status__in=sorted(JOB_ACTIVE))
    jobs = list(active.order_by("pk"))
    locked = Video.objects.select_for_update().get(pk=video.pk)
    for field in ("status", "edited_id", "scheduled_at", "reason_code", "reason_detail", "resume_at", "approval_due"):
        setattr(video, field, getattr(locked, field))
    return jobs[0] if jobs else None


def work_stop(video: Video) -> None:
    """End the video's job and close its upload: a worker on it notices at its next write or heartbeat."""
    UploadSession.objects.filter(
        video=video, state__in=[UploadState.INIT_SENT, UploadState.INITIALISED, UploadState.UPLOADING]
    ).update(state=UploadState.DEAD, settled_at=timezone.now(), upload_url="")
    job_cancel_active(video=video)


def refuse_if_sent(video: Video) -> None:
    """While TikTok could still complete what it has, nothing may start that could become a second post."""
    if UploadSession.objects.filter(video=video, state__in=sorted(UPLOAD_LIVE), sent_at__isnull=False).exists():
        raise NotPossible("already_sent")
