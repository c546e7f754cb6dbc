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
from publishing.services.auditing import video_audit
from publishing.signals import video_moved, video_noted
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
    return video_move_within(video, to, code, detail, actor, fields)


def video_move_within(
    video: Video, to: VideoStatus, code: str, detail: dict[str, Any] | None, actor: User | None, fields: dict[str, Any]
) -> Video:
    """As `video_move`, as part of a transaction that its error ends: without a savepoint of its own."""
    old = VideoStatus(video.status)
    values = {"status": to, "reason_code": code, "reason_detail": detail or {}, "resume_at": None, **fields}
    allowed = to in VIDEO_ALLOWED[old]
    moved = allowed and Video.objects.filter(pk=video.pk, status=old).update(**values, updated_at=timezone.now())
    if not moved:
        raise StateConflict(f"video {video.pk}: {old} -> {to}")
    event = VideoEvent.objects.create(
        video=video, old=old, new=to, code=code, detail=detail or {}, actor=actor, at=timezone.now(),
        trace_id=video.trace_id,
    )  # fmt: skip
    for name, value in values.items():
        setattr(video, name, value)
    video_audit(video=video, code=code, detail=detail, actor=actor)
    video_moved.send(Video, video=video, old=old, new=to, code=code, event=event)
    return video


def video_note(*, video: Video, code: str, detail: dict[str, Any] | None = None, actor: User | None = None) -> None:
    """Record something that happened without a change of status."""
    event = VideoEvent.objects.create(
        video=video, old=video.status, new=video.status, code=code, detail=detail or {}, actor=actor,
        at=timezone.now(), trace_id=video.trace_id,
    )  # fmt: skip
    video_audit(video=video, code=code, detail=detail, actor=actor)
    video_noted.send(Video, video=video, code=code, event=event)


def video_stay(
    *, video: Video, code: str, detail: dict[str, Any] | None = None, actor: User | None = None, **fields: Any
) -> None:
    """Change `fields` of a video whose status stays, and record it; StateConflict when its status moved first."""
    if not Video.objects.filter(pk=video.pk, status=video.status).update(**fields, updated_at=timezone.now()):
        raise StateConflict(f"video {video.pk}: no longer {video.status}")
    for name, value in fields.items():
        setattr(video, name, value)
    video_note(video=video, code=code, detail=detail, actor=actor)


def is_due(video: Video, now: datetime | None = None) -> bool:
    """May `video` go out now? Unscheduled videos always may."""
    return video.scheduled_at is None or video.scheduled_at <= (now or timezone.now())


def is_missed(video: Video, now: datetime | None = None) -> bool:
    """Did its time pass by more than the grace, so that only a person may send it now?"""
    grace = timedelta(seconds=settings.MISSED_GRACE_SECONDS)
    return video.scheduled_at is not None and video.scheduled_at + grace < (now or timezone.now())
