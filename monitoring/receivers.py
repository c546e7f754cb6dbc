"""What monitoring writes when publishing, or a call to TikTok, tells it something."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, transaction
from django.dispatch import receiver
from django.utils import timezone

from accounts.models import TikTokAccount
from accounts.signals import tiktok_called
from monitoring.catalogue import ENDED_JOBS, NO_FAILURE
from monitoring.models import TikTokFailure
from monitoring.services.counters import Tally
from monitoring.services.keeping import keep_house
from monitoring.services.watching import watch, watch_the_scheduler
from publishing.models import AccountCircuit, Job, UploadSession, Video
from publishing.signals import beaten, circuit_moved, job_moved, ticked, video_created, video_moved
from publishing.states import VIDEO_TERMINAL, JobKind, JobStatus
from subiteya.lib.tracing import current_trace_id
from subiteya.tiktok import Endpoint, TikTokError

logger = logging.getLogger(__name__)


@receiver(tiktok_called)
def call_count(
    sender: object, endpoint: Endpoint, account: TikTokAccount | None, seconds: float, error: TikTokError | None,
    **_kwargs: Any,
) -> None:  # fmt: skip
    """Count a call, and keep its failure. Counting must never break an upload."""
    failed = error is not None and not isinstance(error, NO_FAILURE)
    tally = Tally().count("tiktok_api_requests_total", endpoint, "error" if failed else "ok")
    tally.observe("tiktok_api_request_duration_seconds", endpoint, seconds=seconds)
    try:
        with transaction.atomic():
            if error is not None and failed:
                tally.count("tiktok_api_failures_total", endpoint, error.reason)
                _failure(endpoint, account, seconds, error)
            tally.write()
    except DatabaseError as lost:
        logger.warning("count_lost", extra={"error": str(lost).strip()})


def _failure(endpoint: Endpoint, account: TikTokAccount | None, seconds: float, error: TikTokError) -> None:
    TikTokFailure.objects.create(
        at=timezone.now(), endpoint=endpoint, reason=error.reason, code=error.code[:64], status=error.status,
        seconds=seconds, account=account, log_id=error.log_id[:64], trace_id=current_trace_id(),
    )  # fmt: skip


@receiver(video_created)
def video_count(sender: object, video: Video, **_kwargs: Any) -> None:
    Tally().count("videos_total", "submitted").write()


@receiver(video_moved)
def outcome_count(sender: object, video: Video, new: str, code: str, **_kwargs: Any) -> None:
    if new in VIDEO_TERMINAL and code != "undone":  # put back where it had been counted
        Tally().count("videos_total", new).write()


@receiver(job_moved)
def job_count(sender: object, job: Job, new: str, **_kwargs: Any) -> None:
    """Count a job that ended, and how long each stage took."""
    tally = Tally()
    if new in ENDED_JOBS:
        tally.count("subiteya_jobs_finished_total", job.kind, new)
    if new == JobStatus.SUCCEEDED and job.kind == JobKind.EDIT and job.started_at and job.finished_at:
        tally.observe("edit_duration_seconds", seconds=(job.finished_at - job.started_at).total_seconds())
    if job.kind == JobKind.UPLOAD and new in {JobStatus.PROCESSING, JobStatus.SUCCEEDED}:
        _stages(job, new, tally)
    tally.write()


def _stages(job: Job, new: str, tally: Tally) -> None:
    session = UploadSession.objects.filter(video=job.video_id, sent_at__isnull=False).order_by("-pk").first()
    if session is None or session.sent_at is None:
        return
    if new == JobStatus.PROCESSING:
        tally.observe("upload_duration_seconds", seconds=(session.sent_at - session.init_at).total_seconds())
        tally.count("subiteya_uploaded_bytes_total", by=float(session.video_size))
    else:
        tally.observe("verify_duration_seconds", seconds=(timezone.now() - session.sent_at).total_seconds())


@receiver(circuit_moved)
def circuit_count(sender: object, circuit: AccountCircuit, new: str, **_kwargs: Any) -> None:
    Tally().count("subiteya_circuit_transitions_total", new).write()


@receiver(ticked)
def housekeeping(sender: object, **_kwargs: Any) -> None:
    keep_house()


@receiver(ticked)
def look_for_alerts(sender: object, **_kwargs: Any) -> None:
    watch()


@receiver(beaten)
def look_after_the_scheduler(sender: object, **_kwargs: Any) -> None:
    watch_the_scheduler()
