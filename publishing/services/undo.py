"""Taking an act back: each video exactly as it was, if it is still where the act put it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from publishing.errors import NotPossible, StateConflict
from publishing.models import UNDO_FOR, Act, ActItem, Job, Video, VideoEvent
from publishing.services.jobs import job_create, job_move
from publishing.services.moves import is_due, video_move, video_stay
from publishing.services.videos import is_held_by_person, refuse_if_sent, video_lock, work_stop
from publishing.services.working import preferred_host
from publishing.states import HELD_BY_PERSON, ActKind, JobKind, JobStatus, VideoStatus

logger = logging.getLogger(__name__)

_ON_ITS_WAY = frozenset(
    {
        VideoStatus.PENDING, VideoStatus.SCHEDULED, VideoStatus.EDITED, VideoStatus.EDITING, VideoStatus.UPLOADING,
        VideoStatus.RETRYING, VideoStatus.DEFERRED, VideoStatus.HELD, VideoStatus.AWAITING_APPROVAL,
    }
)  # fmt: skip
#: Where workers may have brought a video since, so that it can still be put back.
STILL: dict[ActKind, frozenset[VideoStatus]] = {
    ActKind.RETRY: _ON_ITS_WAY,
    ActKind.RELEASE: _ON_ITS_WAY,
    ActKind.RESCHEDULE: _ON_ITS_WAY - {VideoStatus.UPLOADING, VideoStatus.EDITED},
    ActKind.APPROVE: frozenset({VideoStatus.SCHEDULED, VideoStatus.PENDING, VideoStatus.EDITING, VideoStatus.EDITED}),
    ActKind.HOLD: frozenset({VideoStatus.HELD}),
    ActKind.CANCEL: frozenset({VideoStatus.CANCELLED}),
}


@dataclass(frozen=True, kw_only=True)
class Undone:
    """`restored` are as they were; `refused` are not, each with the catalogue's code."""

    restored: list[Video] = field(default_factory=list)
    refused: list[tuple[Video, str]] = field(default_factory=list)


def act_undo(*, user: User, act: Act) -> Undone:
    """Put back what `act` did, each video in its own transaction. Twice has the effect, and the answer, of once.

    NotPossible for another person's act, and when its time is over.
    """
    if act.actor_id != user.pk:
        raise NotPossible("undo_not_yours")
    if act.undone_at is None and timezone.now() >= act.undo_until:
        raise NotPossible("undo_too_late", {"seconds": int(UNDO_FOR.total_seconds())})
    answer = Undone()
    mine = set(Video.objects.for_user(user).filter(act_items__act=act).values_list("pk", flat=True))
    for item in act.items.filter(code="").select_related(
        "video__account", "video__batch__track", "video__track", "video__batch__source"
    ):
        code = item.undo_code
        if act.undone_at is None and item.undone_at is None:
            code = _one(act, item) if item.video_id in mine else "account_not_yours"
        if code:
            answer.refused.append((item.video, code))
        else:
            answer.restored.append(item.video)
    Act.objects.filter(pk=act.pk, undone_at=None).update(undone_at=timezone.now())
    counts = {"restored": len(answer.restored), "refused": len(answer.refused)}
    logger.info("act_undone", extra={"act_id": act.pk, "kind": act.kind} | counts)
    return answer


def _one(act: Act, item: ActItem) -> str:
    """Put one video back; the code of what stands against it, or nothing."""
    try:
        with transaction.atomic():
            if ActItem.objects.filter(pk=item.pk, undone_at=None).update(undone_at=timezone.now()):
                _put_back(act, item)
    except NotPossible as error:
        code = error.code
    except (StateConflict, IntegrityError):
        code = "state_changed"
    else:
        return ""
    ActItem.objects.filter(pk=item.pk).update(undo_code=code)
    return code


def _put_back(act: Act, item: ActItem) -> None:
    video, before = item.video, item.before
    video_lock(video)
    _refuse_if_moved(ActKind(act.kind), item)
    refuse_if_sent(video)
    fields = {
        "reason_code": before["reason_code"], "reason_detail": before["reason_detail"],
        "resume_at": _parsed(before["resume_at"]), "scheduled_at": _parsed(before["scheduled_at"]),
        "edited_id": before["edited"], "approval_due": before.get("approval_due", video.approval_due),
    }  # fmt: skip
    if _only_its_time(act, before):
        video_stay(video=video, code="undone", actor=act.actor, scheduled_at=fields["scheduled_at"])
        return
    work_stop(video)
    video.scheduled_at = fields["scheduled_at"]
    to = _place(video, VideoStatus(before["status"]))
    if to == video.status:
        video_stay(video=video, code="undone", actor=act.actor, **fields)
    else:
        video_move(video=video, to=to, code="undone", actor=act.actor, **fields)
    if before["job"]:
        _job_again(video, before["job"])


def _refuse_if_moved(kind: ActKind, item: ActItem) -> None:
    """Workers may have gone on with it, within STILL; a person who did something else since has the last word."""
    video = item.video
    later = VideoEvent.objects.filter(video=video, pk__gt=item.event, actor__isnull=False)
    held = kind != ActKind.HOLD or is_held_by_person(video)
    if video.status not in STILL[kind] or not held or later.exists():
        raise NotPossible("state_changed")


def _only_its_time(act: Act, before: dict[str, Any]) -> bool:
    """Another time for what was scheduled, or held by a person, moved nothing else."""
    held = before["status"] == VideoStatus.HELD and before["reason_code"] == HELD_BY_PERSON
    stayed = before["status"] in {VideoStatus.SCHEDULED, VideoStatus.AWAITING_APPROVAL}
    return act.kind == ActKind.RESCHEDULE and (held or stayed)


def _place(video: Video, before: VideoStatus) -> VideoStatus:
    """Where it was; work that was in hand then waits for a worker again."""
    if before == VideoStatus.EDITING:
        return VideoStatus.PENDING if is_due(video) else VideoStatus.SCHEDULED
    return VideoStatus.EDITED if before == VideoStatus.UPLOADING else before


def _job_again(video: Video, before: dict[str, Any]) -> None:
    """A job like the one that the act ended, with the attempts that it had used."""
    status, kind = JobStatus(before["status"]), JobKind(before["kind"])
    waits = status in {JobStatus.WAITING, JobStatus.HELD}
    host = preferred_host(video) if kind == JobKind.EDIT else ""
    job = job_create(video=video, kind=kind, run_at=_parsed(before["run_at"]) if waits else None, prefer_host=host)
    Job.objects.filter(pk=job.pk).update(attempt=before["attempt"], crash_count=before["crash_count"])
    if waits:
        job_move(job=job, to=status, code=before["code"], detail=before["detail"])


def _parsed(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None
