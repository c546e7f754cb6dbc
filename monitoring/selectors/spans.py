"""The spans of one video, as a waterfall: who hangs on whom, from when to when, and what was cut off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Q
from django.utils import timezone

from monitoring.models import Span, SpanStatus
from publishing.models import Job, Video
from publishing.states import JobStatus

#: More rows than this help nobody; what was left out is said.
SHOWN = 300
#: The width of a waterfall, in its own units.
WIDTH = 1000.0
#: A pause without any span keeps at most this share of the width, so that the work itself can be seen.
PAUSE_SHARE = 0.06
NARROWEST = 3.0


@dataclass(frozen=True, kw_only=True)
class Link:
    """To another span: of this waterfall when `name` is known, else of the trace `trace_id`."""

    why: str
    trace_id: str
    span_id: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One span, drawn from `left`, `width` wide (both out of WIDTH). `state`: done, failed, running or cut."""

    span: Span
    depth: int
    left: float
    width: float
    state: str
    offset: timedelta
    lasted: timedelta | None
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Pause:
    """A stretch in which nothing of the video was done, drawn narrower than it was."""

    left: float
    width: float
    lasted: timedelta


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """`left_out`: how many spans more there are than bars."""

    trace_id: str
    bars: tuple[Bar, ...]
    pauses: tuple[Pause, ...]
    lasted: timedelta
    left_out: int


def spans_of(video: Video) -> list[Span]:
    """The spans of this video, and what its batch shares: nothing of the batch's other accounts."""
    found = Span.objects.filter(Q(video_id=video.pk) | Q(video_id=None), trace_id=video.trace_id)
    return [span for span in found if span.attributes.get("subiteya.account_id") in {None, video.account_id}]


def waterfall(video: Video) -> Waterfall:
    """The video's spans in the order of a tree, each at its place in time."""
    found = spans_of(video)
    spans, now = found[:SHOWN], timezone.now()
    running = _running(video, now)
    ends = {span.span_id: _end(span, spans, now if span.span_id in running else None) for span in spans}
    clock = _Clock([(span.started_at, ends[span.span_id]) for span in spans])
    names = {span.span_id: span.name for span in spans}
    bars = tuple(_bar(span, depth, clock, ends[span.span_id], running, names) for span, depth in _tree(spans))
    return Waterfall(
        trace_id=video.trace_id, bars=bars, pauses=tuple(clock.pauses()), lasted=clock.lasted,
        left_out=len(found) - len(spans),
    )  # fmt: skip


def _running(video: Video, now: datetime) -> set[str]:
    """The spans of runs whose worker is alive."""
    jobs = Job.objects.filter(video=video, status=JobStatus.RUNNING, lease_until__gt=now)
    return {traceparent.split("-")[2] for traceparent in jobs.values_list("traceparent", flat=True) if traceparent}


def _end(span: Span, spans: Sequence[Span], now: datetime | None) -> datetime:
    """When it ended; of one that was cut off, when it was gone for certain: the next run begins with a link to it."""
    if span.ended_at or now:
        return span.ended_at or now or span.started_at
    below = [one.ended_at or one.started_at for one in spans if one.parent_id == span.span_id]
    after = [one.started_at for one in spans if any(link["span_id"] == span.span_id for link in one.links)]
    return max([span.started_at, *below, *sorted(after)[:1]])


def _tree(spans: Sequence[Span]) -> Iterator[tuple[Span, int]]:
    """Each span below its parent, in the order of their starts; one whose parent is unknown stands at the top."""
    known = {span.span_id for span in spans}
    below: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        below[span.parent_id if span.parent_id in known else ""].append(span)
    waiting = [(span, 0) for span in reversed(below[""])]
    while waiting:
        span, depth = waiting.pop()
        yield span, depth
        waiting.extend((one, depth + 1) for one in reversed(below[span.span_id]))


def _bar(
    span: Span, depth: int, clock: _Clock, end: datetime, running: set[str], names: dict[str, str]
) -> Bar:  # fmt: skip
    left = min(clock.at(span.started_at), WIDTH - NARROWEST)
    return Bar(
        span=span, depth=depth, left=left, width=max(NARROWEST, clock.at(end) - left), state=_state(span, running),
        offset=span.started_at - clock.start, lasted=span.ended_at - span.started_at if span.ended_at else None,
        links=tuple(
            Link(
                why=link.get("why", ""), trace_id=link["trace_id"], span_id=link["span_id"],
                name=names.get(link["span_id"], ""),
            )
            for link in span.links
        ),
    )  # fmt: skip


def _state(span: Span, running: set[str]) -> str:
    if span.ended_at is None:
        return "running" if span.span_id in running else "cut"
    return "failed" if span.status == SpanStatus.ERROR else "done"


class _Clock:
    """Moments to places: true to scale while something is done, pauses squeezed."""

    def __init__(self, intervals: Sequence[tuple[datetime, datetime]]) -> None:
        self._busy = _merged(intervals)
        self.start = self._busy[0][0] if self._busy else timezone.now()
        self.lasted = self._busy[-1][1] - self.start if self._busy else timedelta()
        work = sum((end - start for start, end in self._busy), timedelta())
        widest = max(work * PAUSE_SHARE, timedelta(milliseconds=1))
        self._kept = [min(after - before, widest) for (_s, before), (after, _e) in pairwise(self._busy)]
        self._scale = WIDTH / max((work + sum(self._kept, timedelta())).total_seconds(), 1e-6)

    def at(self, moment: datetime) -> float:
        """The place of `moment`, which lies in a busy stretch."""
        passed = timedelta()
        for (start, end), kept in zip(self._busy, [*self._kept, timedelta()], strict=True):
            if moment <= end:
                passed += max(moment - start, timedelta())
                break
            passed += end - start + kept
        return passed.total_seconds() * self._scale

    def pauses(self) -> Iterator[Pause]:
        """The stretches that were squeezed."""
        for ((_start, before), (after, _end)), kept in zip(pairwise(self._busy), self._kept, strict=True):
            if kept < after - before:
                yield Pause(self.at(before), kept.total_seconds() * self._scale, after - before)


def _merged(intervals: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    busy: list[tuple[datetime, datetime]] = []
    for start, end in sorted(intervals):
        if busy and start <= busy[-1][1]:
            busy[-1] = (busy[-1][0], max(busy[-1][1], end))
        else:
            busy.append((start, end))
    return busy
