"""Uploads that wait because their account is paused: out of the queue, in order, without losing an attempt."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from publishing.errors import StateConflict
from publishing.models import Job, UploadSession, Video
from publishing.services.jobs import Claim, job_move, job_ring_next, lane
from publishing.services.moves import video_move
from publishing.states import HELD_BY_PERSON, UPLOAD_LIVE, JobStatus, VideoStatus

logger = logging.getLogger(__name__)

#: An upload in one of these has not begun, or waits for another attempt.
WAITING = [JobStatus.QUEUED, JobStatus.WAITING]


def hold_claimed(claim: Claim, *, code: str, detail: dict[str, Any], until: datetime | None) -> None:
    """Put the claimed upload aside: its account does not take it now."""
    _hold(claim.job, code=code, detail=detail, until=until, fence=claim.fence)


def hold_waiting(*, account_id: int, code: str, detail: dict[str, Any], until: datetime | None) -> int:
    """Put aside every upload of the account that has not begun; return how many.

    Those that TikTok may already have are asked about, not held; those put off to another day stay so.
    """
    sent = UploadSession.objects.filter(state__in=sorted(UPLOAD_LIVE), sent_at__isnull=False).values("video")
    jobs = lane(account_id).filter(status__in=WAITING).exclude(video__in=sent)
    held = 0
    for job in jobs.exclude(video__status=VideoStatus.DEFERRED).select_related("video"):
        with _each(job):
            _hold(job, code=code, detail=detail, until=until)
            held += 1
    # Those that were held before now wait for the same; what a person holds waits for the person.
    waiting = Video.objects.filter(account=account_id, status=VideoStatus.HELD)
    waiting.exclude(reason_code=HELD_BY_PERSON).update(reason_code=code, reason_detail=detail, resume_at=until)
    return held


def _hold(job: Job, *, code: str, detail: dict[str, Any], until: datetime | None, fence: int | None = None) -> None:
    job_move(job=job, to=JobStatus.HELD, code=code, detail=detail, fence=fence)
    if job.video.status != VideoStatus.HELD:
        video_move(video=job.video, to=VideoStatus.HELD, code=code, detail=detail, resume_at=until)


def resume_held(*, account_id: int) -> int:
    """Every held upload of the account goes on, the oldest first; return how many."""
    held = list(lane(account_id).filter(status=JobStatus.HELD).select_related("video").order_by("due", "video_id"))
    for job in held:
        with _each(job):
            job_move(job=job, to=JobStatus.QUEUED, code="circuit_closed", run_at=timezone.now())
            if job.video.status == VideoStatus.HELD:
                video_move(video=job.video, to=VideoStatus.EDITED, code="circuit_closed")
    job_ring_next(account_id=account_id)
    return len(held)


@contextmanager
def _each(job: Job) -> Iterator[None]:
    """One upload of many: one that a worker or a person moved meanwhile is theirs, and stops no other."""
    try:
        with transaction.atomic():
            yield
    except StateConflict:
        logger.info("hold_conflict", extra={"job_id": job.pk})


def held_head(account_id: int) -> Job | None:
    """The held upload that is first in its account's order."""
    head: Job | None = lane(account_id).filter(status=JobStatus.HELD).order_by("due", "video_id").first()
    return head


def is_head(job: Job) -> bool:
    """Is no upload of the account before this one, and none of it at work?"""
    others = lane(job.video.account_id).exclude(pk=job.pk)
    if others.filter(status=JobStatus.RUNNING).exists():
        return False
    due = job.video.scheduled_at or job.video.created_at
    waiting = others.filter(status__in=[JobStatus.QUEUED, JobStatus.HELD])
    return not (waiting.filter(due__lt=due) | waiting.filter(due=due, video_id__lt=job.video_id)).exists()
