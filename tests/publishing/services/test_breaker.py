"""The breaker at work, against the sandbox: real uploads that fail, wait, are tried, and go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.services.connections import account_disconnect, account_import
from publishing.models import CircuitEvent, Job, UploadSession, Video
from publishing.services.circuits import PROBE_AGAIN, circuit_isolate, circuit_of, circuit_permit
from publishing.services.jobs import job_claim
from publishing.services.reconcile import reconcile_tick
from publishing.services.runner import job_run
from publishing.states import VIDEO_TERMINAL, CircuitState, JobStatus, UploadState, VideoStatus
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick_parts(settings):
    settings.UPLOAD_PART_PAUSES = (0.01, 0.01)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=True) as traveller:
        yield traveller


def videos(batches) -> list[Video]:
    return [Video.objects.get(batch=batch) for batch in batches]


def run(video: Video) -> Video:
    """The video's job, once."""
    job_run(Job.objects.filter(video=video).latest("pk").pk)
    return reload(video)


def edit(batches) -> list[Video]:
    return [run(video) for video in videos(batches)]


def pause(tiktok, account, uploads) -> None:
    """Three uploads meet a TikTok that has an internal error."""
    tiktok.sandbox.fault("refuse", "init", username=account.username, times=3, http_status=500)
    for video in uploads[:3]:
        run(video)
    assert circuit_of(account).state == CircuitState.OPEN


def calls(tiktok) -> int:
    return len(tiktok.sandbox.ledger())


def go_on(work, uploads, rounds=60) -> set[str]:
    """The scheduler and the workers, until every video has ended."""
    for _round in range(rounds):
        reconcile_tick()
        work(1)
        ends = {reload(video).status for video in uploads}
        if ends <= VIDEO_TERMINAL:
            return ends
    return ends


def test_it_stops_calling_tiktok_after_three_failures_and_goes_on_by_itself(tiktok, connect, submit, work, clock):
    account = connect()
    uploads = edit([submit(account) for _each in range(5)])
    pause(tiktok, account, uploads)
    asked = calls(tiktok)

    assert [run(video).status for video in uploads] == [VideoStatus.HELD] * 5
    assert calls(tiktok) == asked
    clock.move_to(circuit_of(account).open_until + timedelta(seconds=1))

    assert go_on(work, uploads) == {VideoStatus.POSTED}
    assert circuit_of(account).state == CircuitState.CLOSED
    posted = UploadSession.objects.filter(state=UploadState.COMPLETE).order_by("init_at", "pk")
    assert [session.video_id for session in posted] == [video.pk for video in uploads]
    assert [entry["posted"] for entry in tiktok.sandbox.ledger()].count(True) == 5


def test_it_sends_one_video_only_while_it_does_not_know(tiktok, connect, submit, work, clock):
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    pause(tiktok, account, uploads)
    tiktok.sandbox.fault("refuse", "creator_info", username=account.username, times=None, http_status=500)
    level = circuit_of(account).level
    clock.move_to(circuit_of(account).open_until + timedelta(seconds=1))
    asked = calls(tiktok)

    for _round in range(5):
        reconcile_tick()
        work(1)

    circuit = circuit_of(account)
    assert (circuit.state, circuit.level, circuit.probe_token) == (CircuitState.OPEN, level + 1, 1)
    assert calls(tiktok) == asked  # creator info failed first: nothing was started
    assert {reload(video).status for video in uploads} == {VideoStatus.HELD}
    attempts = Job.objects.filter(kind="upload").order_by("video_id").values_list("attempt", flat=True)
    assert list(attempts) == [3, 2, 2]  # the failure that counted, the failed try; waiting costs nothing


def test_it_takes_a_busy_tiktok_for_no_failure_of_the_account(tiktok, connect, submit, clock):
    account = connect()
    uploads = edit([submit(account) for _each in range(4)])
    tiktok.sandbox.fault("refuse", "init", times=4, http_status=429, code="rate_limit_exceeded")

    assert {run(video).status for video in uploads} == {VideoStatus.RETRYING}

    assert circuit_of(account).state == CircuitState.CLOSED
    assert list(CircuitEvent.objects.values_list("kind", flat=True)) == ["ignored_error"] * 4


def test_it_gives_a_try_back_that_meets_a_busy_tiktok(tiktok, connect, submit, work, clock):
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    pause(tiktok, account, uploads)
    clock.move_to(circuit_of(account).open_until + timedelta(seconds=1))
    tiktok.sandbox.fault("refuse", "init", times=1, http_status=429, code="rate_limit_exceeded")
    reconcile_tick()

    work(1)

    circuit = circuit_of(account)
    assert (circuit.state, circuit.level, circuit.probe_token) == (CircuitState.OPEN, 0, 1)
    assert timezone.now() < circuit.open_until <= timezone.now() + PROBE_AGAIN
    clock.shift(PROBE_AGAIN + timedelta(seconds=1))
    assert go_on(work, uploads) == {VideoStatus.POSTED}


def test_it_resumes_the_upload_of_a_try_whose_worker_died(tiktok, connect, submit, work, clock):
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    pause(tiktok, account, uploads)
    clock.move_to(circuit_of(account).open_until + timedelta(seconds=1))
    tiktok.sandbox.fault("drop_before", "chunk", times=1)
    reconcile_tick()
    job = Job.objects.get(status=JobStatus.QUEUED)
    claim = job_claim(job.pk, owner="dead:1")
    circuit_permit(job=claim.job, owner="dead:1")

    clock.shift(timedelta(seconds=125))

    assert go_on(work, uploads) == {VideoStatus.POSTED}
    assert circuit_of(account).probe_token == 2
    assert [entry["posted"] for entry in tiktok.sandbox.ledger()].count(True) == 3


def test_it_sets_an_account_apart_whose_access_was_removed_and_says_how_many_wait(
    tiktok, connect, submit, work, cm
):  # fmt: skip
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    tiktok.sandbox.fault("revoke_account", username=account.username)

    first = run(uploads[0])

    assert (first.status, first.reason_code) == (VideoStatus.FAILED_UPLOAD, "account_disconnected")
    assert circuit_of(account).state == CircuitState.ISOLATED
    assert {reload(video).status for video in uploads[1:]} == {VideoStatus.HELD}
    answer = tiktok.sandbox.mint_tokens(account.username)
    account_import(answer=answer, username=account.username, sector_name="Gastronomía", managers=[cm])
    assert go_on(work, uploads) == {VideoStatus.POSTED}
    assert circuit_of(account).state == CircuitState.CLOSED


def test_it_keeps_an_account_apart_that_a_person_set_apart(tiktok, connect, submit, cm):
    account = connect()
    circuit_isolate(account=account, reason="pausa del cliente", actor=cm)
    answer = tiktok.sandbox.mint_tokens(account.username)
    account_import(answer=answer, username=account.username, sector_name="Gastronomía")
    assert circuit_of(account).state == CircuitState.ISOLATED


def test_it_holds_what_waits_when_a_person_disconnects_the_account(tiktok, connect, submit):
    account = connect()
    [video] = edit([submit(account)])
    account_disconnect(account=account, reason="by_person")
    held = reload(video)
    assert (held.status, held.reason_code) == (VideoStatus.HELD, "account_disconnected")


def test_it_puts_off_the_rest_of_the_day_after_the_first_refusal(tiktok, connect, submit):
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    tiktok.sandbox.fault("cap_reached", "posting", username=account.username, times=1)

    ends = [run(video) for video in uploads]

    assert {video.status for video in ends} == {VideoStatus.DEFERRED}
    assert len({video.resume_at for video in ends}) == 1
    tiktok.sandbox.fault("refuse", "*", times=None)
    assert run(uploads[1]).status == VideoStatus.DEFERRED  # it does not even ask
    assert circuit_of(account).state == CircuitState.CLOSED


def test_it_calls_a_held_video_missed_when_its_hour_is_long_gone(tiktok, connect, submit, clock, settings):
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    Video.objects.update(scheduled_at=timezone.now())
    pause(tiktok, account, uploads)
    clock.shift(timedelta(minutes=40))
    circuit_isolate(account=account, reason="x", actor=None)
    reconcile_tick()
    assert {reload(video).status for video in uploads} == {VideoStatus.HELD}

    clock.shift(timedelta(seconds=settings.HELD_GRACE_SECONDS))
    reconcile_tick()

    assert {reload(video).status for video in uploads} == {VideoStatus.MISSED}


def test_it_counts_a_refusal_that_comes_after_the_upload(tiktok, connect, submit, clock):
    account = connect()
    uploads = edit([submit(account) for _each in range(3)])
    tiktok.sandbox.fault("post_failed", "post", times=3, fail_reason="internal")
    for video in uploads:
        run(video)
    for _round in range(20):
        clock.shift(timedelta(seconds=30))
        for video in uploads:
            if reload(video).status == VideoStatus.VERIFYING:
                run(video)
    assert circuit_of(account).state == CircuitState.OPEN
    assert CircuitEvent.objects.filter(counted=True, code="internal").count() == 3
