"""What each answer of TikTok means for the job and its video."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.models import Job, UploadSession, Video
from publishing.pace import paced
from publishing.services.circuits import circuit_of, why_paused
from publishing.services.jobs import Claim, job_finish
from publishing.states import UPLOAD_LIVE, CircuitState, JobKind, JobStatus, VideoStatus
from subiteya.tiktok import FailureClass, TikTokError

logger = logging.getLogger(__name__)

UPLOAD_ATTEMPTS = 4
UPLOAD_PAUSES = (paced(timedelta(minutes=1)), paced(timedelta(minutes=5)), paced(timedelta(minutes=15)))
RATE_PAUSE = paced(timedelta(seconds=60))
#: When the day's cap is reached, the video goes out on the next morning of the account.
NEXT_WINDOW = time(9, 0)


def details(job: Job, **values: Any) -> dict[str, Any]:
    """Measured values for the catalogue's sentences."""
    return {"account": str(job.video.account)} | values


def upload_refused(claim: Claim, error: TikTokError, **values: Any) -> None:
    """TikTok refused a call before the file was through: wait, try later, put off, or show it to a person."""
    code = error.code
    detail = details(claim.job, log_id=error.log_id, **values)
    logger.warning(
        "tiktok_refused",
        extra={"job_id": claim.job.pk, "code": error.code, "log_id": error.log_id, "status": error.status},
    )
    match error.breaker:
        case FailureClass.NEUTRAL if error.retryable:
            pause = max(timedelta(seconds=error.retry_after or 0), RATE_PAUSE)
            postpone(claim, at=timezone.now() + pause, code=code, detail=detail)
        case FailureClass.QUOTA:
            defer(claim, code=code, detail=detail)
        case FailureClass.COUNT:
            try_later(claim, code=code, detail=detail)
        case _:
            fail(claim, code=code, detail=detail)


def postpone(claim: Claim, *, at: datetime, code: str, detail: dict[str, Any]) -> None:
    """Wait without using an attempt."""
    job_finish(
        claim, to=JobStatus.WAITING, video_to=VideoStatus.RETRYING, code=code, detail=detail,
        job_fields={"run_at": at}, resume_at=at,
    )  # fmt: skip


def try_later(claim: Claim, *, code: str, detail: dict[str, Any]) -> None:
    """Use an attempt: again after a growing pause, or give up and show it."""
    attempt = claim.job.attempt
    if attempt >= UPLOAD_ATTEMPTS:
        fail(claim, code=code, detail=detail)
        return
    circuit = circuit_of(claim.job.video.account)
    if circuit.state != CircuitState.CLOSED:  # this failure may be the one that paused the account
        why, values, until = why_paused(circuit)
        job_finish(
            claim, to=JobStatus.HELD, video_to=VideoStatus.HELD, code=why, detail=values,
            job_fields={"attempt": attempt + 1}, resume_at=until,
        )  # fmt: skip
        return
    at = timezone.now() + UPLOAD_PAUSES[min(attempt, len(UPLOAD_PAUSES)) - 1]
    job_finish(
        claim, to=JobStatus.WAITING, video_to=VideoStatus.RETRYING, code=code,
        detail=detail | {"attempt": attempt + 1, "attempts": UPLOAD_ATTEMPTS},
        job_fields={"run_at": at, "attempt": attempt + 1}, resume_at=at,
    )  # fmt: skip


def cap_of(video: Video) -> Video | None:
    """A video of the same account and mode that waits for the next window because of a cap: so must this one."""
    capped = Video.objects.filter(
        account=video.account_id, mode=video.mode, status=VideoStatus.DEFERRED, resume_at__gt=timezone.now()
    )
    return capped.exclude(pk=video.pk).order_by("-resume_at").first()


def defer(claim: Claim, *, code: str, detail: dict[str, Any], at: datetime | None = None) -> None:
    """The day's cap is reached: next morning, no attempt used."""
    at = at or next_window(claim.job.video.account)
    job_finish(
        claim, to=JobStatus.WAITING, video_to=VideoStatus.DEFERRED, code=code, detail=detail,
        job_fields={"run_at": at}, resume_at=at,
    )  # fmt: skip


def fail(claim: Claim, *, code: str, detail: dict[str, Any]) -> None:
    """Show it to a person. What TikTok might still complete is not failed but unconfirmed."""
    to = given_up(claim.job)
    shown = "unconfirmed" if to == VideoStatus.UNCONFIRMED else code
    job_finish(claim, to=JobStatus.FAILED, video_to=to, code=shown, detail=detail | {"last_code": code})


def given_up(job: Job) -> VideoStatus:
    """What a video becomes when its job cannot go on: never retryable while the whole file may be at TikTok."""
    if job.kind == JobKind.EDIT:
        return VideoStatus.FAILED_EDIT
    sent = UploadSession.objects.filter(video=job.video_id, state__in=sorted(UPLOAD_LIVE), sent_at__isnull=False)
    return VideoStatus.UNCONFIRMED if sent.exists() else VideoStatus.FAILED_UPLOAD


def next_window(account: TikTokAccount) -> datetime:
    """09:00 of the next day in the account's zone."""
    tomorrow = timezone.now().astimezone(account.zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, NEXT_WINDOW, tzinfo=account.zone)
