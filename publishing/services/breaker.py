"""pybreaker in front of an upload, over the account's circuit in the database.

pybreaker calls the work, decides which failure counts and closes after a proof; the storage makes that true for
every worker: it counts the events of the last hour, and its transitions are those of `circuits`. What pybreaker
alone gets wrong between processes is decided before the call: `circuit_permit` lets one probe through.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import partial

from pybreaker import STATE_CLOSED, STATE_HALF_OPEN, CircuitBreaker, CircuitBreakerStorage

from publishing.errors import TikTokFailure
from publishing.services.circuits import (
    THRESHOLD,
    Permit,
    circuit_failed,
    circuit_give_back,
    circuit_of,
    circuit_permit,
    circuit_proved,
    circuit_renew,
    counted_failures,
)
from publishing.services.jobs import Claim
from subiteya.lib.tracing import span
from subiteya.tiktok import FailureClass, TikTokError


class _Storage(CircuitBreakerStorage):
    """What pybreaker reads and writes during one attempt."""

    def __init__(self, claim: Claim, permit: Permit) -> None:
        super().__init__(f"account-{permit.account_id}")
        self._claim, self._permit = claim, permit
        self._state = STATE_CLOSED if not permit.token else STATE_HALF_OPEN
        self._failure: tuple[str, FailureClass] = ("", FailureClass.NEUTRAL)

    def is_excluded(self, error: BaseException) -> bool:
        """Does `error` say nothing about the account? Remembers what it says."""
        self._failure = failure_of(error)
        return self._failure[1] != FailureClass.COUNT

    @property
    def state(self) -> str:
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        # Opening was decided with the failure, in its transaction; here it is only heard of.
        if state == STATE_CLOSED:
            circuit_proved(self._permit, job=self._claim.job)
        self._state = state

    def increment_counter(self) -> None:
        code, kind = self._failure
        circuit_failed(job=self._claim.job, code=code, failure_class=kind, token=self._permit.token)

    @property
    def counter(self) -> int:
        circuit = circuit_of(self._permit.account_id)
        return counted_failures(circuit, circuit.last_failure_at) if circuit.last_failure_at else 0

    def reset_counter(self) -> None:
        """A success clears nothing: the rule is three within an hour, not three in a row."""

    @property
    def success_counter(self) -> int:
        """A probe is proved by the whole file, not by the absence of an error."""
        return int(self._permit.proved)

    def increment_success_counter(self) -> None:
        """See `success_counter`."""

    def reset_success_counter(self) -> None:
        """See `success_counter`."""

    @property
    def opened_at(self) -> datetime | None:
        return circuit_of(self._permit.account_id).opened_at

    @opened_at.setter
    def opened_at(self, at: datetime) -> None:
        """Written with the failure that opened it, by the same clock."""


def guarded(claim: Claim, work: Callable[[Permit], None]) -> None:
    """Do `work` as one attempt of the account. Raises NotPermitted, or what `work` raised, after it was recorded."""
    permit = circuit_permit(job=claim.job, owner=claim.owner)
    if permit.token:
        claim.is_probe = True
        claim.renewals.append(partial(circuit_renew, permit))
    storage = _Storage(claim, permit)
    breaker = CircuitBreaker(
        fail_max=THRESHOLD, success_threshold=1, exclude=[storage.is_excluded], state_storage=storage,
        throw_new_error_on_trip=False,
    )  # fmt: skip
    probing = span("circuit probe", attributes={"subiteya.probe": permit.token}) if permit.token else nullcontext()
    try:
        with probing:
            breaker.call(work, permit)
    except (TikTokError, TikTokFailure) as error:
        code, kind = failure_of(error)
        if kind != FailureClass.COUNT:
            circuit_failed(job=claim.job, code=code, failure_class=kind, token=permit.token)
        raise
    finally:
        if permit.token:
            circuit_give_back(permit, job=claim.job)


def failure_of(error: BaseException) -> tuple[str, FailureClass]:
    """`(code, class)` of what an attempt raised; what is not TikTok's is neutral."""
    if isinstance(error, TikTokError | TikTokFailure):
        return error.code, error.breaker
    return type(error).__name__, FailureClass.NEUTRAL
