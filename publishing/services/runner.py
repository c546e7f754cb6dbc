"""One run of one job: claim, heartbeat, the work, and what each kind of failure means."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone
from rq import get_current_job

from publishing.errors import LeaseLost, StateConflict, StepFailed
from publishing.models import Job
from publishing.pace import paced
from publishing.queues import queue_name
from publishing.services.edit import edit_run
from publishing.services.jobs import (
    Claim,
    heartbeat,
    job_bound,
    job_claim,
    job_finish,
    job_move,
    job_origin,
    job_release,
    job_ring_next,
    job_unanswered,
    job_write,
    worker_name,
)
from publishing.services.outcomes import given_up, try_later
from publishing.services.upload import upload_run
from publishing.services.verify import verify_poll
from publishing.services.working import preferred_host
from publishing.states import JobKind, JobStatus, VideoStatus
from publishing.stopping import Stopping
from subiteya.lib.crashing import crash_point
from subiteya.lib.redaction import redact
from subiteya.lib.tracing import SpanKind, current_traceparent, failed, span

logger = logging.getLogger(__name__)

EDIT_ATTEMPTS = 3
EDIT_PAUSES = (paced(timedelta(seconds=30)), paced(timedelta(minutes=5)))
#: Before a job whose database went away is tried again.
DATABASE_PAUSE = paced(timedelta(seconds=10))


def job_run(pk: int, *, asked_by: str = "") -> None:
    """Do what job `pk` needs now. A bell for a row that needs nothing does nothing.

    `asked_by`: the traceparent of the run that rang, if any.
    """
    heard = timezone.now()
    try:
        claim = job_claim(pk, owner=worker_name())
        if claim is None:
            return
        with _traced(claim, asked_by):
            _run(claim)
    except Stopping:
        with suppress(DatabaseError):  # then the bell is rung again when nobody has answered for long
            job_unanswered(pk, owner=worker_name(), since=heard)
        raise


@contextmanager
def _traced(claim: Claim, asked_by: str) -> Iterator[None]:
    """The run's span, below the video's submission, with links to the run before it and to what called for it.

    Its row is there from the start, so that a run whose worker is killed is seen. A look at TikTok's answer is
    a smaller thing: its span is written when it is over.
    """
    job = claim.job
    looks = job.status == JobStatus.PROCESSING
    about: dict[str, str | int] = {
        "messaging.system": "rq", "messaging.operation.name": "process", "messaging.operation.type": "process",
        "messaging.destination.name": queue_name(job.kind), "messaging.message.conversation_id": str(job.video_id),
        "subiteya.attempt": job.attempt, "subiteya.crashes": job.crash_count,
    }  # fmt: skip
    if message := get_current_job():
        about["messaging.message.id"] = message.id
    with (
        job_bound(job),
        span(
            "poll status" if looks else f"process {job.kind}", kind=SpanKind.CONSUMER,
            parent=job_origin(job), attributes=about,
            links={**_before(claim), "bell": current_traceparent(), "asked": asked_by}, minor=looks,
        ) as at,
    ):  # fmt: skip
        if not looks:
            Job.objects.filter(pk=job.pk, fence=claim.fence).update(traceparent=current_traceparent())
        yield
        at.set_attribute("subiteya.outcome", job.status)
        if job.status in {JobStatus.FAILED, JobStatus.ERRORED} or (job.reason_code and not looks):
            at.set_attribute("subiteya.code", job.reason_code)
        if job.status in {JobStatus.FAILED, JobStatus.ERRORED}:
            failed(at, job.reason_code or job.status)


def _before(claim: Claim) -> dict[str, str]:
    """Links to the run before this one, or of a first run to what asked for it and to the last job of its kind."""
    job = claim.job
    if claim.fence > 1:
        return {"previous": job.traceparent}
    if job.traceparent and job.traceparent == job.video.traceparent:
        return {}  # it was made with its video: nothing was before
    earlier = Job.objects.filter(video=job.video_id, kind=job.kind, pk__lt=job.pk).order_by("-pk")
    last = earlier.values_list("traceparent", flat=True).first()
    return {"follows": job.traceparent, "previous": last or ""}


def _run(claim: Claim) -> None:
    job = claim.job
    context = {"kind": job.kind, "attempt": job.attempt}
    logger.info("job_started", extra=context)
    looks = job.status == JobStatus.PROCESSING
    if not looks:
        crash_point(f"{claim.job.kind}_claimed")
    try:
        with heartbeat(claim):
            _work(claim)
    except Stopping:
        logger.info("job_released", extra=context)
        _release(claim)
        raise
    except (LeaseLost, StateConflict):
        logger.info("job_lost", extra=context)
    except StepFailed as failure:
        step_failed(claim, failure)
    except (OperationalError, InterfaceError) as error:
        logger.warning("job_database_lost", extra=context | {"error": str(error).strip()})
        _give_back(claim)
    except Exception:
        logger.exception("job_errored", extra=context)
        _errored(claim)
    finally:
        if claim.job.kind == JobKind.UPLOAD and not looks:
            job_ring_next(account_id=claim.job.video.account_id)


def _work(claim: Claim) -> None:
    if claim.job.kind == JobKind.EDIT:
        edit_run(claim)
    elif claim.job.status == JobStatus.PROCESSING:
        verify_poll(claim)
    else:
        upload_run(claim)


def _release(claim: Claim) -> None:
    try:
        job_release(claim)
    except (LeaseLost, StateConflict):
        logger.info("job_lost", extra={"job_id": claim.job.pk})


def _give_back(claim: Claim) -> None:
    """The database went away and nothing is wrong with the job: again soon, every finished step is found.

    While it stays away the lease runs out, and the job is taken over.
    """
    connection.close()
    again: dict[str, Any] = {"run_at": timezone.now() + DATABASE_PAUSE}
    try:
        if claim.job.status == JobStatus.PROCESSING:
            job_write(claim, lease_until=None, owner="", **again)
        else:
            job_move(job=claim.job, to=JobStatus.QUEUED, code="worker_stopped", fence=claim.fence, **again)
    except (LeaseLost, StateConflict, DatabaseError):
        logger.info("job_lost", extra={"job_id": claim.job.pk})


def step_failed(claim: Claim, failure: StepFailed) -> None:
    """An expected failure: try again after a pause while that can help, else show it to a person."""
    logger.info("job_failed", extra={"job_id": claim.job.pk, "code": failure.code, "retryable": failure.retryable})
    edit = claim.job.kind == JobKind.EDIT
    if failure.retryable and not edit:
        try_later(claim, code=failure.code, detail=failure.detail)
        return
    if failure.retryable and claim.job.attempt < EDIT_ATTEMPTS:
        at = timezone.now() + EDIT_PAUSES[min(claim.job.attempt, len(EDIT_PAUSES)) - 1]
        job_finish(
            claim, to=JobStatus.WAITING, video_to=VideoStatus.RETRYING, code=failure.code, detail=failure.detail,
            job_fields={
                "run_at": at, "attempt": claim.job.attempt + 1, "prefer_host": preferred_host(claim.job.video)
            },
            resume_at=at,
        )  # fmt: skip
        return
    job_finish(
        claim,
        to=JobStatus.FAILED,
        video_to=given_up(claim.job),
        code=failure.code,
        detail=failure.detail,
    )


def _errored(claim: Claim) -> None:
    """A bug: keep its traceback. A video that TikTok may still complete becomes unconfirmed, never retryable."""
    try:
        job_finish(
            claim, to=JobStatus.ERRORED, video_to=given_up(claim.job), code="bug",
            job_fields={"traceback": redact(traceback.format_exc())[-20_000:]},
        )  # fmt: skip
    except (LeaseLost, StateConflict):
        logger.info("job_lost", extra={"job_id": claim.job.pk})
