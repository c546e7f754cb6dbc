"""Keeping spans in the database: behind the product's work, never in its transactions, and never in its way.

A span waits in this process until the piece of work around it is done, or for a few seconds; the span of a message
is written when it starts, so that a killed worker leaves it open. What cannot be kept is counted and forgotten.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import Count
from django.utils import timezone
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from monitoring.models import Span, SpanStatus
from monitoring.services.counters import Tally
from subiteya.lib.spans import register

logger = logging.getLogger(__name__)

WAITING_MAX = 2_000
AT_ONCE = 500
FLUSH_SECONDS = 2.0
#: After a write that failed, so that a database in trouble is not asked at every step.
PAUSE_SECONDS = 5.0
#: Per video of a trace: about what a day of polling leaves.
PER_VIDEO_MAX = 2_000
PRUNE_AT_ONCE = 2_000
_FIELDS = ("status", "ended_at", "attributes", "links")
_STATUS = {StatusCode.UNSET: SpanStatus.UNSET, StatusCode.OK: SpanStatus.OK, StatusCode.ERROR: SpanStatus.ERROR}


class SpanKeeper:
    """A `subiteya.lib.spans.Place`: this process's spans on their way into the table."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """What waits in the parent is the parent's to write."""
        self._waiting: deque[Span] = deque()
        self._lock = threading.Lock()
        self._dropped = 0
        self._flush_at = time.monotonic() + FLUSH_SECONDS

    def started(self, span: ReadableSpan) -> None:
        """Write it now, open."""
        self._put([_row(span)])
        self.flush()

    def ended(self, span: ReadableSpan) -> None:
        """Write it soon."""
        self._put([_row(span)])
        if time.monotonic() >= self._flush_at:
            self.flush()

    def flush(self) -> None:
        """Write what waits, unless a transaction is open here: a rollback would take it along."""
        if connection.in_atomic_block or (self._pausing and time.monotonic() < self._flush_at):
            return
        while rows := self._take():
            try:
                self._dropped += _write(rows)
            except (OperationalError, InterfaceError) as error:  # locked, or away: later
                self._put(rows)
                self._failed(error)
                return
            except DatabaseError as error:
                self._dropped += len(rows)
                self._failed(error)
                return
            except BaseException:  # the worker is asked to stop: whoever flushes next writes them
                self._put(rows)
                raise
        self._pausing, self._flush_at = False, time.monotonic() + FLUSH_SECONDS
        self._tell_dropped()

    _pausing = False

    def _put(self, rows: list[Span]) -> None:
        with self._lock:
            self._waiting.extend(rows)
            while len(self._waiting) > WAITING_MAX:
                self._waiting.popleft()
                self._dropped += 1

    def _take(self) -> list[Span]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]

    def _failed(self, error: Exception) -> None:
        if not self._pausing:
            logger.warning("spans_not_kept", extra={"error": str(error).strip()})
        self._pausing, self._flush_at = True, time.monotonic() + PAUSE_SECONDS
        connection.close_if_unusable_or_obsolete()

    def _tell_dropped(self) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.warning("spans_dropped", extra={"spans": dropped})
            Tally().count("subiteya_spans_dropped_total", by=float(dropped)).write_if_possible()


@cache
def keep_spans() -> SpanKeeper:
    """From now on this process keeps its spans."""
    keeper = SpanKeeper()
    register(keeper)
    return keeper


def _write(rows: list[Span]) -> int:
    """Insert, or complete, `rows`; how many were too many for their video. A later row of a span wins."""
    latest = {(row.trace_id, row.span_id): row for row in rows}
    kept = list(_within_bounds(list(latest.values())))
    Span.objects.bulk_create(
        kept, update_conflicts=True, unique_fields=["trace_id", "span_id"], update_fields=_FIELDS
    )  # fmt: skip
    return len(latest) - len(kept)


def _within_bounds(rows: list[Span]) -> list[Span]:
    """`rows` without those of a video that has its fill; the spans of whole runs are always kept."""
    room = _room({(row.trace_id, row.video_id) for row in rows if row.kind != "consumer"})
    kept = []
    for row in rows:
        room[row.trace_id, row.video_id] -= 1
        if room[row.trace_id, row.video_id] >= 0 or row.kind == "consumer":
            kept.append(row)
    return kept


def _room(pairs: set[tuple[str, int | None]]) -> Counter[tuple[str, int | None]]:
    """How many spans more each video of a trace may have; one question for all videos, as after a scheduler's round."""
    room = Counter(dict.fromkeys(pairs, PER_VIDEO_MAX))
    for trace_id in {trace_id for trace_id, video_id in pairs if video_id is None}:
        room[trace_id, None] -= Span.objects.filter(trace_id=trace_id, video_id=None)[:PER_VIDEO_MAX].count()
    videos = {video_id for _trace, video_id in pairs if video_id is not None}
    stored = Span.objects.filter(video_id__in=videos, trace_id__in={trace_id for trace_id, _video in pairs})
    for trace_id, video_id, count in stored.order_by().values_list("trace_id", "video_id").annotate(n=Count("pk")):
        room[trace_id, video_id] -= count
    return room


def _row(span: ReadableSpan) -> Span:
    assert span.context is not None and span.start_time is not None
    attributes: dict[str, Any] = dict(span.attributes or {})
    return Span(
        trace_id=f"{span.context.trace_id:032x}",
        span_id=f"{span.context.span_id:016x}",
        parent_id=f"{span.parent.span_id:016x}" if span.parent else "",
        name=span.name,
        kind=span.kind.name.lower(),
        status=_STATUS[span.status.status_code],
        started_at=_moment(span.start_time),
        ended_at=_moment(span.end_time) if span.end_time else None,
        video_id=attributes.pop("subiteya.video_id", None),
        job_id=attributes.pop("subiteya.job_id", None),
        process=f"{settings.HOST_NAME}:{os.getpid()}",
        attributes=attributes,
        links=[
            {
                "trace_id": f"{link.context.trace_id:032x}",
                "span_id": f"{link.context.span_id:016x}",
                "why": str((link.attributes or {}).get("why", "")),
            }
            for link in span.links
        ],
    )


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


def spans_prune() -> int:
    """Forget the spans past their time, a few at once; how many."""
    limit = timezone.now() - timedelta(days=settings.SPAN_RETENTION_DAYS)
    old = Span.objects.filter(started_at__lt=limit).order_by("started_at").values_list("pk", flat=True)
    return Span.objects.filter(pk__in=list(old[:PRUNE_AT_ONCE])).delete()[0]
