"""Any order of uploads, failures, deaths, late answers and people: the circuit keeps its thirteen promises.

TikTok is replaced by the outcome of one attempt, and the clock by ours; everything between is the product's.
The numbers (I1 …) are those of docs/reliability.md.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from publishing.errors import NotPossible
from publishing.models import AccountCircuit, CircuitEvent, Job, Video
from publishing.services import circuits, upload
from publishing.services.circuits import NotPermitted, Permit
from publishing.services.jobs import Claim, job_claim, job_create, job_finish, lane
from publishing.services.moves import video_move
from publishing.services.reconcile import reconcile_tick
from publishing.states import (
    CIRCUIT_ALLOWED,
    JOB_ACTIVE,
    VIDEO_TERMINAL,
    CircuitState,
    JobKind,
    JobStatus,
    VideoStatus,
)
from subiteya.tiktok import ContentRefused, QuotaReached, RateLimited, TikTokUnavailable, TokenInvalid
from tests.factories import TikTokAccountFactory, VideoFactory

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
OUTCOMES: dict[str, Callable[[], Exception] | None] = {
    "ok": None,
    "count": lambda: TikTokUnavailable("internal_error", status=500),
    "neutral": lambda: RateLimited("rate_limit_exceeded", status=429),
    "content": lambda: ContentRefused("spam_risk_text"),
    "quota": lambda: QuotaReached("spam_risk_too_many_posts"),
    "auth": lambda: TokenInvalid("access_token_invalid", status=401),
}
ACCOUNTS = st.integers(0, 1)


@dataclass
class Expected:
    """What one account's circuit must be, worked out from the rule alone."""

    state: str = CircuitState.CLOSED
    level: int = 0
    closed_at: datetime | None = None
    failures: list[datetime] = field(default_factory=list)
    by_person: bool = False

    def fail(self, now: datetime, *, probe: bool) -> None:
        since = max(filter(None, (self.closed_at, self.failures[-1] if self.failures else None)), default=now)
        if self.state == CircuitState.CLOSED:
            self.level = max(0, self.level - int((now - since) / timedelta(hours=1)))
        self.failures.append(now)
        recent = [at for at in self.failures if at > now - timedelta(hours=1) and at > (self.closed_at or START)]
        if probe:
            self.state, self.level = CircuitState.OPEN, self.level + 1
        elif self.state == CircuitState.CLOSED and len(recent) >= 3:
            self.state = CircuitState.OPEN

    def close(self, now: datetime, *, reset: bool = False) -> None:
        self.state, self.closed_at = CircuitState.CLOSED, now
        self.level = 0 if reset else self.level


class CircuitMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(START, tick=False)
        self.traveller = self.clock.start()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.accounts = TikTokAccountFactory.create_batch(2)
        self.expected = [Expected(), Expected()]
        self.tokens = [0, 0]
        self.calls = 0
        self.enqueued: list[int] = []
        self.dead: list[tuple[Claim, Permit]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)
        self.clock.stop()

    # What happens

    @rule(number=ACCOUNTS, minutes=st.none() | st.integers(-60, -1))
    def enqueue(self, number: int, minutes: int | None) -> None:
        due = timezone.now() + timedelta(minutes=minutes) if minutes else None
        video = VideoFactory(account=self.accounts[number], status=VideoStatus.EDITED, scheduled_at=due)
        job_create(video=video, kind=JobKind.UPLOAD)
        self.enqueued.append(video.pk)

    @rule(number=ACCOUNTS, outcome=st.sampled_from(sorted(OUTCOMES)), place=st.integers(0, 2))
    def attempt(self, number: int, outcome: str, place: int) -> None:
        claim = self._claim(number, place)
        if claim is None:
            return
        expected, before = self.expected[number], self._row(number)
        attempt = claim.job.attempt
        called: list[Permit] = []
        upload_run_with(claim, self._work(number, outcome, called))
        if not called:
            after = Job.objects.get(pk=claim.job.pk)
            assert after.attempt == attempt  # I10: waiting costs no attempt
            assert before.state != CircuitState.CLOSED or after.video.status == VideoStatus.DEFERRED
            return
        self.calls += 1
        probe = bool(called[0].token)
        if outcome == "ok" and probe:
            expected.close(timezone.now())
        elif outcome == "count":
            expected.fail(timezone.now(), probe=probe)
        elif outcome == "auth":
            expected.state = CircuitState.ISOLATED
        elif probe:
            expected.state = CircuitState.OPEN
        after = self._row(number)
        if outcome in {"neutral", "content", "quota"}:
            assert after.level == before.level  # I6
            assert (after.state == CircuitState.CLOSED) == (before.state == CircuitState.CLOSED)
        if outcome == "count" and after.state == CircuitState.OPEN and after.opened_at == timezone.now():
            length = after.open_until - timezone.now()
            assert 0.9 <= length / circuits.cool_down(after.level) <= 1.1  # I7

    def _work(self, number: int, outcome: str, called: list[Permit]) -> Callable[..., None]:
        def work(claim: Claim, permit: Permit, session: Any) -> None:
            row = self._row(number)
            assert row.state == (CircuitState.HALF_OPEN if permit.token else CircuitState.CLOSED)  # I2
            if permit.token:
                assert permit.token == row.probe_token == self.tokens[number] + 1  # I3, I4
                self.tokens[number] = permit.token
                assert not self._earlier(claim)  # I9: the oldest tries
            called.append(permit)
            if claim.job.video.status != VideoStatus.UPLOADING:
                video_move(video=claim.job.video, to=VideoStatus.UPLOADING)
            failure = OUTCOMES[outcome]
            if failure:
                raise failure()
            job_finish(claim, to=JobStatus.SUCCEEDED, video_to=VideoStatus.POSTED, posted_at=timezone.now())
            permit.proved = True

        return work

    @rule(number=ACCOUNTS)
    def die(self, number: int) -> None:
        """A worker claims, gets its permit, and is killed."""
        claim = self._claim(number, 0)
        if claim is None:
            return
        try:
            permit = circuits.circuit_permit(job=claim.job, owner=claim.owner)
        except NotPermitted:
            return  # it dies before it can put the upload aside
        if permit.token:
            assert permit.token == self.tokens[number] + 1  # I4
            self.tokens[number] = permit.token
            self.expected[number].state = CircuitState.HALF_OPEN
        self.dead.append((claim, permit))

    @rule(data=st.data())
    def late(self, data: st.DataObject) -> None:
        """The answer of a try that is not its worker's any more."""
        stale = [(c, p) for c, p in self.dead if p.token and self._row_of(p).probe_token > p.token]
        if not stale:
            return
        claim, permit = data.draw(st.sampled_from(stale))
        before = self._circuit_values(permit)
        assert not circuits.circuit_proved(permit, job=claim.job)
        assert not circuits.circuit_renew(permit)
        circuits.circuit_give_back(permit, job=claim.job)
        assert self._circuit_values(permit) == before  # I5

    @rule(minutes=st.sampled_from([1, 2, 5, 16, 33, 61, 240]))
    def wait(self, minutes: int) -> None:
        self.traveller.shift(timedelta(minutes=minutes))
        for video in Video.objects.filter(jobs__status=JobStatus.WAITING):
            Job.objects.filter(video=video, status=JobStatus.WAITING, run_at__lte=timezone.now()).update(
                status=JobStatus.QUEUED
            )

    @rule()
    def reconcile(self) -> None:
        states = [self._row(number).state for number in range(2)]
        reconcile_tick()
        assert [self._row(number).state for number in range(2)] == states  # I11: it wakes, it does not decide

    @rule(number=ACCOUNTS, act=st.sampled_from(["isolate", "release", "reset", "probe_now"]))
    def person(self, number: int, act: str) -> None:
        expected = self.expected[number]
        with suppress(NotPossible):
            getattr(circuits, f"circuit_{act}")(account=self.accounts[number], reason="porque sí", actor=None)
            if act == "isolate":
                expected.state = CircuitState.ISOLATED
            elif act == "release":
                expected.state = CircuitState.OPEN
            elif act == "reset":
                expected.close(timezone.now(), reset=True)

    # What always holds

    @invariant()
    def the_state_is_the_rules(self) -> None:  # I1, I11, I13: the other account's steps never matter
        for number, expected in enumerate(self.expected):
            row = self._row(number)
            assert (row.state, row.level) == (expected.state, expected.level)
            assert row.probe_token == self.tokens[number]

    @invariant()
    def nothing_is_lost(self) -> None:  # I8
        for video in Video.objects.filter(pk__in=self.enqueued):
            active = Job.objects.filter(video=video, status__in=sorted(JOB_ACTIVE)).count()
            assert active == (0 if video.status in VIDEO_TERMINAL else 1), video.status

    @invariant()
    def every_change_has_its_event(self) -> None:  # I12
        for number, account in enumerate(self.accounts):
            state: str = CircuitState.CLOSED
            for event in CircuitEvent.objects.filter(account=account).order_by("pk"):
                assert event.old == state
                assert event.new == state or CircuitState(event.new) in CIRCUIT_ALLOWED[CircuitState(state)]
                state = event.new
            assert state == self._row(number).state

    # Reading

    def _claim(self, number: int, place: int) -> Claim | None:
        waiting = lane(self.accounts[number].pk).filter(status=JobStatus.QUEUED, run_at__lte=timezone.now())
        jobs = list(waiting.order_by("due", "video_id"))
        return job_claim(jobs[min(place, len(jobs) - 1)].pk, owner=f"worker:{self.calls}") if jobs else None

    def _earlier(self, claim: Claim) -> bool:
        due = claim.job.video.scheduled_at or claim.job.video.created_at
        others = lane(claim.job.video.account_id).filter(status__in=[JobStatus.QUEUED, JobStatus.HELD])
        return others.exclude(pk=claim.job.pk).filter(due__lt=due).exists()

    def _row(self, number: int) -> AccountCircuit:
        return circuits.circuit_of(self.accounts[number])

    def _row_of(self, permit: Permit) -> AccountCircuit:
        return circuits.circuit_of(permit.account_id)

    def _circuit_values(self, permit: Permit) -> dict[str, Any]:
        return AccountCircuit.objects.filter(pk=permit.account_id).values().get()


def upload_run_with(claim: Claim, work: Callable[..., None]) -> None:
    """The product's upload, with `work` in place of what it says to TikTok."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload, "_upload", work)
        upload.upload_run(claim)


@pytest.mark.django_db
def test_it_keeps_its_promises_in_any_order(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere.sock"  # the bells are lost, as they may be
    run_state_machine_as_test(
        CircuitMachine,
        settings=hypothesis_settings(max_examples=8, stateful_step_count=25, deadline=None),
    )
