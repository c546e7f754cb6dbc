"""Acts over many videos: what would happen, do it, take it back. Each video in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from publishing.causes import cause_for
from publishing.errors import NotPossible, StateConflict
from publishing.models import UNDO_FOR, Act, ActItem, Job, Video, VideoEvent
from publishing.models.video import VideoQuerySet
from publishing.selectors.effects import effect_words, kept_sources
from publishing.selectors.videos import is_sent, with_progress
from publishing.services.approvals import approval_refusal, no_approval, video_approve
from publishing.services.outcomes import NEXT_WINDOW
from publishing.services.videos import (
    is_held_by_person,
    video_cancel,
    video_hold,
    video_lock,
    video_release,
    video_reschedule,
    video_retry,
)
from publishing.states import (
    FAMILIES,
    VIDEO_ALLOWED,
    VIDEO_CANCELLABLE,
    VIDEO_HOLDABLE,
    VIDEO_RETRYABLE,
    ActKind,
    Family,
    VideoStatus,
)

logger = logging.getLogger(__name__)

#: Videos of one act.
MOST = 500
AT_TIKTOK = frozenset({VideoStatus.VERIFYING, VideoStatus.IN_REVIEW, VideoStatus.IN_INBOX})


@dataclass(frozen=True, kw_only=True)
class When:
    """The new time of a reschedule.

    `at`: aware, that moment; naive, that day and hour on the clocks of each video's account. `to_tomorrow`: each keeps
    its own local hour, and one without an hour goes out at 09:00.
    """

    at: datetime | None = None
    to_tomorrow: bool = False

    def moment(self, video: Video) -> datetime:
        """The aware moment for `video`."""
        zone = ZoneInfo(video.time_zone)
        if self.at is not None:
            return self.at if timezone.is_aware(self.at) else self.at.replace(tzinfo=zone)
        tomorrow = timezone.now().astimezone(zone).date() + timedelta(days=1)
        hour: time = video.scheduled_at.astimezone(zone).time() if video.scheduled_at else NEXT_WINDOW
        return datetime.combine(tomorrow, hour, tzinfo=zone)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`possible`: each video with what will happen to it, in words. `refused`: each with the catalogue's code."""

    kind: ActKind
    possible: list[tuple[Video, str]] = field(default_factory=list)
    refused: list[tuple[Video, str]] = field(default_factory=list)


def act_preview(*, user: User, kind: ActKind, videos: VideoQuerySet, when: When | None = None) -> Preview:
    """What `act_do` would do now, in a handful of queries; NotPossible for more than MOST videos."""
    preview = Preview(kind=kind)
    chosen = _chosen(user, videos)
    kept = kept_sources(chosen) if kind == ActKind.RETRY else set()
    for video in chosen:
        at = when.moment(video) if when else None
        if code := _stands_against(user, kind, video, at):
            preview.refused.append((video, code))
        else:
            preview.possible.append((video, effect_words(kind, video, at=at, kept=video.batch.source_id in kept)))
    return preview


def act_do(*, user: User, kind: ActKind, videos: VideoQuerySet, when: When | None = None, key: str = "") -> Act:
    """Do it to each video that it can be done to, in the order of their submission, and say how many.

    The same `key` a second time does nothing and answers the first act. A video that somebody moved meanwhile is
    refused and stops no other. NotPossible for more than MOST videos.
    """
    chosen = _chosen(user, videos)
    act, is_new = _begin(user, kind, when, key)
    if not is_new:
        return act
    refused = []
    for video in chosen:
        code = _one(act, kind, video, when.moment(video) if when else None)
        if code:
            refused.append(ActItem(act=act, video=video, code=code))
    ActItem.objects.bulk_create(refused)
    act.done, act.refused = len(chosen) - len(refused), len(refused)
    act.finished_at = timezone.now()
    act.undo_until = act.finished_at + UNDO_FOR
    act.save(update_fields=["done", "refused", "finished_at", "undo_until"])
    logger.info("act_done", extra={"act_id": act.pk, "kind": kind, "done": act.done, "refused": act.refused})
    return act


def _chosen(user: User, videos: VideoQuerySet) -> list[Video]:
    """The rows that the person may see, with what `is_sent` needs."""
    asked = Video.objects.for_user(user).filter(pk__in=videos.order_by().values("pk"))
    chosen = list(with_progress(asked).order_by("pk")[: MOST + 1])
    if len(chosen) > MOST:
        raise NotPossible("too_many_videos", {"count": asked.count(), "limit": MOST})
    return chosen


def _begin(user: User, kind: ActKind, when: When | None, key: str) -> tuple[Act, bool]:
    detail: dict[str, Any] = {}
    if when:
        detail = {"at": when.at.isoformat() if when.at else "", "to_tomorrow": when.to_tomorrow}
    now = timezone.now()
    values = {"kind": kind, "detail": detail, "begun_at": now, "undo_until": now + UNDO_FOR}
    return Act.objects.get_or_create(actor=user, key=key or uuid4().hex, defaults=values)


def _one(act: Act, kind: ActKind, video: Video, at: datetime | None) -> str:
    """Act on one video; the code of what stands against it, or nothing when it was done."""
    if code := _stands_against(act.actor, kind, video, at):
        return code
    try:
        with transaction.atomic():
            before = _before(video, video_lock(video))
            _service(kind, act.actor, at)(video)
            last = VideoEvent.objects.filter(video=video).order_by("-pk").values_list("pk", flat=True)[:1].get()
            ActItem.objects.create(act=act, video=video, before=before, event=last)
    except NotPossible as error:
        return error.code
    except (StateConflict, IntegrityError):
        logger.info("act_conflict", extra={"act_id": act.pk, "video_id": video.pk})
        return "state_changed"
    return ""


def _stands_against(user: User, kind: ActKind, video: Video, at: datetime | None) -> str:
    """What the row does not allow, or not this person."""
    code = refusal(kind, video, at)
    return approval_refusal(user, video) if kind == ActKind.APPROVE and not code else code


def _service(kind: ActKind, actor: User, at: datetime | None) -> Callable[[Video], Video]:
    match kind:
        case ActKind.RETRY:
            return lambda video: video_retry(video=video, actor=actor)
        case ActKind.HOLD:
            return lambda video: video_hold(video=video, actor=actor)
        case ActKind.RELEASE:
            return lambda video: video_release(video=video, actor=actor)
        case ActKind.CANCEL:
            return lambda video: video_cancel(video=video, actor=actor)
        case ActKind.APPROVE:
            return lambda video: video_approve(video=video, actor=actor)
        case ActKind.RESCHEDULE:
            assert at is not None, "a reschedule has a time"
            return lambda video: video_reschedule(video=video, at=at, actor=actor)


def _before(video: Video, job: Job | None) -> dict[str, Any]:
    """All that an undo puts back."""
    return {
        "status": video.status,
        "reason_code": video.reason_code,
        "reason_detail": video.reason_detail,
        "resume_at": video.resume_at.isoformat() if video.resume_at else None,
        "scheduled_at": video.scheduled_at.isoformat() if video.scheduled_at else None,
        "edited": video.edited_id,
        "approval_due": video.approval_due,
        "job": job and {
            "kind": job.kind, "status": job.status, "run_at": job.run_at.isoformat(), "attempt": job.attempt,
            "crash_count": job.crash_count, "code": job.reason_code, "detail": job.reason_detail,
        },
    }  # fmt: skip


def refusal(kind: ActKind, video: Video, at: datetime | None = None) -> str:
    """What stands against it, by the row as it was read (see `with_progress`): a code, or nothing. No query."""
    status = VideoStatus(video.status)
    if status == VideoStatus.POSTED:
        return "posted_already"
    if is_sent(video) or (status in AT_TIKTOK and not (kind == ActKind.CANCEL and status in VIDEO_CANCELLABLE)):
        return "at_tiktok"
    return _REFUSALS[kind](video, status, at)


def _no_retry(video: Video, status: VideoStatus, _at: datetime | None) -> str:
    if status == VideoStatus.UNCONFIRMED:
        return "unconfirmed"
    if status not in VIDEO_RETRYABLE | {VideoStatus.CANCELLED}:
        return "not_retryable"
    return "" if may_pass(video) else "retry_useless"


def _no_hold(video: Video, status: VideoStatus, _at: datetime | None) -> str:
    if is_held_by_person(video):
        return "held_already"
    return "" if status in VIDEO_HOLDABLE else "not_holdable"


def _no_release(video: Video, _status: VideoStatus, _at: datetime | None) -> str:
    return "" if is_held_by_person(video) else "not_held"


def _no_cancel(_video: Video, status: VideoStatus, _at: datetime | None) -> str:
    if status == VideoStatus.CANCELLED:
        return "cancelled_already"
    return "" if status in VIDEO_CANCELLABLE else "not_cancellable"


def _no_reschedule(video: Video, status: VideoStatus, at: datetime | None) -> str:
    if at is None or at <= timezone.now():
        return "time_in_past"
    stays = status in {VideoStatus.SCHEDULED, VideoStatus.AWAITING_APPROVAL}
    may = stays or VideoStatus.SCHEDULED in VIDEO_ALLOWED[status]
    if not may or status == VideoStatus.EDITING:
        return "not_reschedulable"
    return "" if may_pass(video) else "retry_useless"


def _no_approve(video: Video, _status: VideoStatus, _at: datetime | None) -> str:
    return no_approval(video)


_REFUSALS: dict[ActKind, Callable[[Video, VideoStatus, datetime | None], str]] = {
    ActKind.RETRY: _no_retry,
    ActKind.HOLD: _no_hold,
    ActKind.RELEASE: _no_release,
    ActKind.CANCEL: _no_cancel,
    ActKind.RESCHEDULE: _no_reschedule,
    ActKind.APPROVE: _no_approve,
}


def may_pass(video: Video) -> bool:
    """Could the same thing again end better? Where TikTok refused the content it could not."""
    attention = video.status in FAMILIES[Family.ATTENTION]
    return not attention or not video.reason_code or cause_for(video.reason_code).retry
