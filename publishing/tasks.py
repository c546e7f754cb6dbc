"""rq entry points: take up the trace, look at the row, call one service."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rq import get_current_job

from publishing.errors import StepFailed
from publishing.services.cleaning import clean_host
from publishing.services.ingest import asset_probe_by_id
from publishing.services.runner import job_run
from publishing.services.tracks import track_make
from publishing.services.verify import inbox_check
from subiteya.lib.tracing import SpanKind, arrived, span

logger = logging.getLogger(__name__)


def run_job(pk: int) -> None:
    """Work on job `pk`, if it is due and nobody else does."""
    meta = _meta()
    with arrived(meta.get("traceparent", "")):
        job_run(pk, asked_by=meta.get("asked_by", ""))


def run_probe(pk: int) -> None:
    """Check the ingested file `pk`, if nobody has yet."""
    with _task("run_probe", pk):
        asset_probe_by_id(pk)


def run_track(pk: int) -> None:
    """Make the cues of subtitle track `pk`, if nobody has yet."""
    with _task("run_track", pk):
        track_make(pk)


def run_inbox_check(pk: int) -> None:
    """Ask whether the inbox video of upload session `pk` was published in TikTok's app."""
    with _task("run_inbox_check", pk):
        inbox_check(pk)


def run_cleaning(pk: int) -> None:
    """Clean the disk of the host that this runs on."""
    with _task("run_cleaning", pk):
        clean_host()


def _meta() -> dict[str, str]:
    message = get_current_job()
    return {name: str(value) for name, value in message.meta.items()} if message else {}


@contextmanager
def _task(task: str, pk: int) -> Iterator[None]:
    """The span of a task without a job row. A failure that passes ends it: the scheduler rings again."""
    about: dict[str, str | int] = {"messaging.system": "rq", "messaging.operation.type": "process", "subiteya.pk": pk}
    here = span(f"process {task}", kind=SpanKind.CONSUMER, attributes=about, minor=True)
    with arrived(_meta().get("traceparent", "")), here:
        try:
            yield
        except StepFailed as failure:  # this host has no room, or the bucket is away
            logger.warning("task_postponed", extra={"task": task, "pk": pk, "code": failure.code})
