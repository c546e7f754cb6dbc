"""The collector behind `/metrics`: every metric of the catalogue, read from the tables at the scrape.

A scrape writes nothing. Whatever process answers it, and whenever, the numbers are those of the rows.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from datetime import datetime

import django
from django.db.models import Count, Max
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.catalogue import METRICS, TOKEN_SERIES_MAX, MetricKind
from monitoring.models import Alert, AlertSource
from monitoring.selectors.accounts import circuits, earliest_expiries, outage_now, token_lives
from monitoring.selectors.jobs import active_jobs, capacity, jobs_by_kind_and_status, queues, workers_alive
from monitoring.selectors.videos import publish_success_rate, video_status
from monitoring.services.counters import Labels, counters, histogram_of, series_of
from publishing.models import Leadership, WorkerHeartbeat
from publishing.services.reconcile import LEADERSHIP
from publishing.states import VideoStatus
from subiteya import __version__

Samples = Iterator[tuple[Labels, float]]


class TableCollector(Collector):
    """Families in the catalogue's order. `describe` is empty: registering must not ask the database."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        found = counters()
        for metric in METRICS.values():
            names = list(metric.labels)
            if metric.kind is MetricKind.COUNTER:
                counter = CounterMetricFamily(metric.name, metric.help, labels=names)
                for labels, value in series_of(metric.name, found).items():
                    counter.add_metric(labels, value)
                yield counter
            elif metric.kind is MetricKind.HISTOGRAM:
                histogram = HistogramMetricFamily(metric.name, metric.help, labels=names)
                for labels, (buckets, total) in histogram_of(metric.name, found).items():
                    histogram.add_metric(labels, buckets, total)
                yield histogram
            else:
                gauge = GaugeMetricFamily(metric.name, metric.help, labels=names)
                for labels, value in GAUGES[metric.name]():
                    gauge.add_metric(labels, value)
                yield gauge


def registry() -> CollectorRegistry:
    """Our tables alone; what django-prometheus measures in the process is added by the view."""
    found = CollectorRegistry(auto_describe=False)
    found.register(TableCollector())
    return found


def _labelled(figures: dict[str, int]) -> Samples:
    yield from (((label,), float(value)) for label, value in figures.items())


def _jobs() -> Samples:
    yield from ((labels, float(count)) for labels, count in jobs_by_kind_and_status().items())


def _oldest() -> Samples:
    yield from (((kind,), age) for kind, (_count, age) in queues().items())


def _queued() -> Samples:
    yield from (((kind,), float(count)) for kind, (count, _age) in queues().items())


def _held() -> Samples:
    yield (), float(video_status()[VideoStatus.HELD])


def _rates() -> Samples:
    for variant, rate in publish_success_rate().items():
        if rate.rate is not None:
            yield (variant,), rate.rate


def _tokens() -> Samples:
    lives = token_lives(TOKEN_SERIES_MAX + 1)
    if len(lives) <= TOKEN_SERIES_MAX:
        for life in lives:
            yield (life.account, "access"), life.access.timestamp()
            yield (life.account, "refresh"), life.refresh.timestamp()


def _earliest() -> Samples:
    for token, at in earliest_expiries().items():
        if at is not None:
            yield (token,), at.timestamp()


def _beats() -> Samples:
    rows = WorkerHeartbeat.objects.order_by("kind").values_list("kind").annotate(at=Max("seen_at"))
    yield from (((kind,), at.timestamp()) for kind, at in rows)


def _reconciled() -> Samples:
    until: datetime | None = Leadership.objects.filter(name="reconciler").values_list("until", flat=True).first()
    if until is not None:
        yield (), (until - LEADERSHIP).timestamp()


def _alerts() -> Samples:
    open_now = Alert.objects.filter(closed_at=None, source=AlertSource.APP)
    found = dict(open_now.order_by().values_list("severity").annotate(n=Count("pk")))
    return _labelled({severity: found.get(severity, 0) for severity in METRICS["subiteya_alerts"].labels["severity"]})


def _build() -> Samples:
    yield (__version__, platform.python_version(), django.get_version()), 1.0


GAUGES: dict[str, Callable[[], Samples]] = {
    "subiteya_videos": lambda: _labelled(video_status()),
    "subiteya_jobs": _jobs,
    "active_jobs": lambda: _labelled(active_jobs()),
    "queued_jobs": _queued,
    "held_videos": _held,
    "oldest_queued_age_seconds": _oldest,
    "active_jobs_peak": lambda: iter([((), float(capacity().peak30d))]),
    "publish_success_rate": _rates,
    "tiktok_token_expiry_timestamp_seconds": _tokens,
    "tiktok_token_earliest_expiry_timestamp_seconds": _earliest,
    "subiteya_circuits": lambda: _labelled(circuits()),
    "tiktok_outage": lambda: iter([((), float(outage_now()))]),
    "worker_heartbeat_timestamp_seconds": _beats,
    "subiteya_workers": lambda: _labelled(workers_alive()),
    "reconciler_last_run_timestamp_seconds": _reconciled,
    "subiteya_alerts": _alerts,
    "subiteya_build_info": _build,
}
