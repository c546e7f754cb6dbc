"""rq entry points: bind the trace, look at the row, call one service."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from publishing.errors import StepFailed
from publishing.services.cleaning import clean_host
from publishing.services.ingest import asset_probe_by_id
from publishing.services.runner import job_run
from publishing.services.tracks import track_make
from publishing.services.verify import inbox_check
from subiteya.lib.tracing import trace

logger = logging.getLogger(__name__)


def run_job(pk: int, trace_id: str = "") -> None:
    """Work on job `pk`, if it is due and nobody else does."""
    with trace(trace_id):
        job_run(pk)


def run_probe(pk: int, trace_id: str = "") -> None:
    """Check the ingested file `pk`, if nobody has yet."""
    with trace(trace_id), _postponed("run_probe", pk):
        asset_probe_by_id(pk)


def run_track(pk: int, trace_id: str = "") -> None:
    """Make the cues of subtitle track `pk`, if nobody has yet."""
    with trace(trace_id), _postponed("run_track", pk):
        track_make(pk)


def run_inbox_check(pk: int, trace_id: str = "") -> None:
    """Ask whether the inbox video of upload session `pk` was published in TikTok's app."""
    with trace(trace_id):
        inbox_check(pk)


def run_cleaning(_pk: int, trace_id: str = "") -> None:
    """Clean the disk of the host that this runs on."""
    with trace(trace_id):
        clean_host()


@contextmanager
def _postponed(task: str, pk: int) -> Iterator[None]:
    """This host has no room, or the bucket is away: the row still waits, and the scheduler rings again."""
    try:
        yield
    except StepFailed as failure:
        logger.warning("task_postponed", extra={"task": task, "pk": pk, "code": failure.code})
