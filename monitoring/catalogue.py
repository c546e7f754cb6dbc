"""Every metric that `/metrics` exports of ours: its name, kind, help and labels with all their values.

The collector, the alert rules, the dashboards and their checks read this page; nothing else names a metric.
Units are the base ones (seconds, bytes). Every series of a metric whose label values are listed is there from the
start, at 0: Prometheus cannot see the growth of a counter that appears with its first event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from publishing.models import WorkerKind
from publishing.states import SUBTITLE_VARIANTS, VIDEO_TERMINAL, CircuitState, JobKind, JobStatus, VideoStatus
from subiteya.tiktok import Endpoint, TikTokError
from subiteya.tiktok.errors import HostNotAllowed, LocalFailure, RangeMismatch

#: Neither TikTok's refusal nor its silence: our own disk, an address that we do not call, where to go on.
NO_FAILURE = (LocalFailure, HostNotAllowed, RangeMismatch)
#: OpenTelemetry's for HTTP, and on to the minutes that a part or an edit may take.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
#: More accounts than this, and only the earliest expiry of all is exported.
TOKEN_SERIES_MAX = 500


class MetricKind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """`labels`: name → all its values, or none when they are only known at the scrape."""

    name: str
    kind: MetricKind
    help: str
    labels: dict[str, Sequence[str]]

    @property
    def series(self) -> Iterator[tuple[str, ...]]:
        """Every combination of label values; none when one label is open."""
        return product(*self.labels.values())


def _errors(kind: type[TikTokError] = TikTokError) -> Iterator[type[TikTokError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _errors(child)


#: What a failed call can be labelled with.
REASONS = sorted({TikTokError.reason, *(error.reason for error in _errors() if not issubclass(error, NO_FAILURE))})
ENDPOINTS = [str(endpoint) for endpoint in Endpoint]
KINDS = list(JobKind.values)
SUBTITLES = [*SUBTITLE_VARIANTS]
ENDED_JOBS = [str(status) for status in (
    JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.ERRORED, JobStatus.CANCELLED
)]  # fmt: skip
#: What `videos_total` counts: a submission, and each end that a video came to.
RESULTS = ["submitted", *sorted(VIDEO_TERMINAL)]
C, G, H = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("tiktok_api_requests_total", C, "Calls to TikTok, parts included.",
               {"endpoint": ENDPOINTS, "outcome": ["ok", "error"]}),
        Metric("tiktok_api_failures_total", C, "Calls that TikTok refused or did not answer.",
               {"endpoint": ENDPOINTS, "reason": REASONS}),
        Metric("tiktok_api_request_duration_seconds", H, "How long calls to TikTok took.", {"endpoint": ENDPOINTS}),
        Metric("subiteya_uploaded_bytes_total", C, "Bytes of videos that TikTok took.", {}),
        Metric("videos_total", C, "Videos submitted, and the ends they came to; a retried video ends more than once.",
               {"result": RESULTS}),
        Metric("subiteya_videos", G, "Videos by status, now.", {"status": list(VideoStatus.values)}),
        Metric("subiteya_jobs_finished_total", C, "Jobs that ended.", {"kind": KINDS, "status": ENDED_JOBS}),
        Metric("subiteya_jobs", G, "Jobs by kind and status, now.",
               {"kind": KINDS, "status": list(JobStatus.values)}),
        Metric("active_jobs", G, "Jobs that a worker works on now.", {"queue": KINDS}),
        Metric("queued_jobs", G, "Jobs that are due and wait for a worker.", {"queue": KINDS}),
        Metric("held_videos", G, "Videos that wait because their account is paused.", {}),
        Metric("oldest_queued_age_seconds", G, "For how long the oldest due job has waited; 0 when none does.",
               {"queue": KINDS}),
        Metric("active_jobs_peak", G, "The most jobs at once in the last 30 days.", {}),
        Metric("publish_success_rate", G, "Of the videos that ended in 30 days, the share that TikTok published;"
               " absent while none ended.", {"subtitles": ["all", *SUBTITLES]}),
        Metric("edit_duration_seconds", H, "From the start of an edit to its end.", {}),
        Metric("upload_duration_seconds", H, "From the start of an upload to its last part.", {}),
        Metric("verify_duration_seconds", H, "From the last part to TikTok's final answer.", {}),
        Metric("tiktok_token_expiry_timestamp_seconds", G,
               "When an account's token expires; access tokens are refreshed by themselves.",
               {"account": (), "token": ["access", "refresh"]}),
        Metric("tiktok_token_earliest_expiry_timestamp_seconds", G, "The earliest expiry of all accounts.",
               {"token": ["access", "refresh"]}),
        Metric("subiteya_circuits", G, "Accounts by the state of their circuit breaker.",
               {"state": list(CircuitState.values)}),
        Metric("subiteya_circuit_transitions_total", C, "Changes of circuit breakers, by the state they went into.",
               {"state": list(CircuitState.values)}),
        Metric("tiktok_outage", G, "1 while several accounts are paused at once, else 0.", {}),
        Metric("worker_heartbeat_timestamp_seconds", G, "The last sign of life of the processes of a kind.",
               {"kind": list(WorkerKind.values)}),
        Metric("subiteya_workers", G, "Processes that are alive: each works on one job at a time.",
               {"kind": list(WorkerKind.values)}),
        Metric("reconciler_last_run_timestamp_seconds", G, "When the scheduler last finished a round.", {}),
        Metric("subiteya_spans_dropped_total", C, "Spans that could not be kept.", {}),
        Metric("subiteya_alerts", G, "Alerts that the application itself has open.", {"severity": ["page", "ticket"]}),
        Metric("subiteya_build_info", G, "Always 1; the labels say what runs.",
               {"version": (), "python": (), "django": ()}),
    )
}  # fmt: skip
