"""rq entry points: bind the trace, look at the row, call one service."""

from __future__ import annotations

from publishing.services.ingest import asset_probe_by_id
from publishing.services.runner import job_run
from publishing.services.tracks import track_make
from publishing.services.verify import inbox_check
from subiteya.lib.tracing import trace


def run_job(pk: int, trace_id: str = "") -> None:
    """Work on job `pk`, if it is due and nobody else does."""
    with trace(trace_id):
        job_run(pk)


def run_probe(pk: int, trace_id: str = "") -> None:
    """Check the ingested file `pk`, if nobody has yet."""
    with trace(trace_id):
        asset_probe_by_id(pk)


def run_track(pk: int, trace_id: str = "") -> None:
    """Make the cues of subtitle track `pk`, if nobody has yet."""
    with trace(trace_id):
        track_make(pk)


def run_inbox_check(pk: int, trace_id: str = "") -> None:
    """Ask whether the inbox video of upload session `pk` was published in TikTok's app."""
    with trace(trace_id):
        inbox_check(pk)
