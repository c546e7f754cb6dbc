"""What each alert sees in the rows, and what it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import OAuthToken, TikTokAccount
from monitoring.alerts.rules import BY_NAME, RULES
from monitoring.models import DailyPeak
from publishing.models import AccountCircuit, Leadership, TikTokOutage, VideoEvent, WorkerHeartbeat
from publishing.states import JobStatus, VideoStatus
from tests.factories import JobFactory, TikTokAccountFactory, VideoFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


def seen(name):
    return list(BY_NAME[name].look(timezone.now()))


def work(jobs):
    for _job in range(jobs):
        JobFactory(status=JobStatus.RUNNING, lease_until=timezone.now() + timedelta(minutes=1))


def test_it_sees_nothing_where_nothing_is_wrong():
    TikTokAccountFactory()
    assert [rule.name for rule in RULES if rule.look and list(rule.look(timezone.now()))] == []


@pytest.mark.parametrize(("failures", "fires"), [(3, False), (4, True)])
def test_it_counts_failures_exactly(fail, failures, fires):
    fail(failures)
    assert bool(seen("TikTokApiFailuresBurst")) is fires


def test_it_forgets_a_failure_that_is_five_minutes_old(fail):
    fail(3)
    fail(ago=timedelta(minutes=5))
    assert not seen("TikTokApiFailuresBurst")
    fail(ago=timedelta(minutes=5) - timedelta(microseconds=1), account=TikTokAccountFactory(username="luna"))
    (found,) = seen("TikTokApiFailuresBurst")
    assert (found.value, found.detail["accounts"]) == (4, "@luna")


@pytest.mark.parametrize(
    ("jobs", "peak", "fires"),
    [(1, 0, False), (4, 0, False), (5, 0, True), (8, 10, False), (9, 10, True), (4, 2, False)],
)
def test_it_compares_active_jobs_with_the_peak_and_its_floor(jobs, peak, fires):
    DailyPeak.objects.create(day=timezone.localdate() - timedelta(days=20), active_jobs=peak)
    DailyPeak.objects.create(day=timezone.localdate() - timedelta(days=31), active_jobs=100)
    work(jobs)
    assert bool(seen("ActiveJobsNearPeak")) is fires


def test_it_says_what_there_are_hands_for():
    work(5)
    (found,) = seen("ActiveJobsNearPeak")
    assert found.detail == {"jobs": 5, "peak": 5, "capacity": 3}


def test_it_warns_of_refresh_tokens_only_and_by_account():
    now = timezone.now()
    luna, sol, old = (TikTokAccountFactory(username=name) for name in ("luna", "sol", "old"))
    OAuthToken.objects.filter(account=luna).update(expires_at=now + timedelta(minutes=1))
    OAuthToken.objects.filter(account__in=[sol, old]).update(refresh_expires_at=now + timedelta(hours=47, minutes=30))
    TikTokAccount.objects.filter(pk=old.pk).update(status="disconnected")
    (found,) = seen("TikTokTokenExpiresSoon")
    assert (found.account_id, found.labels, found.detail["hours"]) == (sol.pk, {"account": "sol"}, 47)


def test_it_sees_each_account_that_takes_no_uploads():
    now = timezone.now()
    states = {"closed": {}, "open": {"open_until": now}, "half_open": {"probe_until": now},
              "isolated": {"isolated_code": "by_person"}}  # fmt: skip
    for state, fields in states.items():
        AccountCircuit.objects.create(account=TikTokAccountFactory(username=state), state=state, **fields)
    assert [found.labels["account"] for found in seen("CircuitOpen")] == ["open", "half_open", "isolated"]


def test_it_sees_an_outage_while_it_lasts():
    row = TikTokOutage.objects.create(opened_at=timezone.now(), accounts=4)
    assert seen("TikTokOutage")[0].detail == {"accounts": 4}
    TikTokOutage.objects.filter(pk=row.pk).update(closed_at=timezone.now())
    assert not seen("TikTokOutage")


@pytest.mark.parametrize(("minutes", "fires"), [(15, False), (16, True)])
def test_it_sees_a_job_that_waits_for_too_long(minutes, fires):
    JobFactory(run_at=timezone.now() - timedelta(minutes=minutes))
    found = seen("OldestQueuedTooOld")
    assert [one.labels for one in found] == ([{"queue": "edit"}] if fires else [])


def test_it_sees_a_scheduler_that_fell_silent(clock):
    clock.shift(60)
    assert not seen("ReconcilerStalled")
    clock.shift(1)
    assert seen("ReconcilerStalled")[0].detail == {"seconds": 61}
    Leadership.objects.all().delete()
    assert not seen("ReconcilerStalled")


def test_it_sees_kinds_without_a_living_process(clock):
    clock.shift(61)
    WorkerHeartbeat.objects.filter(kind="upload").update(seen_at=timezone.now())
    assert [found.labels["kind"] for found in seen("WorkerMissing")] == ["edit", "scheduler"]


def test_it_counts_unconfirmed_videos_by_account():
    luna = TikTokAccountFactory(username="luna")
    for _video in range(2):
        VideoFactory(account=luna, status=VideoStatus.UNCONFIRMED)
    (found,) = seen("VideosUnconfirmed")
    assert (found.value, found.account_id, found.detail) == (2, luna.pk, {"account": "@luna", "count": 2})


def ends(posted, failed, ago=timedelta(0)):
    video, at = VideoFactory(), timezone.now() - ago
    for status in [VideoStatus.POSTED] * posted + [VideoStatus.REJECTED] * failed:
        VideoEvent.objects.create(video=video, old=VideoStatus.VERIFYING, new=status, at=at)
    VideoEvent.objects.create(video=video, old=VideoStatus.REJECTED, new=VideoStatus.REJECTED, at=at)


@pytest.mark.parametrize(
    ("posted", "failed", "fires"), [(2, 8, True), (3, 7, False), (0, 9, False), (1, 8, False), (100, 0, False)]
)
def test_it_burns_fast_above_its_share_and_its_volume(posted, failed, fires):
    ends(posted, failed)
    assert bool(seen("PublishSuccessBurnsFast")) is fires


def test_it_does_not_burn_for_what_is_mended():
    ends(0, 20, ago=timedelta(minutes=30))
    ends(2, 0)
    assert not seen("PublishSuccessBurnsFast")


def test_it_sees_a_slow_burn_over_days():
    ends(80, 10, ago=timedelta(days=2))
    ends(9, 1)
    assert [rule.name for rule in RULES if rule.look and list(rule.look(timezone.now()))] == [
        "PublishSuccessBelowTarget"
    ]
