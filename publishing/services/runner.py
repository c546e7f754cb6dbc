"""One run of one job: claim, heartbeat, the work, and what each kind of failure means."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from publishing.errors import LeaseLost, StateConflict, StepFailed
from publishing.pace import paced
from publishing.services.edit import edit_run
from publishing.services.jobs import (
    Claim,
    heartbeat,
    job_claim,
    job_finish,
    job_move,
    job_release,
    job_ring_next,
    job_write,
    worker_name,
)
from publishing.services.outcomes import given_up
from publishing.services.upload import upload_run
from publishing.services.verify import verify_poll
from publishing.services.working import preferred_host
from publishing.states import JobKind, JobStatus, VideoStatus
from publishing.stopping import Stopping
from subiteya.lib.crashing import crash_point

logger = logging.getLogger(__name__)

EDIT_ATTEMPTS = 3
EDIT_PAUSES = (paced(timedelta(seconds=30)), paced(timedelta(minutes=5)))
#: Before a job whose database went away is tried again.
DATABASE_PAUSE = paced(timedelta(seconds=10))


def job_run(pk: int) -> None:
    """Do what job `pk` needs now. A bell for a row that needs nothing does nothing."""
    claim = job_claim(pk, owner=worker_name())
    if claim is None:
        return
    context = {"job": pk, "kind": claim.job.kind, "video": claim.job.video_id, "attempt": claim.job.attempt}
    logger.info("job_started", extra=context)
    if claim.job.status == JobStatus.RUNNING:
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
        if claim.job.kind == JobKind.UPLOAD:
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
        logger.info("job_lost", extra={"job": claim.job.pk})


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
        logger.info("job_lost", extra={"job": claim.job.pk})


def step_failed(claim: Claim, failure: StepFailed) -> None:
    """An expected failure: try again after a pause while that can help, else show it to a person."""
    logger.info("job_failed", extra={"job": claim.job.pk, "code": failure.code, "retryable": failure.retryable})
    edit = claim.job.kind == JobKind.EDIT
    if edit and failure.retryable and claim.job.attempt < EDIT_ATTEMPTS:
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
            job_fields={"traceback": traceback.format_exc()[-20_000:]},
        )  # fmt: skip
    except (LeaseLost, StateConflict):
        logger.info("job_lost", extra={"job": claim.job.pk})
