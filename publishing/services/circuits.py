"""The circuit breaker of an account: three counted failures within an hour pause its uploads.

The rows are the breaker: every worker decides on the same one, in a short transaction, and no lock is held while
TikTok is called. `publishing.services.breaker` puts pybreaker in front of it. See docs/reliability.md.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import TikTokAccount, User
from publishing.causes import CATALOGUE, Action
from publishing.errors import NotPossible, StateConflict
from publishing.models import AccountCircuit, CircuitEvent, CircuitEventKind, Job
from publishing.pace import paced
from publishing.services.auditing import circuit_audit
from publishing.services.held import hold_waiting, is_head, resume_held
from publishing.services.outages import is_canary, outage_check, outage_end
from publishing.signals import circuit_moved
from publishing.states import CIRCUIT_ALLOWED, CircuitState
from subiteya.tiktok import FailureClass

logger = logging.getLogger(__name__)

WINDOW = paced(timedelta(hours=1))
THRESHOLD = 3
LONGEST_COOL_DOWN = paced(timedelta(hours=6))
JITTER = 0.1
#: How long a try may be silent before another worker may try; it is renewed with the job's heartbeat.
PROBE_LEASE = paced(timedelta(seconds=120))
#: A try that ended without saying anything about the account is repeated after this.
PROBE_AGAIN = paced(timedelta(seconds=60))
AFTER_OUTAGE = paced(timedelta(seconds=60))
#: Isolation that a new connection to TikTok ends.
RECONNECT_CODES = frozenset(code for code, cause in CATALOGUE.items() if cause.action == Action.RECONNECT)


@dataclass(slots=True)
class Permit:
    """The right to upload to an account now.

    `token`: the number of its only probe, or 0. `proved`: TikTok took the whole file.
    """

    account_id: int
    token: int = 0
    proved: bool = False


class NotPermitted(Exception):
    """The account takes no upload now. `code` and `detail` are the catalogue's, `until` when it may (or None)."""

    def __init__(self, code: str, detail: dict[str, Any], until: datetime | None) -> None:
        self.code, self.detail, self.until = code, detail, until
        super().__init__(code)


def cool_down(level: int) -> timedelta:
    """How long a circuit stays open after `level` failed tries, without jitter."""
    base: timedelta = paced(timedelta(seconds=settings.CIRCUIT_COOL_DOWN_SECONDS))
    return min(base * (1 << min(level, 16)), LONGEST_COOL_DOWN)


def failures_that_count(circuit: AccountCircuit, now: datetime) -> QuerySet[CircuitEvent]:
    """The counted failures of the last hour since the circuit last closed; a success in between clears nothing."""
    since = max(now - WINDOW, circuit.closed_at or now - WINDOW)
    return CircuitEvent.objects.filter(account=circuit.account_id, counted=True, at__gt=since)


def counted_failures(circuit: AccountCircuit, now: datetime) -> int:
    """How many of them there are."""
    return failures_that_count(circuit, now).count()


def circuit_of(account: TikTokAccount | int) -> AccountCircuit:
    """The account's circuit; a closed one that is not stored when nothing ever happened to it."""
    pk = account if isinstance(account, int) else account.pk
    return AccountCircuit.objects.select_related("account").filter(pk=pk).first() or AccountCircuit(account_id=pk)


# What an attempt asks and tells


def circuit_permit(*, job: Job, owner: str) -> Permit:
    """May `job` upload now? Raises NotPermitted. At most one permit of a paused account carries a token."""
    account_id = job.video.account_id
    # Mostly all is well: one question then, and no lock. Who closes or opens it meanwhile came a moment later.
    if not AccountCircuit.objects.filter(pk=account_id).exclude(state=CircuitState.CLOSED).exists():
        return Permit(account_id)
    return _permit_paused(account_id, job, owner)


@transaction.atomic
def _permit_paused(account_id: int, job: Job, owner: str) -> Permit:
    circuit = AccountCircuit.objects.select_for_update().filter(pk=account_id).first()
    if circuit is None or circuit.state == CircuitState.CLOSED:
        return Permit(account_id)
    now = timezone.now()
    if not is_head(job) or not is_canary(circuit, now):
        raise NotPermitted(*why_paused(circuit))
    return _probe(circuit, job, owner, now)


def is_due(now: datetime) -> Q:
    """The circuits whose pause, or whose silent probe, is over."""
    return Q(state=CircuitState.OPEN, open_until__lte=now) | Q(state=CircuitState.HALF_OPEN, probe_until__lte=now)


def _probe(circuit: AccountCircuit, job: Job, owner: str, now: datetime) -> Permit:
    """One conditional UPDATE decides who tries; a dead worker's try is another's once its lease is over."""
    taken = AccountCircuit.objects.filter(is_due(now), pk=circuit.pk).update(
        state=CircuitState.HALF_OPEN, probe_token=F("probe_token") + 1, probe_owner=owner,
        probe_until=now + PROBE_LEASE,
    )  # fmt: skip
    if not taken:
        raise NotPermitted(*why_paused(circuit))
    old = circuit.state
    circuit.refresh_from_db()
    _event(circuit, CircuitEventKind.PROBE_STARTED, old=old, job=job, token=circuit.probe_token)
    return Permit(circuit.account_id, circuit.probe_token)


def why_paused(circuit: AccountCircuit) -> tuple[str, dict[str, Any], datetime | None]:
    """`(code, detail, until)` for the catalogue."""
    detail: dict[str, Any] = {"account": str(circuit.account)}
    if circuit.state != CircuitState.ISOLATED:
        failures = counted_failures(circuit, circuit.opened_at or timezone.now())
        return "circuit_open", detail | {"failures": failures, "last_code": circuit.last_failure_code}, (
            circuit.open_until
        )  # fmt: skip
    code, why = isolation_of(circuit)
    return code, detail | why, None


def isolation_of(circuit: AccountCircuit) -> tuple[str, dict[str, Any]]:
    """Why an account is set apart, as `(code, detail)` of the catalogue."""
    if circuit.isolated_code in CATALOGUE:
        return circuit.isolated_code, {}
    return "circuit_isolated", {"reason": circuit.isolated_reason}


@transaction.atomic
def circuit_failed(*, job: Job, code: str, failure_class: FailureClass, token: int = 0) -> None:
    """Record what an attempt met, and pause the account when that was the third, or the probe's.

    One attempt counts once. A probe that is not ours any more is recorded and changes nothing.
    """
    circuit = _locked(job.video.account_id)
    now = timezone.now()
    counted = failure_class == FailureClass.COUNT
    known = counted and CircuitEvent.objects.filter(job=job, attempt=job.attempt, counted=True).exists()
    kind = CircuitEventKind.FAILURE_RECORDED if counted else CircuitEventKind.ERROR_IGNORED
    if not known:
        _event(
            circuit, kind, job=job, code=code, failure_class=failure_class, counted=counted, token=token,
        )  # fmt: skip
    if counted and not known:
        _decay(circuit, now)
        AccountCircuit.objects.filter(pk=circuit.pk).update(
            level=circuit.level, last_failure_at=now, last_failure_code=code
        )
        circuit.last_failure_at, circuit.last_failure_code = now, code
    if failure_class == FailureClass.AUTH and circuit.state != CircuitState.ISOLATED:
        _isolate(circuit, code=code, reason="", actor=None, job=job)
    elif counted:
        _count(circuit, job, token, now)


def _count(circuit: AccountCircuit, job: Job, token: int, now: datetime) -> None:
    if token:
        if circuit.state == CircuitState.HALF_OPEN and circuit.probe_token == token:
            _open(circuit, CircuitEventKind.PROBE_FAILED, level=circuit.level + 1, job=job)
    elif circuit.state == CircuitState.CLOSED and counted_failures(circuit, now) >= THRESHOLD:
        _open(circuit, CircuitEventKind.OPENED, level=circuit.level, job=job)


def _decay(circuit: AccountCircuit, now: datetime) -> None:
    """Each full hour of publishing without a counted failure forgets one failed try."""
    if circuit.state == CircuitState.CLOSED and circuit.level:
        since = max(filter(None, (circuit.closed_at, circuit.last_failure_at)), default=now)
        circuit.level = max(0, circuit.level - int((now - since) / WINDOW))


def circuit_renew(permit: Permit) -> bool:
    """Keep the probe while its worker lives; False when it is not ours any more."""
    ours = AccountCircuit.objects.filter(pk=permit.account_id, state=CircuitState.HALF_OPEN, probe_token=permit.token)
    return ours.update(probe_until=timezone.now() + PROBE_LEASE) == 1


@transaction.atomic
def circuit_proved(permit: Permit, *, job: Job) -> bool:
    """The probe went through: the account publishes again and what was held goes on. False when it was fenced."""
    circuit = _ours(permit)
    if circuit is None:
        return False
    _close(circuit, CircuitEventKind.CLOSED, level=circuit.level, job=job, token=permit.token)
    return True


@transaction.atomic
def circuit_give_back(permit: Permit, *, job: Job) -> None:
    """The probe ended without a word about the account: the next one may try soon. Nothing when it was settled."""
    circuit = _ours(permit)
    if circuit is not None:
        until = timezone.now() + PROBE_AGAIN
        _move(
            circuit, CircuitState.OPEN, CircuitEventKind.PROBE_RETURNED, job=job, token=permit.token, open_until=until
        )


# What a person does


@transaction.atomic
def circuit_isolate(*, account: TikTokAccount, reason: str, actor: User | None, code: str = "by_person") -> None:
    """Take no upload of the account until a person releases it. `code`: the catalogue's, when the cause is TikTok."""
    circuit = _locked(account.pk)
    if circuit.state == CircuitState.ISOLATED:
        raise NotPossible("circuit_isolated_already", {"account": str(account)})
    _isolate(circuit, code=code, reason=reason, actor=actor)


@transaction.atomic
def circuit_release(*, account: TikTokAccount, reason: str, actor: User | None) -> None:
    """End the isolation: the next upload is a probe, and the others follow when it goes through."""
    circuit = _locked(account.pk)
    if circuit.state != CircuitState.ISOLATED:
        raise NotPossible("circuit_not_isolated", {"account": str(account)})
    fields = {"isolated_by": None, "isolated_code": "", "isolated_reason": ""}
    _move(
        circuit, CircuitState.OPEN, CircuitEventKind.RELEASED, actor=actor, reason=reason, open_until=timezone.now(),
        fields=fields | {"opened_at": circuit.opened_at or timezone.now()},
    )  # fmt: skip
    _say_held(circuit)


@transaction.atomic
def circuit_reset(*, account: TikTokAccount, reason: str, actor: User | None) -> None:
    """Publish again at once, and forget what was counted."""
    circuit = _locked(account.pk)
    _close(circuit, CircuitEventKind.RESET, level=0, actor=actor, reason=reason)


@transaction.atomic
def circuit_probe_now(*, account: TikTokAccount, reason: str, actor: User | None) -> None:
    """Do not wait for the end of the pause: the account's first held upload tries now."""
    circuit = _locked(account.pk)
    if circuit.state != CircuitState.OPEN:
        raise NotPossible("circuit_not_open", {"account": str(account)})
    AccountCircuit.objects.filter(pk=circuit.pk).update(open_until=timezone.now())
    circuit.open_until = timezone.now()
    _event(circuit, CircuitEventKind.PROBE_REQUESTED, actor=actor, reason=reason, open_until=circuit.open_until)
    _say_held(circuit)


# Transitions: each under the row's lock, each with its event


def _open(circuit: AccountCircuit, kind: CircuitEventKind, *, level: int, job: Job) -> None:
    now = timezone.now()
    until = now + cool_down(level) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    _move(
        circuit, CircuitState.OPEN, kind, job=job, code=circuit.last_failure_code, open_until=until,
        fields={"level": level, "opened_at": now},
    )  # fmt: skip
    _say_held(circuit)
    outage_check(now)


def _isolate(circuit: AccountCircuit, *, code: str, reason: str, actor: User | None, job: Job | None = None) -> None:
    fields = {"isolated_by": actor, "isolated_code": code, "isolated_reason": reason}
    _move(
        circuit, CircuitState.ISOLATED, CircuitEventKind.ISOLATED, job=job, code=code, actor=actor, reason=reason,
        fields=fields,
    )  # fmt: skip
    _say_held(circuit)


def _close(circuit: AccountCircuit, kind: CircuitEventKind, *, level: int, **event: Any) -> None:
    fields = {
        "level": level, "closed_at": timezone.now(), "opened_at": None, "open_until": None, "isolated_by": None,
        "isolated_code": "", "isolated_reason": "",
    }  # fmt: skip
    _move(circuit, CircuitState.CLOSED, kind, fields=fields, **event)
    resume_held(account_id=circuit.account_id)
    if outage_end(by_probe=kind == CircuitEventKind.CLOSED):
        transaction.on_commit(_spread)


def _spread() -> None:
    """TikTok is well again: the accounts that its outage paused try within a minute, not all at once."""
    for pk in AccountCircuit.objects.filter(state=CircuitState.OPEN).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            circuit = _locked(pk)
            soon = timezone.now() + AFTER_OUTAGE * random.random()  # noqa: S311
            if circuit.state == CircuitState.OPEN and circuit.open_until and circuit.open_until > soon:
                AccountCircuit.objects.filter(pk=pk).update(open_until=soon)
                circuit.open_until = soon
                _say_held(circuit)


def _move(
    circuit: AccountCircuit, to: CircuitState, kind: CircuitEventKind, *, open_until: datetime | None = None,
    fields: dict[str, Any] | None = None, **event: Any,
) -> None:  # fmt: skip
    """Change the state and record it. A probe that was running is over, whatever its worker still believes."""
    old = CircuitState(circuit.state)
    values: dict[str, Any] = {"state": to, "probe_until": None, "probe_owner": "", **(fields or {})}
    if open_until is not None:
        values["open_until"] = open_until
    allowed = to == old or to in CIRCUIT_ALLOWED[old]
    rows = AccountCircuit.objects.filter(pk=circuit.pk, state=old, probe_token=circuit.probe_token)
    if not allowed or not rows.update(**values):
        raise StateConflict(f"circuit {circuit.pk}: {old} -> {to}")
    for name, value in values.items():
        setattr(circuit, name, value)
    recorded = _event(circuit, kind, old=old, open_until=open_until, **event)
    level = logging.INFO if to in {CircuitState.CLOSED, CircuitState.HALF_OPEN} else logging.WARNING
    extra = {"account_id": circuit.pk, "old": old, "new": to, "kind": kind, "level": circuit.level}
    logger.log(level, "circuit_moved", extra=extra)
    if to != old:
        circuit_moved.send(AccountCircuit, circuit=circuit, old=old, new=to, kind=kind, event=recorded)


def _event(
    circuit: AccountCircuit, kind: CircuitEventKind, *, old: str | None = None, job: Job | None = None, **fields: Any
) -> CircuitEvent:
    state = circuit.state
    if job is not None:
        fields |= {"job": job, "video_id": job.video_id, "attempt": job.attempt, "trace_id": job.trace_id}
    event = CircuitEvent.objects.create(
        account_id=circuit.account_id, kind=kind, old=old or state, new=state, at=timezone.now(), **fields
    )
    circuit_audit(event)
    return event


def _say_held(circuit: AccountCircuit) -> None:
    """Take the account's waiting uploads out of the queue and say why, and until when."""
    code, detail, until = why_paused(circuit)
    hold_waiting(account_id=circuit.account_id, code=code, detail=detail, until=until)


def _locked(account_id: int) -> AccountCircuit:
    AccountCircuit.objects.get_or_create(account_id=account_id)
    return AccountCircuit.objects.select_for_update(of=("self",)).select_related("account").get(pk=account_id)


def _ours(permit: Permit) -> AccountCircuit | None:
    rows = AccountCircuit.objects.select_for_update(of=("self",)).select_related("account")
    return rows.filter(pk=permit.account_id, state=CircuitState.HALF_OPEN, probe_token=permit.token).first()
