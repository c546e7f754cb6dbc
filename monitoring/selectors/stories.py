"""The story of a trace: what every table that carries its id has to say, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from accounts.models import AccountEvent
from monitoring.models import Span, TikTokFailure
from monitoring.selectors.spans import spans_of
from publishing.models import Batch, CircuitEvent, Job, JobEvent, UploadSession, Video, VideoEvent


@dataclass(frozen=True)
class Line:
    """`kind`: which table says it. `facts`: short values by name; the empty ones are not worth a word."""

    at: datetime
    kind: str
    what: str
    facts: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        facts = {name: value for name, value in self.facts.items() if value not in ("", None)}
        return {"at": self.at.isoformat(), "kind": self.kind, "what": self.what, **facts}


def story_of_video(video: Video) -> list[Line]:
    """Everything about this video: nothing of the other accounts of its batch."""
    pk, account = video.pk, video.account_id
    jobs = Job.objects.filter(video=pk)
    return _ordered(
        _batches([video.batch]),
        _videos([video]),
        _video_events(VideoEvent.objects.filter(video=pk)),
        _job_events(JobEvent.objects.filter(job__video=pk)),
        _job_ends(jobs),
        _sessions(UploadSession.objects.filter(video=pk)),
        _circuit_events(CircuitEvent.objects.filter(video=pk)),
        _account_events(AccountEvent.objects.filter(trace_id=video.trace_id, account=account)),
        _failures(TikTokFailure.objects.filter(trace_id=video.trace_id, account=account)),
        _spans(spans_of(video)),
    )


def story_of_trace(trace_id: str) -> list[Line]:
    """Everything of a trace: a batch with all of its videos, a request, a round of the reconciler."""
    return _ordered(
        _batches(Batch.objects.filter(trace_id=trace_id)),
        _videos(Video.objects.filter(trace_id=trace_id).select_related("account")),
        _video_events(VideoEvent.objects.filter(trace_id=trace_id)),
        _job_events(JobEvent.objects.filter(trace_id=trace_id)),
        _job_ends(Job.objects.filter(trace_id=trace_id)),
        _sessions(UploadSession.objects.filter(video__trace_id=trace_id)),
        _circuit_events(CircuitEvent.objects.filter(trace_id=trace_id)),
        _account_events(AccountEvent.objects.filter(trace_id=trace_id)),
        _failures(TikTokFailure.objects.filter(trace_id=trace_id)),
        _spans(Span.objects.filter(trace_id=trace_id)),
    )


def _ordered(*parts: Iterable[Line]) -> list[Line]:
    return sorted(chain.from_iterable(parts), key=lambda line: line.at)


def _batches(batches: Iterable[Batch]) -> Iterator[Line]:
    for batch in batches:
        yield Line(batch.created_at, "batch", "submitted", {"batch": batch.pk, "by": str(batch.created_by)})


def _videos(videos: Iterable[Video]) -> Iterator[Line]:
    for video in videos:
        due = video.scheduled_at.isoformat() if video.scheduled_at else ""
        yield Line(video.created_at, "video", f"video {video.pk}", {"account": str(video.account), "due": due})


def _video_events(events: Iterable[VideoEvent]) -> Iterator[Line]:
    for event in events:
        facts = {"video": event.video_id, "code": event.code, "log_id": event.detail.get("log_id", "")}
        yield Line(event.at, "video", _change(event.old, event.new), facts)


def _job_events(events: Iterable[JobEvent]) -> Iterator[Line]:
    for event in events:
        facts = {"job": event.job_id, "code": event.code, "worker": event.owner, "fence": event.fence}
        yield Line(event.at, "job", _change(event.old, event.new), facts)


def _job_ends(jobs: Iterable[Job]) -> Iterator[Line]:
    for job in jobs:
        if job.traceback:
            last = job.traceback.strip().rpartition("\n")[2]
            yield Line(job.finished_at or job.created_at, "job", "traceback", {"job": job.pk, "error": last})


def _sessions(sessions: Iterable[UploadSession]) -> Iterator[Line]:
    for session in sessions:
        facts = {"publish_id": session.publish_id, "log_id": session.log_id, "parts": session.total_chunk_count}
        yield Line(session.init_at, "tiktok", "upload opened", facts)
        if session.sent_at:
            yield Line(session.sent_at, "tiktok", "last part on its way", {"publish_id": session.publish_id})


def _circuit_events(events: Iterable[CircuitEvent]) -> Iterator[Line]:
    for event in events:
        facts = {"what": event.kind, "code": event.code, "job": event.job_id, "probe": event.token or ""}
        yield Line(event.at, "circuit", _change(event.old, event.new), facts)


def _account_events(events: Iterable[AccountEvent]) -> Iterator[Line]:
    for event in events:
        facts = {"account": event.account_id, "reason": event.reason, "log_id": event.log_id}
        yield Line(event.at, "account", event.kind, facts)


def _failures(failures: Iterable[TikTokFailure]) -> Iterator[Line]:
    for failure in failures:
        facts = {
            "code": failure.code, "reason": failure.reason, "status": failure.status or "", "log_id": failure.log_id,
        }  # fmt: skip
        yield Line(failure.at, "failure", failure.endpoint, facts)


def _spans(spans: Iterable[Span]) -> Iterator[Line]:
    for span in spans:
        lasted = f"{(span.ended_at - span.started_at).total_seconds():.3f}s" if span.ended_at else "cut"
        facts = {
            "lasted": lasted, "status": "" if span.status == "unset" else span.status, "job": span.job_id,
            "error": span.attributes.get("error.type", ""), "log_id": span.attributes.get("tiktok.log_id", ""),
            "span": span.span_id, "links": ",".join(_link(link, span.trace_id) for link in span.links),
        }  # fmt: skip
        yield Line(span.started_at, "span", span.name, facts)


def _link(link: dict[str, str], here: str) -> str:
    """`why:span`, or `why:trace/span` when it leads elsewhere."""
    away = "" if link["trace_id"] == here else f"{link['trace_id']}/"
    return f"{link['why']}:{away}{link['span_id']}"


def _change(old: str, new: str) -> str:
    return f"{old} → {new}" if old and old != new else new
