"""The circuit's rules, one by one: what counts, when it opens, who may try, who may end it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from publishing.errors import NotPossible
from publishing.models import AccountCircuit, CircuitEvent, CircuitEventKind, Job, TikTokOutage, Video
from publishing.services import circuits
from publishing.services.circuits import (
    AFTER_OUTAGE,
    LONGEST_COOL_DOWN,
    PROBE_AGAIN,
    PROBE_LEASE,
    NotPermitted,
    Permit,
    circuit_failed,
    circuit_give_back,
    circuit_isolate,
    circuit_of,
    circuit_permit,
    circuit_probe_now,
    circuit_proved,
    circuit_release,
    circuit_renew,
    circuit_reset,
    cool_down,
)
from publishing.services.jobs import job_create
from publishing.services.reconcile import probe_wake
from publishing.states import CircuitState, JobKind, JobStatus, VideoStatus
from subiteya.tiktok import FailureClass
from tests.factories import TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
UNCOUNTED = [FailureClass.NEUTRAL, FailureClass.CONTENT, FailureClass.QUOTA]


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(db):
    return TikTokAccountFactory()


def upload(account, **fields) -> Job:
    """A waiting upload of the account."""
    video = VideoFactory(account=account, status=VideoStatus.EDITED, **fields)
    return job_create(video=video, kind=JobKind.UPLOAD)


def fail(account, times=1, *, kind=FailureClass.COUNT, code="internal_error", token=0) -> None:
    """Each time the attempt of another upload, which is over afterwards."""
    for _time in range(times):
        job = Job.objects.create(
            video=VideoFactory(account=account), kind=JobKind.UPLOAD, status=JobStatus.FAILED, run_at=timezone.now()
        )
        circuit_failed(job=job, code=code, failure_class=kind, token=token)


def state(account) -> str:
    return circuit_of(account).state


def probe(job: Job) -> Permit:
    return circuit_permit(job=job, owner="host:1")


def opened(account, clock) -> AccountCircuit:
    """The account's circuit, open, at the end of its pause."""
    fail(account, 3)
    clock.move_to(circuit_of(account).open_until)
    return circuit_of(account)


# What counts


def test_it_opens_at_the_third_counted_failure(account, clock):
    fail(account, 2)
    assert state(account) == CircuitState.CLOSED

    fail(account)

    circuit = circuit_of(account)
    assert (circuit.state, circuit.last_failure_code, circuit.level) == (CircuitState.OPEN, "internal_error", 0)
    kinds = CircuitEvent.objects.filter(account=account).values_list("kind", flat=True)
    assert sorted(kinds) == ["failure_recorded"] * 3 + ["opened"]


def test_it_counts_what_lies_within_the_last_hour_only(account, clock):
    fail(account)
    clock.shift(timedelta(hours=1))
    fail(account, 2)
    assert state(account) == CircuitState.CLOSED  # the first is exactly an hour old: out

    clock.move_to(NOON + timedelta(hours=2) - timedelta(seconds=1))
    fail(account)
    assert state(account) == CircuitState.OPEN  # the two are a second short of an hour: in


def test_it_does_not_forget_failures_because_of_a_success_in_between(account, clock):
    fail(account, 2)
    probe(upload(account))  # an ordinary permit, whose work goes well

    fail(account)

    assert state(account) == CircuitState.OPEN


@pytest.mark.parametrize("kind", UNCOUNTED)
def test_it_neither_counts_nor_resets_what_says_nothing_about_the_account(account, clock, kind):
    fail(account, 2)
    fail(account, 9, kind=kind, code="rate_limit_exceeded")
    assert state(account) == CircuitState.CLOSED

    fail(account)

    assert state(account) == CircuitState.OPEN


def test_it_counts_an_attempt_once_however_many_of_its_calls_failed(account, clock):
    job = upload(account)
    for _time in range(5):
        circuit_failed(job=job, code="internal_error", failure_class=FailureClass.COUNT)
    assert state(account) == CircuitState.CLOSED

    with pytest.raises(IntegrityError), transaction.atomic():
        CircuitEvent.objects.create(account=account, kind="failure_recorded", old="", new="", job=job,
                                    attempt=job.attempt, counted=True, at=timezone.now())  # fmt: skip


def test_it_leaves_other_accounts_alone(account, clock):
    other = TikTokAccountFactory()
    fail(other, 2)
    fail(account, 3)

    assert (state(account), state(other)) == (CircuitState.OPEN, CircuitState.CLOSED)


@pytest.mark.parametrize("code", ["access_token_invalid", "auth_removed", "spam_risk_user_banned_from_posting"])
def test_it_sets_an_account_apart_at_the_first_refusal_of_its_rights(account, clock, code):
    fail(account, kind=FailureClass.AUTH, code=code)

    circuit = circuit_of(account)
    assert (circuit.state, circuit.isolated_code, circuit.open_until) == (CircuitState.ISOLATED, code, None)
    clock.shift(timedelta(days=30))
    with pytest.raises(NotPermitted):
        probe(upload(account))


# How long


def test_it_doubles_the_pause_with_each_failed_try_up_to_six_hours(settings):
    assert [cool_down(level) / timedelta(minutes=15) for level in range(6)] == [1, 2, 4, 8, 16, 24]
    assert cool_down(1000) == LONGEST_COOL_DOWN == timedelta(hours=6)


def test_it_varies_the_pause_by_a_tenth(account, clock):
    lengths = set()
    for _time in range(40):
        other = TikTokAccountFactory()
        fail(other, 3)
        lengths.add((circuit_of(other).open_until - NOON) / cool_down(0))
    assert 0.9 <= min(lengths) < max(lengths) <= 1.1


def test_it_forgets_a_failed_try_per_hour_of_quiet_publishing(account, clock):
    AccountCircuit.objects.create(account=account, level=5, closed_at=NOON)
    clock.move_to(NOON + timedelta(hours=2, minutes=59))

    fail(account)
    assert circuit_of(account).level == 3

    clock.shift(timedelta(minutes=59))
    fail(account)
    assert circuit_of(account).level == 3


# The try


def test_it_lets_nothing_through_before_the_end_of_the_pause(account, clock):
    fail(account, 3)
    job = upload(account)
    until = circuit_of(account).open_until
    clock.move_to(until - timedelta(seconds=1))

    with pytest.raises(NotPermitted) as refusal:
        probe(job)

    assert (refusal.value.code, refusal.value.until) == ("circuit_open", until)
    assert refusal.value.detail["failures"] == 3


def test_it_lets_one_try_through_then(account, clock):
    opened(account, clock)
    first, second = upload(account), upload(account)

    with pytest.raises(NotPermitted):
        probe(second)  # not the first in the account's order
    permit = probe(first)
    with pytest.raises(NotPermitted):
        probe(first)

    assert permit.token == 1
    assert state(account) == CircuitState.HALF_OPEN


def test_it_decides_by_one_statement_whatever_a_worker_has_read(account, clock):
    circuit = opened(account, clock)
    AccountCircuit.objects.filter(pk=account.pk).update(open_until=timezone.now() + timedelta(minutes=1))

    with pytest.raises(NotPermitted):
        circuits._probe(circuit, upload(account), "host:1", timezone.now())

    assert circuit_of(account).probe_token == 0


def test_it_closes_and_sends_the_held_ones_on_once_the_try_went_through(account, clock):
    first, second = upload(account), upload(account)
    opened(account, clock)
    assert {job.status for job in Job.objects.filter(pk__in=[first.pk, second.pk])} == {JobStatus.HELD}
    probe_wake(circuit_of(account))
    first.refresh_from_db()
    permit = probe(first)

    assert circuit_proved(permit, job=first)

    assert state(account) == CircuitState.CLOSED
    second.refresh_from_db()
    assert (second.status, second.video.status, second.attempt) == (JobStatus.QUEUED, VideoStatus.EDITED, 1)


def test_it_opens_again_for_longer_when_the_try_fails(account, clock):
    opened(account, clock)
    job = upload(account)
    permit = probe(job)

    circuit_failed(job=job, code="internal_error", failure_class=FailureClass.COUNT, token=permit.token)

    circuit = circuit_of(account)
    assert (circuit.state, circuit.level) == (CircuitState.OPEN, 1)
    assert circuit.open_until - timezone.now() > cool_down(0) * 1.1


@pytest.mark.parametrize("kind", [*UNCOUNTED])
def test_it_hands_a_try_back_that_says_nothing_about_the_account(account, clock, kind):
    opened(account, clock)
    job = upload(account)
    permit = probe(job)

    circuit_failed(job=job, code="spam_risk_text", failure_class=kind, token=permit.token)
    circuit_give_back(permit, job=job)

    circuit = circuit_of(account)
    assert (circuit.state, circuit.level) == (CircuitState.OPEN, 0)
    assert circuit.open_until == timezone.now() + PROBE_AGAIN


def test_it_gives_a_silent_try_to_the_next_and_fences_the_first(account, clock):
    opened(account, clock)
    job = upload(account)
    first = probe(job)
    clock.shift(PROBE_LEASE)
    second = probe(job)
    assert second.token == first.token + 1
    before = AccountCircuit.objects.filter(pk=account.pk).values().get()

    assert not circuit_renew(first)
    assert not circuit_proved(first, job=job)
    circuit_give_back(first, job=job)
    circuit_failed(job=job, code="internal", failure_class=FailureClass.COUNT, token=first.token)

    after = AccountCircuit.objects.filter(pk=account.pk).values().get()
    unchanged = before | {name: after[name] for name in ("last_failure_at", "last_failure_code")}
    assert after == unchanged  # heard, but without effect
    assert circuit_renew(second)


def test_it_keeps_a_try_that_is_renewed(account, clock):
    opened(account, clock)
    job = upload(account)
    permit = probe(job)
    for _beat in range(5):
        clock.shift(PROBE_LEASE / 2)
        assert circuit_renew(permit)
    with pytest.raises(NotPermitted):
        probe(job)


def test_it_does_not_extend_the_pause_for_a_failure_that_comes_late(account, clock):
    fail(account, 3)
    before = circuit_of(account).open_until
    clock.shift(timedelta(minutes=5))

    fail(account, 2)

    assert (circuit_of(account).open_until, circuit_of(account).level) == (before, 0)


def test_it_starts_a_new_hour_when_it_closes(account, clock):
    opened(account, clock)
    job = upload(account)
    circuit_proved(probe(job), job=job)
    clock.shift(timedelta(seconds=1))

    fail(account, 2)
    assert state(account) == CircuitState.CLOSED
    fail(account)
    assert state(account) == CircuitState.OPEN


# What waits


def test_it_holds_what_has_not_begun_and_says_until_when(account, clock):
    waiting = upload(account)
    other = upload(TikTokAccountFactory())
    fail(account, 3)

    video = Video.objects.get(pk=waiting.video_id)
    assert (video.status, video.reason_code) == (VideoStatus.HELD, "circuit_open")
    assert video.resume_at == circuit_of(account).open_until
    assert Job.objects.get(pk=other.pk).status == JobStatus.QUEUED


def test_it_leaves_what_was_put_off_to_another_day(account, clock):
    job = upload(account)
    Video.objects.filter(pk=job.video_id).update(status=VideoStatus.DEFERRED)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.WAITING)

    fail(account, 3)

    assert Video.objects.get(pk=job.video_id).status == VideoStatus.DEFERRED


def test_it_pauses_even_when_one_of_the_uploads_was_moved_meanwhile(account, clock):
    moved, waiting = upload(account), upload(account)
    Video.objects.filter(pk=moved.video_id).update(status=VideoStatus.DRAFT)  # from which nothing is held

    fail(account, 3)

    assert state(account) == CircuitState.OPEN
    assert Job.objects.get(pk=moved.pk).status == JobStatus.QUEUED
    assert Job.objects.get(pk=waiting.pk).status == JobStatus.HELD


def test_it_calls_the_oldest_held_upload_and_only_that(account, clock):
    late = upload(account, scheduled_at=NOON)
    early = upload(account, scheduled_at=NOON - timedelta(minutes=5))
    opened(account, clock)

    for _second in range(3):
        probe_wake(circuit_of(account))

    late.refresh_from_db()
    early.refresh_from_db()
    assert (early.status, late.status) == (JobStatus.QUEUED, JobStatus.HELD)


# People


def test_it_stays_apart_until_a_person_releases_it(account, clock):
    ana = UserFactory()
    job = upload(account)
    circuit_isolate(account=account, reason="el cliente lo pidió", actor=ana)
    clock.shift(timedelta(days=3))
    fail(account, 4)
    probe_wake(circuit_of(account))
    assert (state(account), Job.objects.get(pk=job.pk).status) == (CircuitState.ISOLATED, JobStatus.HELD)
    assert Video.objects.get(pk=job.video_id).reason_detail["reason"] == "el cliente lo pidió"

    circuit_release(account=account, reason="ya está", actor=ana)
    probe_wake(circuit_of(account))

    job.refresh_from_db()
    assert probe(job).token == 1
    event = CircuitEvent.objects.filter(kind=CircuitEventKind.RELEASED).get()
    assert (event.actor, event.reason, event.old, event.new) == (ana, "ya está", "isolated", "open")


def test_it_publishes_again_at_once_when_a_person_resets_it(account, clock):
    job = upload(account)
    fail(account, 3)

    circuit_reset(account=account, reason="", actor=None)

    assert (state(account), circuit_of(account).level) == (CircuitState.CLOSED, 0)
    assert Job.objects.get(pk=job.pk).status == JobStatus.QUEUED
    fail(account, 2)
    assert state(account) == CircuitState.CLOSED


def test_it_tries_now_when_a_person_asks(account, clock):
    job = upload(account)
    fail(account, 3)

    circuit_probe_now(account=account, reason="", actor=None)
    probe_wake(circuit_of(account))

    job.refresh_from_db()
    assert probe(job).token == 1


def test_it_refuses_what_the_state_does_not_allow(account, clock):
    for act in (circuit_release, circuit_probe_now):
        with pytest.raises(NotPossible):
            act(account=account, reason="", actor=None)
    circuit_isolate(account=account, reason="x", actor=None)
    for refused in (circuit_isolate, circuit_probe_now):
        with pytest.raises(NotPossible):
            refused(account=account, reason="x", actor=None)


def test_it_fences_a_try_that_a_person_overruled(account, clock):
    opened(account, clock)
    job = upload(account)
    permit = probe(job)

    circuit_isolate(account=account, reason="stop", actor=None)

    assert not circuit_proved(permit, job=job)
    assert state(account) == CircuitState.ISOLATED


# All of TikTok


def test_it_takes_three_paused_accounts_for_one_outage_and_sends_a_canary(clock):
    accounts = TikTokAccountFactory.create_batch(4)
    jobs = {account: upload(account) for account in accounts}
    for account in accounts[:3]:
        fail(account, 3)
    assert TikTokOutage.objects.get().accounts == 3
    fail(accounts[3], 3)
    assert TikTokOutage.objects.count() == 1
    clock.shift(cool_down(0) * 1.2)

    for account in accounts:
        probe_wake(circuit_of(account))

    woken = [account for account in accounts if Job.objects.get(pk=jobs[account].pk).status == JobStatus.QUEUED]
    assert len(woken) == 1
    canary = Job.objects.get(pk=jobs[woken[0]].pk)
    permit = probe(canary)
    for account in accounts:
        if account != woken[0]:
            with pytest.raises(NotPermitted):
                probe(jobs[account])
    assert permit.token


def test_it_lets_the_others_try_soon_after_the_canary(clock, django_capture_on_commit_callbacks):
    accounts = TikTokAccountFactory.create_batch(3)
    for account in accounts:
        upload(account)
        fail(account, 3)
    first = min(accounts, key=lambda account: circuit_of(account).open_until)
    circuit_probe_now(account=first, reason="", actor=None)
    probe_wake(circuit_of(first))
    job = Job.objects.get(video__account=first, status=JobStatus.QUEUED)

    with django_capture_on_commit_callbacks(execute=True):
        circuit_proved(probe(job), job=job)

    assert TikTokOutage.objects.get().closed_at == NOON
    ends = [circuit_of(account).open_until for account in accounts if account != first]
    assert all(NOON <= end <= NOON + AFTER_OUTAGE for end in ends)


def test_it_does_not_take_three_of_many_for_an_outage(clock):
    for account in TikTokAccountFactory.create_batch(4):
        fail(account)
    for account in TikTokAccountFactory.create_batch(3):
        fail(account, 3)
    assert not TikTokOutage.objects.exists()
