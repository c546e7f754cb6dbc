"""The collector behind `/metrics`: every metric of the catalogue, read from the tables at the scrape.

A scrape writes nothing. Whatever process answers it, and whenever, the numbers are those of the rows.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any

import django
from django.db.models import Count, Max
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.catalogue import METRICS, TOKEN_SERIES_MAX, MetricKind
from monitoring.models import Alert, AlertSource
from monitoring.selectors.accounts import circuits, live_tokens, outage_now, token_lives
from monitoring.selectors.jobs import active_jobs, capacity, jobs_by_kind_and_status, queues, workers_alive
from monitoring.selectors.summaries import Counted, sums_since
from monitoring.selectors.videos import publish_success_rate, rate_begins, video_status
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
        found, scrape = counters(), Scrape()
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
                for labels, value in GAUGES[metric.name](scrape):
                    gauge.add_metric(labels, value)
                yield gauge


class Scrape:
    """What several gauges of one scrape are read from: asked once."""

    @cached_property
    def sums(self) -> list[Counted]:
        return sums_since(rate_begins())

    @cached_property
    def videos(self) -> dict[str, int]:
        return video_status(self.sums)

    @cached_property
    def queues(self) -> dict[str, tuple[int, float]]:
        return queues()

    @cached_property
    def active(self) -> dict[str, int]:
        return active_jobs()

    @cached_property
    def tokens(self) -> dict[str, Any]:
        return live_tokens()

    @cached_property
    def workers(self) -> dict[str, int]:
        return workers_alive()


def registry() -> CollectorRegistry:
    """Our tables alone; what django-prometheus measures in the process is added by the view."""
    found = CollectorRegistry(auto_describe=False)
    found.register(TableCollector())
    return found


def _labelled(figures: dict[str, int]) -> Samples:
    yield from (((label,), float(value)) for label, value in figures.items())


def _jobs(scrape: Scrape) -> Samples:
    yield from ((labels, float(count)) for labels, count in jobs_by_kind_and_status(scrape.sums).items())


def _oldest(scrape: Scrape) -> Samples:
    yield from (((kind,), age) for kind, (_count, age) in scrape.queues.items())


def _queued(scrape: Scrape) -> Samples:
    yield from (((kind,), float(count)) for kind, (count, _age) in scrape.queues.items())


def _held(scrape: Scrape) -> Samples:
    yield (), float(scrape.videos[VideoStatus.HELD])


def _rates(scrape: Scrape) -> Samples:
    for variant, rate in publish_success_rate(sums=scrape.sums).items():
        if rate.rate is not None:
            yield (variant,), rate.rate


def _tokens(scrape: Scrape) -> Samples:
    if scrape.tokens["n"] <= TOKEN_SERIES_MAX:
        for life in token_lives():
            yield (life.account, "access"), float(life.access)
            yield (life.account, "refresh"), float(life.refresh)


def _earliest(scrape: Scrape) -> Samples:
    for token in ("access", "refresh"):
        if scrape.tokens[token] is not None:
            yield (token,), scrape.tokens[token].timestamp()


def _beats(_scrape: Scrape) -> Samples:
    rows = WorkerHeartbeat.objects.order_by("kind").values_list("kind").annotate(at=Max("seen_at"))
    yield from (((kind,), at.timestamp()) for kind, at in rows)


def _reconciled(_scrape: Scrape) -> Samples:
    until: datetime | None = Leadership.objects.filter(name="reconciler").values_list("until", flat=True).first()
    if until is not None:
        yield (), (until - LEADERSHIP).timestamp()


def _alerts(_scrape: Scrape) -> Samples:
    open_now = Alert.objects.filter(closed_at=None, source=AlertSource.APP)
    found = dict(open_now.order_by().values_list("severity").annotate(n=Count("pk")))
    return _labelled({severity: found.get(severity, 0) for severity in METRICS["subiteya_alerts"].labels["severity"]})


def _build(_scrape: Scrape) -> Samples:
    yield (__version__, platform.python_version(), django.get_version()), 1.0


GAUGES: dict[str, Callable[[Scrape], Samples]] = {
    "subiteya_videos": lambda scrape: _labelled(scrape.videos),
    "subiteya_jobs": _jobs,
    "active_jobs": lambda scrape: _labelled(scrape.active),
    "queued_jobs": _queued,
    "held_videos": _held,
    "oldest_queued_age_seconds": _oldest,
    "active_jobs_peak": lambda scrape: iter([((), float(capacity(scrape.active, scrape.workers).peak30d))]),
    "publish_success_rate": _rates,
    "tiktok_token_expiry_timestamp_seconds": _tokens,
    "tiktok_token_earliest_expiry_timestamp_seconds": _earliest,
    "subiteya_circuits": lambda _scrape: _labelled(circuits()),
    "tiktok_outage": lambda _scrape: iter([((), float(outage_now()))]),
    "worker_heartbeat_timestamp_seconds": _beats,
    "subiteya_workers": lambda scrape: _labelled(scrape.workers),
    "reconciler_last_run_timestamp_seconds": _reconciled,
    "subiteya_alerts": _alerts,
    "subiteya_build_info": _build,
}
