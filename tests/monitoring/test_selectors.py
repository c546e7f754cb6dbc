"""The monitor's figures, each against rows that were made for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone, translation

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from monitoring.models import DailyPeak, TikTokFailure
from monitoring.selectors.accounts import accounts_with_failures, circuits, failed_videos, live_tokens, token_lives
from monitoring.selectors.jobs import active_jobs, capacity, queues, workers_alive
from monitoring.selectors.stages import percentile, processing_seconds
from monitoring.selectors.videos import (
    Day,
    Rate,
    daily_throughput,
    publish_success_rate,
    recent_failures,
    video_status,
)
from monitoring.services.keeping import PRUNE_AT_ONCE, keep_house, peak_record, prune
from publishing.models import AccountCircuit, CircuitEvent, Video, VideoEvent, WorkerHeartbeat
from publishing.states import CircuitState, JobKind, JobStatus, SubtitleChoice, UploadState, VideoStatus
from tests.factories import JobFactory, TikTokAccountFactory, UploadSessionFactory, VideoFactory

pytestmark = pytest.mark.django_db
Ended = Callable[..., Video]
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 12:00 in Buenos Aires


@pytest.fixture(autouse=True)
def noon() -> object:
    with time_machine.travel(NOON, tick=False):
        yield


def test_it_counts_videos_by_status_with_zeros() -> None:
    VideoFactory.create_batch(2, status=VideoStatus.UPLOADING)

    found = video_status()

    assert list(found) == list(VideoStatus.values)
    assert found["uploading"] == 2
    assert sum(found.values()) == 2


def test_it_draws_the_days_in_the_agencys_zone(ended: Ended) -> None:
    """02:59 UTC is still yesterday in Buenos Aires."""
    ended(VideoStatus.POSTED, at=datetime(2026, 11, 23, 2, 59, tzinfo=UTC))
    ended(VideoStatus.FAILED_UPLOAD, at=datetime(2026, 11, 23, 3, 0, tzinfo=UTC))

    assert daily_throughput(2) == [Day(date(2026, 11, 22), 1, 1, 0), Day(date(2026, 11, 23), 1, 0, 1)]


def test_it_has_a_row_for_every_day(ended: Ended) -> None:
    ended(VideoStatus.POSTED, at=NOON - timedelta(days=7))

    days = daily_throughput(7)

    assert [row.day.day for row in days] == [17, 18, 19, 20, 21, 22, 23]
    assert not [row for row in days if row.created or row.processed or row.failed]


def test_it_counts_a_video_that_failed_twice_in_a_day_once(ended: Ended) -> None:
    video = ended(VideoStatus.FAILED_UPLOAD)
    VideoEvent.objects.create(
        video=video, old=VideoStatus.UPLOADING, new=VideoStatus.FAILED_UPLOAD, at=NOON - timedelta(hours=1)
    )

    assert daily_throughput(1)[0].failed == 1
    assert [*failed_videos().values()] == [(1, 1, 1)]


def test_it_narrows_to_the_accounts_of_a_person(ended: Ended) -> None:
    mine = ended(VideoStatus.FAILED_UPLOAD)
    ended(VideoStatus.FAILED_UPLOAD)
    ended(VideoStatus.POSTED, account=mine.account)
    accounts = TikTokAccount.objects.filter(pk=mine.account_id)

    assert daily_throughput(1, accounts)[0] == Day(date(2026, 11, 23), 2, 1, 1)
    assert publish_success_rate(accounts)["all"] == Rate(1, 2)


def test_it_rates_what_a_video_came_to_in_the_end(ended: Ended) -> None:
    retried = ended(VideoStatus.POSTED, subtitle_variant=SubtitleChoice.NONE)
    VideoEvent.objects.create(
        video=retried, old=VideoStatus.UPLOADING, new=VideoStatus.FAILED_UPLOAD, at=NOON - timedelta(hours=2)
    )
    ended(VideoStatus.REJECTED, subtitle_variant=SubtitleChoice.NONE)
    ended(VideoStatus.CANCELLED)
    ended(VideoStatus.IN_INBOX)
    ended(VideoStatus.POSTED, at=NOON - timedelta(days=31))

    rates = publish_success_rate()

    assert rates["none"] == rates["all"] == Rate(1, 2)
    assert rates["auto"].rate is None


def test_it_lists_what_is_stuck_with_its_cause(ended: Ended) -> None:
    old = ended(VideoStatus.FAILED_UPLOAD, at=NOON - timedelta(hours=3), reason_code="unavailable")
    new = ended(VideoStatus.MISSED, reason_code="account_disconnected")
    Video.objects.filter(pk=ended(VideoStatus.FAILED_EDIT).pk).update(status=VideoStatus.PENDING)

    with translation.override("es"):
        failures = recent_failures()

    assert [failure.video for failure in failures] == [new.pk, old.pk]
    assert failures[0].sentence == f"{new.account} se desconectó de TikTok."
    assert failures[1].trace_id == old.trace_id


def test_it_counts_only_work_whose_worker_lives() -> None:
    JobFactory(kind=JobKind.EDIT, status=JobStatus.RUNNING, lease_until=NOON + timedelta(seconds=9))
    JobFactory(kind=JobKind.EDIT, status=JobStatus.RUNNING, lease_until=NOON - timedelta(seconds=1))
    JobFactory(kind=JobKind.UPLOAD, status=JobStatus.PROCESSING)

    assert active_jobs() == {"edit": 1, "upload": 0}


def test_it_says_how_long_the_oldest_due_job_has_waited() -> None:
    JobFactory(kind=JobKind.UPLOAD, run_at=NOON - timedelta(minutes=5))
    JobFactory(kind=JobKind.UPLOAD, run_at=NOON - timedelta(minutes=2))
    JobFactory(kind=JobKind.UPLOAD, run_at=NOON + timedelta(minutes=2))

    assert queues() == {"edit": (0, 0.0), "upload": (2, 300.0)}


def test_it_remembers_the_peak_of_the_day() -> None:
    jobs = JobFactory.create_batch(3, status=JobStatus.RUNNING, lease_until=NOON + timedelta(minutes=1))
    peak_record()
    jobs[0].delete()
    peak_record()

    assert DailyPeak.objects.get().active_jobs == 3
    assert (capacity().now, capacity().peak30d, capacity().share) == (2, 3, pytest.approx(2 / 3))


def test_it_takes_the_peak_of_the_last_thirty_days_only() -> None:
    DailyPeak.objects.create(day=date(2026, 10, 24), active_jobs=9)
    DailyPeak.objects.create(day=date(2026, 10, 25), active_jobs=5)

    assert capacity().peak30d == 5


def test_it_has_no_share_without_a_history() -> None:
    assert capacity().share is None


def test_it_counts_the_workers_that_live() -> None:
    seen = {"host": "h", "pid": 1, "started_at": NOON}
    WorkerHeartbeat.objects.create(name="a", kind="edit", seen_at=NOON - timedelta(seconds=59), **seen)
    WorkerHeartbeat.objects.create(name="b", kind="edit", seen_at=NOON - timedelta(seconds=61), **seen)
    WorkerHeartbeat.objects.create(name="c", kind="scheduler", seen_at=NOON, **seen)

    assert workers_alive() == {"edit": 1, "upload": 0, "host": 0, "scheduler": 1}
    assert capacity().capacity == 1


def test_it_lists_accounts_in_trouble_the_worst_first(ended: Ended) -> None:
    week = ended(VideoStatus.FAILED_UPLOAD, at=NOON - timedelta(days=2)).account
    hour = ended(VideoStatus.FAILED_UPLOAD, at=NOON - timedelta(minutes=2)).account
    ended(VideoStatus.FAILED_UPLOAD, at=NOON - timedelta(days=8))
    ended(VideoStatus.POSTED)
    paused = TikTokAccountFactory()
    AccountCircuit.objects.create(account=paused, state=CircuitState.OPEN, open_until=NOON)
    for minute in (5, 70):
        CircuitEvent.objects.create(
            account=paused, kind="failure_recorded", old="closed", new="closed", counted=True,
            at=NOON - timedelta(minutes=minute),
        )  # fmt: skip

    rows = accounts_with_failures()

    assert [row.account for row in rows] == [paused.username, hour.username, week.username]
    assert [(row.failures7d, row.failures_last_hour, row.counted_last_hour) for row in rows] == [
        (0, 0, 1), (1, 1, 0), (1, 0, 0),
    ]  # fmt: skip
    assert [row.breaker for row in rows] == ["open", "closed", "closed"]


def test_it_counts_accounts_without_a_circuit_as_closed() -> None:
    AccountCircuit.objects.create(
        account=TikTokAccountFactory(), state=CircuitState.ISOLATED, isolated_code="by_person"
    )
    TikTokAccountFactory.create_batch(2)

    assert circuits() == {"closed": 2, "open": 0, "half_open": 0, "isolated": 1}


def test_it_tells_the_life_of_the_tokens_of_connected_accounts() -> None:
    soon, late = TikTokAccountFactory(), TikTokAccountFactory()
    OAuthToken.objects.filter(account=soon).update(
        expires_at=NOON - timedelta(hours=1), refresh_expires_at=NOON + timedelta(hours=47)
    )
    lost = TikTokAccountFactory(status=AccountStatus.DISCONNECTED)

    lives = token_lives()

    assert [life.account for life in lives] == [soon.username, late.username]
    assert lives[0].expires_in(int(NOON.timestamp())) == {"access": 0, "refresh": 47 * 3600}
    assert live_tokens()["n"] == 2
    assert live_tokens()["refresh"] == NOON + timedelta(hours=47)
    assert lost.username not in {life.account for life in lives}


def test_it_measures_each_stage_of_the_last_day() -> None:
    JobFactory(status=JobStatus.SUCCEEDED, started_at=NOON - timedelta(seconds=40), finished_at=NOON)
    JobFactory(status=JobStatus.FAILED, started_at=NOON - timedelta(hours=1), finished_at=NOON)
    UploadSessionFactory(
        state=UploadState.COMPLETE, init_at=NOON - timedelta(seconds=30), sent_at=NOON - timedelta(seconds=20),
        settled_at=NOON - timedelta(seconds=5),
    )  # fmt: skip
    video = VideoFactory(status=VideoStatus.POSTED, posted_at=NOON, scheduled_at=NOON - timedelta(minutes=1))
    Video.objects.filter(pk=video.pk).update(created_at=NOON - timedelta(days=2))

    stages = processing_seconds()

    assert {name: (stage.count, stage.average) for name, stage in stages.items()} == {
        "edit": (1, 40), "upload": (1, 10), "verify": (1, 15), "total": (1, 60),
    }  # fmt: skip


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 2.5), (0.95, 3.85), (1, 4)])
def test_it_interpolates_percentiles(share: float, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], share) == pytest.approx(value)


def test_it_has_no_percentile_of_nothing() -> None:
    assert processing_seconds()["edit"].p95 is None


def test_it_forgets_what_is_old_and_keeps_what_is_not() -> None:
    for days in (91, 89):
        TikTokFailure.objects.create(
            at=NOON - timedelta(days=days), endpoint="upload", reason="unavailable", code="x", seconds=1
        )
    DailyPeak.objects.create(day=date(2025, 1, 1), active_jobs=1)

    assert prune() == 2
    assert TikTokFailure.objects.count() == 1


def test_it_forgets_more_than_one_batch_at_a_time() -> None:
    old = {"at": NOON - timedelta(days=91), "endpoint": "upload", "reason": "unavailable", "code": "x", "seconds": 1}
    TikTokFailure.objects.bulk_create(TikTokFailure(**old) for _row in range(PRUNE_AT_ONCE + 5))

    assert prune() == PRUNE_AT_ONCE + 5
    assert not TikTokFailure.objects.exists()


def test_it_keeps_house_however_often_it_is_asked() -> None:
    keep_house()
    keep_house()

    assert DailyPeak.objects.get().day == timezone.localdate()
