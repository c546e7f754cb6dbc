"""The one function that changes a video's status, and when a video may go out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from publishing.errors import StateConflict
from publishing.models import Video, VideoEvent
from publishing.signals import video_moved
from publishing.states import VIDEO_ALLOWED, VideoStatus


@transaction.atomic
def video_move(
    *,
    video: Video,
    to: VideoStatus,
    code: str = "",
    detail: dict[str, Any] | None = None,
    actor: User | None = None,
    **fields: Any,
) -> Video:
    """Move `video` and record it, or raise StateConflict when another process moved it first.

    `code` and `detail` are the catalogue's cause; they are stored on the row (and cleared by a move without).
    """
    old = VideoStatus(video.status)
    values = {"status": to, "reason_code": code, "reason_detail": detail or {}, "resume_at": None, **fields}
    allowed = to in VIDEO_ALLOWED[old]
    moved = allowed and Video.objects.filter(pk=video.pk, status=old).update(**values, updated_at=timezone.now())
    if not moved:
        raise StateConflict(f"video {video.pk}: {old} -> {to}")
    VideoEvent.objects.create(
        video=video, old=old, new=to, code=code, detail=detail or {}, actor=actor, at=timezone.now(),
        trace_id=video.trace_id,
    )  # fmt: skip
    for name, value in values.items():
        setattr(video, name, value)
    video_moved.send(Video, video=video, old=old, new=to, code=code)
    return video


def video_note(*, video: Video, code: str, detail: dict[str, Any] | None = None, actor: User | None = None) -> None:
    """Record something that happened without a change of status."""
    VideoEvent.objects.create(
        video=video, old=video.status, new=video.status, code=code, detail=detail or {}, actor=actor,
        at=timezone.now(), trace_id=video.trace_id,
    )  # fmt: skip


def is_due(video: Video, now: datetime | None = None) -> bool:
    """May `video` go out now? Unscheduled videos always may."""
    return video.scheduled_at is None or video.scheduled_at <= (now or timezone.now())


def is_missed(video: Video, now: datetime | None = None) -> bool:
    """Did its time pass by more than the grace, so that only a person may send it now?"""
    grace = timedelta(seconds=settings.MISSED_GRACE_SECONDS)
    return video.scheduled_at is not None and video.scheduled_at + grace < (now or timezone.now())
