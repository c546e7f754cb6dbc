"""`/metrics`: for keys that may scrape, without a side effect, equal to the JSON to the digit."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as exposition

from accounts.models import OAuthToken
from monitoring.catalogue import METRICS, TOKEN_SERIES_MAX, MetricKind
from monitoring.models import KeyScope
from monitoring.selectors.document import metrics_document
from monitoring.services.counters import Tally, counters_fold
from monitoring.services.keeping import keep_house
from publishing.models import Leadership, WorkerHeartbeat
from publishing.services.reconcile import reconcile_tick
from publishing.states import VideoStatus
from tests.factories import AdminFactory, JobFactory, TikTokAccountFactory, VideoFactory
from tests.monitoring.conftest import verified, with_key

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape() -> str:
    answer = with_key(KeyScope.METRICS).get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


def samples(text: str) -> Samples:
    """(name, sorted labels) → value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in exposition(text)
        for sample in family.samples
    }


def story(ended: Any) -> None:
    """Some of everything."""
    ended(VideoStatus.POSTED)
    ended(VideoStatus.FAILED_UPLOAD)
    VideoFactory(status=VideoStatus.HELD)
    JobFactory(run_at=NOON - timedelta(minutes=3))
    WorkerHeartbeat.objects.create(name="a", kind="edit", host="h", pid=1, started_at=NOON, seen_at=NOON)
    Leadership.objects.create(name="reconciler", owner="h:1", until=NOON)
    Tally().count("tiktok_api_failures_total", "upload", "unavailable", by=3).count("videos_total", "posted").count(
        "subiteya_uploaded_bytes_total", by=1_234_567
    ).observe("tiktok_api_request_duration_seconds", "upload", seconds=0.07).write()
    counters_fold()
    Tally().count("tiktok_api_failures_total", "upload", "unavailable").write()


@pytest.mark.parametrize("scope", [KeyScope.MONITOR, KeyScope.ALERTS])
def test_it_is_closed_without_its_own_key(administrator: Client, scope: KeyScope) -> None:
    for client in (Client(), administrator, with_key(scope)):
        answer = client.get("/metrics")

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
    assert Client().post("/metrics").status_code == 405


def test_it_exports_the_whole_catalogue_and_nothing_else_of_ours(ended: Any) -> None:
    with time_machine.travel(NOON, tick=False):
        story(ended)
        found = {name for name, _labels in samples(scrape())}

    wanted = {
        name + ending
        for name, metric in METRICS.items()
        for ending in (("_bucket", "_sum", "_count") if metric.kind is MetricKind.HISTOGRAM else ("",))
    }
    assert wanted <= found
    assert not [name for name in found - wanted if not name.startswith(("django_", "python_", "process_"))]


def test_it_has_every_series_from_the_first_scrape() -> None:
    """A counter that appears with its first event has no growth that Prometheus could see."""
    found = samples(scrape())

    for name, metric in METRICS.items():
        if metric.kind is MetricKind.COUNTER:
            for labels in metric.series:
                assert found[name, tuple(sorted(zip(metric.labels, labels, strict=True)))] == 0


def test_it_agrees_with_the_json_to_the_digit(ended: Any) -> None:
    with time_machine.travel(NOON, tick=False):
        story(ended)
        found, body = samples(scrape()), metrics_document().body

    for name, counter in body["runtime"]["counters"].items():
        series = {labels: value for (metric, labels), value in found.items() if metric == name}
        assert sum(series.values()) == counter["total"], name
        for row in counter["series"]:
            value = row.pop("value")
            assert series[tuple(sorted(row.items()))] == value
    for status, count in body["videoStatus"].items():
        assert found["subiteya_videos", (("status", status),)] == count
    for variant, rate in body["publish_success_rate"]["bySubtitles"].items():
        assert found.get(("publish_success_rate", (("subtitles", variant),))) == rate["rate"]
    assert found["publish_success_rate", (("subtitles", "all"),)] == body["publish_success_rate"]["overall"]["rate"]
    for token in body["tokens"]:
        for kind, seconds in token["expires_in"].items():
            labels = (("account", token["account"]), ("token", kind))
            assert int(found["tiktok_token_expiry_timestamp_seconds", labels] - NOON.timestamp()) == seconds
    for kind, count in body["runtime"]["queued_jobs"].items():
        assert found["queued_jobs", (("queue", kind),)] == count
    assert sum(v for (name, _), v in found.items() if name == "active_jobs") == body["active_jobs"]["now"]
    assert found["active_jobs_peak", ()] == body["active_jobs"]["peak30d"]
    assert found["oldest_queued_age_seconds", (("queue", "edit"),)] == 180
    assert found["held_videos", ()] == 1


def test_it_has_no_side_effect(ended: Any) -> None:
    story(ended)
    client = with_key(KeyScope.METRICS)

    with CaptureQueriesContext(connection) as captured:
        client.get("/metrics")

    assert not [query["sql"] for query in captured if not query["sql"].lstrip("(").startswith("SELECT")]


def test_it_asks_the_same_however_many_videos_there_are(ended: Any) -> None:
    client = with_key(KeyScope.METRICS)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/metrics")
        return len(captured)

    story(ended)
    few = asked()
    for _turn in range(4):
        ended(VideoStatus.POSTED)
        ended(VideoStatus.REJECTED)

    assert asked() == few < 25


def test_it_names_accounts_only_while_they_are_few() -> None:
    account = TikTokAccountFactory()
    OAuthToken.objects.filter(account=account).update(refresh_expires_at=NOON)
    per_account = "tiktok_token_expiry_timestamp_seconds"
    assert [name for name, _labels in samples(scrape())].count(per_account) == 2

    TikTokAccountFactory.create_batch(TOKEN_SERIES_MAX)
    found = samples(scrape())

    assert [name for name, _labels in found].count(per_account) == 0
    assert found["tiktok_token_earliest_expiry_timestamp_seconds", (("token", "refresh"),)] == NOON.timestamp()


def test_it_speaks_openmetrics_too(ended: Any) -> None:
    story(ended)

    answer = with_key(KeyScope.METRICS).get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )

    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert {family.name for family in openmetrics(answer.content.decode())} >= {"active_jobs", "videos"}


def test_it_says_when_the_last_round_of_the_scheduler_was() -> None:
    with time_machine.travel(NOON, tick=False):
        reconcile_tick()
        keep_house()

        assert samples(scrape())["reconciler_last_run_timestamp_seconds", ()] == NOON.timestamp()


def test_it_is_no_page_for_people() -> None:
    assert verified(AdminFactory()).get("/metrics").status_code == 401


@pytest.mark.integration
def test_it_pleases_promtool(ended: Any) -> None:
    story(ended)

    check = subprocess.run(
        ["promtool", "check", "metrics"], input=scrape(), capture_output=True, text=True, timeout=30, check=False
    )

    ours = [line for line in check.stderr.splitlines() if not line.startswith(("django_", "python_", "process_"))]
    assert check.returncode in {0, 3}, check.stderr
    assert ours == []
