"""The monitor's one document: what `GET /api/monitor/metrics` answers. Names and order are part of the contract."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils import timezone

from insights.selectors.topics import Leader, topic_leaders, topic_leaders_overall
from monitoring.catalogue import METRICS, MetricKind
from monitoring.selectors.accounts import (
    TokenLife,
    account_names,
    accounts_with_failures,
    circuits,
    failed_videos,
    outage_now,
    paused_accounts,
    token_lives,
)
from monitoring.selectors.jobs import Capacity, capacity, jobs_by_kind_and_status, queues, workers_alive
from monitoring.selectors.stages import Stage, processing_seconds
from monitoring.selectors.summaries import sums_since
from monitoring.selectors.videos import (
    Rate,
    first_of,
    publish_success_rate,
    rate_begins,
    recent_failures,
    throughput_of,
    video_status,
)
from monitoring.services.counters import Labels, counters, series_of
from publishing.states import JobKind, JobStatus

SCHEMA_VERSION = 1
DEFAULT_DAYS, MAX_DAYS = 7, 90


@dataclass(frozen=True)
class Document:
    """`body` is JSON; `etag` stays the same while nothing but the clock moves."""

    body: dict[str, Any]
    etag: str


def metrics_document(days: int = DEFAULT_DAYS) -> Document:
    """Everything at once, `days` of daily throughput (1 to 90). Seconds are floats, moments ISO 8601 in UTC."""
    now = timezone.now()
    tokens = token_lives()
    steady = _steady(days)
    second = int(now.timestamp())
    body = {
        "schemaVersion": SCHEMA_VERSION,
        "generatedAt": _moment(now),
        **steady,
        "tokens": [{"account": token.account, "expires_in": token.expires_in(second)} for token in tokens],
    }
    return Document(body, _etag(steady, tokens))


def _steady(days: int) -> dict[str, Any]:
    """What changes only when something happens."""
    sums = sums_since(min(first_of(days), rate_begins()))
    jobs = jobs_by_kind_and_status(sums)
    stages = processing_seconds()
    failed, paused, names = failed_videos(), paused_accounts(), account_names()
    workers = workers_alive()
    return {
        "videoStatus": video_status(sums),
        "jobsByStatus": {status: sum(jobs[kind, status] for kind in JobKind.values) for status in JobStatus.values},
        "jobsByType": {kind: sum(jobs[kind, status] for status in JobStatus.values) for kind in JobKind.values},
        "dailyThroughput": [asdict(day) | {"day": day.day.isoformat()} for day in throughput_of(sums, days)],
        "accountsWithFailures": [
            {
                "account": row.account, "failures7d": row.failures7d, "failuresLastHour": row.failures_last_hour,
                "countedLastHour": row.counted_last_hour, "breaker": row.breaker,
            }
            for row in accounts_with_failures(failed=failed, paused=paused, names=names)
        ],
        "recentFailures": [
            {
                "video": row.video, "account": row.account, "status": row.status, "cause": row.code,
                "sentence": row.sentence, "traceId": row.trace_id, "when": _moment(row.when),
            }
            for row in recent_failures()
        ],
        "topicLeaders": _topics(),
        "processedLast24h": stages["total"].count,
        "failedLast24h": sum(row.day for row in failed.values()),
        "averageProcessingSeconds": _seconds(stages["total"].average),
        "processingSeconds": {name: _stage(stage) for name, stage in stages.items()},
        "publish_success_rate": _rates(publish_success_rate(sums=sums)),
        "active_jobs": _capacity(capacity(workers=workers)),
        "runtime": _runtime(workers, circuits(paused, len(names))),
    }  # fmt: skip


def _topics() -> dict[str, Any]:
    """Every sector's name, and `overall`, with what is used most."""
    found = topic_leaders() | {"overall": topic_leaders_overall()}
    return {sector: [_topic(leader) for leader in leaders] for sector, leaders in found.items()}


def _topic(leader: Leader) -> dict[str, Any]:
    return {
        "topic": leader.topic, "hashtag": leader.hashtag, "videos": leader.videos, "accounts": leader.accounts,
        "counted": leader.counted, "aboveMedian": leader.hits, "lastDay": leader.last_day.isoformat(),
    }  # fmt: skip


def _rates(rates: dict[str, Rate]) -> dict[str, Any]:
    shown = {
        name: {"rate": rate.rate, "published": rate.published, "ended": rate.ended} for name, rate in rates.items()
    }
    return {"overall": shown.pop("all"), "bySubtitles": shown}


def _capacity(found: Capacity) -> dict[str, Any]:
    return {"now": found.now, "peak30d": found.peak30d, "share": found.share, "capacity": found.capacity}


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "count": stage.count, "average": _seconds(stage.average), "p50": _seconds(stage.p50),
        "p95": _seconds(stage.p95),
    }  # fmt: skip


def _runtime(workers: dict[str, int], circuits_now: dict[str, int]) -> dict[str, Any]:
    """Every counter of `/metrics`, and the gauges of the moment that have no place of their own above."""
    found = counters()
    waiting = queues()
    return {
        "counters": {
            metric.name: _counter(metric.name, series_of(metric.name, found))
            for metric in METRICS.values() if metric.kind is MetricKind.COUNTER
        },
        "queued_jobs": {kind: count for kind, (count, _age) in waiting.items()},
        "workers": workers,
        "circuits": circuits_now,
        "tiktok_outage": outage_now(),
    }  # fmt: skip


def _counter(name: str, series: dict[Labels, float]) -> dict[str, Any]:
    """The total, and the series that are not 0."""
    names = list(METRICS[name].labels)
    parts = [dict(zip(names, labels, strict=True)) | {"value": value} for labels, value in series.items() if value]
    return {"total": sum(series.values()), "series": parts if names else []}


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _etag(steady: dict[str, Any], tokens: list[TokenLife]) -> str:
    """Of what is told; of the tokens when they end, which stays while the clock moves."""
    told = hashlib.sha256(orjson.dumps(steady, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS))
    told.update(repr(list(map(tuple, tokens))).encode())
    return f'"{told.hexdigest()[:32]}"'
