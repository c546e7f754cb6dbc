"""Counters are rows: exact, never lost with a rollback, the same before and after folding."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.catalogue import BUCKETS, METRICS, MetricKind
from monitoring.models import CounterDelta, CounterTotal
from monitoring.services.counters import Tally, bucket_of, counters, counters_fold, histogram_of, series_of

pytestmark = pytest.mark.django_db
CALLS = METRICS["tiktok_api_requests_total"]


def test_it_counts_each_series_for_itself() -> None:
    Tally().count("tiktok_api_requests_total", "upload", "ok").count(
        "tiktok_api_requests_total", "upload", "ok", by=2
    ).count("tiktok_api_requests_total", "video_init", "error").write()

    found = series_of("tiktok_api_requests_total", counters())

    assert found["upload", "ok"] == 3
    assert found["video_init", "error"] == 1
    assert sum(found.values()) == 4


def test_it_shows_every_series_from_the_start() -> None:
    found = series_of("tiktok_api_failures_total", counters())

    assert len(found) == len(list(METRICS["tiktok_api_failures_total"].series)) > 100
    assert set(found.values()) == {0.0}


def test_it_counts_nothing_for_an_event_that_was_rolled_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        Tally().count("videos_total", "posted").write()
        raise RuntimeError

    assert series_of("videos_total", counters())[("posted",)] == 0


@pytest.mark.parametrize(
    ("metric", "labels"),
    [("videos_total", ("lost",)), ("videos_total", ()), ("active_jobs", ("edit",)), ("edit_duration_seconds", ())],
)
def test_it_refuses_a_series_that_nobody_would_see(metric: str, labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not in the catalogue"):
        Tally().count(metric, *labels)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.tuples(st.sampled_from(sorted(CALLS.series)), st.integers(1, 5), st.booleans()), max_size=30))
def test_it_sums_the_same_however_often_it_folds(events: list[tuple[tuple[str, str], int, bool]]) -> None:
    CounterDelta.objects.all().delete()
    CounterTotal.objects.all().delete()
    wanted: dict[tuple[str, str], int] = {}
    for labels, by, fold in events:
        Tally().count("tiktok_api_requests_total", *labels, by=by).write()
        wanted[labels] = wanted.get(labels, 0) + by
        if fold:
            counters_fold()

    found = series_of("tiktok_api_requests_total", counters())

    assert {labels: value for labels, value in found.items() if value} == wanted


def test_it_folds_every_delta_once() -> None:
    for _turn in range(3):
        Tally().count("videos_total", "posted").write()

    assert counters_fold() == 3
    assert counters_fold() == 0
    assert not CounterDelta.objects.exists()
    assert CounterTotal.objects.get(metric="videos_total", labels="posted").value == 3


@pytest.mark.parametrize(
    ("seconds", "le"), [(0, "0.01"), (0.01, "0.01"), (0.011, "0.025"), (3600, "3600.0"), (3600.1, "+Inf")]
)
def test_it_puts_a_measurement_into_the_smallest_bucket_that_holds_it(seconds: float, le: str) -> None:
    assert bucket_of(seconds) == le


def test_it_cumulates_a_histogram() -> None:
    for seconds in (0.02, 0.02, 4.0, 9999.0):
        Tally().observe("edit_duration_seconds", seconds=seconds).write()
    counters_fold()
    Tally().observe("edit_duration_seconds", seconds=1.0).write()

    buckets, total = histogram_of("edit_duration_seconds", counters())[()]

    assert dict(buckets)["0.025"] == 2
    assert dict(buckets)["5.0"] == 4
    assert dict(buckets)["+Inf"] == 5
    assert total == pytest.approx(10_004.04)
    assert len(buckets) == len(BUCKETS) + 1


def test_it_keeps_the_number_of_series_small() -> None:
    """Prometheus pays for each; a histogram costs one per bucket."""
    assert sum(
        len(list(metric.series)) * (len(BUCKETS) + 3 if metric.kind is MetricKind.HISTOGRAM else 1)
        for metric in METRICS.values()
    ) < 600  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_it_loses_and_doubles_nothing_while_many_count_and_two_fold() -> None:
    counting, folding, times = 4, 2, 25
    done = threading.Event()

    def count_some() -> None:
        for _turn in range(times):
            Tally().count("videos_total", "posted").write()
        connection.close()

    def fold_until_done() -> None:
        while not done.is_set():
            counters_fold()
        connection.close()

    with ThreadPoolExecutor(counting + folding) as pool:
        folders = [pool.submit(fold_until_done) for _folder in range(folding)]
        counters_ = [pool.submit(count_some) for _counter in range(counting)]
        for counter in counters_:
            counter.result(timeout=60)
        done.set()
        for folder in folders:
            folder.result(timeout=60)

    assert series_of("videos_total", counters())[("posted",)] == counting * times
    counters_fold()
    assert series_of("videos_total", counters())[("posted",)] == counting * times
