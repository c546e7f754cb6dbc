"""Reading an account's circuit: where it stands, from what, what waits for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.causes import sentence
from publishing.models import AccountCircuit, CircuitEvent, CircuitEventKind, TikTokOutage, Video
from publishing.services.circuits import THRESHOLD, WINDOW, circuit_of
from publishing.services.outages import current_outage
from publishing.states import CircuitState, VideoStatus

STORY = 30
WAITING = 50


@dataclass(frozen=True, kw_only=True)
class CircuitBoard:
    """Everything that the account's page says about its uploads. `next_try` is None when nothing is planned."""

    circuit: AccountCircuit
    failures: list[CircuitEvent]
    threshold: int
    waiting: list[Video]
    waiting_count: int
    story: list[CircuitEvent]
    next_try: datetime | None
    outage: TikTokOutage | None


def circuit_board(account: TikTokAccount) -> CircuitBoard:
    """The circuit of `account`, the failures that count now (newest first), what waits in order, the last events."""
    circuit = circuit_of(account)
    since = timezone.now() - WINDOW
    if circuit.closed_at and circuit.closed_at > since:
        since = circuit.closed_at
    events = CircuitEvent.objects.filter(account=account).select_related("video", "actor")
    held = Video.objects.filter(account=account, status=VideoStatus.HELD).order_by("scheduled_at", "pk")
    shown = list(held.select_related("account", "batch__source")[:WAITING])
    return CircuitBoard(
        circuit=circuit,
        failures=list(events.filter(counted=True, at__gt=since)),
        threshold=THRESHOLD,
        waiting=sorted(shown, key=lambda video: (video.scheduled_at or video.created_at, video.pk)),
        waiting_count=held.count(),
        story=list(events.exclude(kind=CircuitEventKind.FAILURE_RECORDED, counted=False)[:STORY]),
        next_try=circuit.open_until if circuit.state == CircuitState.OPEN else None,
        outage=current_outage(),
    )


def event_words(event: CircuitEvent) -> str:
    """What happened, the cause in words, and what the person wrote."""
    parts = [
        sentence(event.code, {"account": str(event.account), "reason": event.reason}) if event.code else "",
        event.reason,
        str(event.actor) if event.actor else "",
    ]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def paused_accounts(accounts: Iterable[TikTokAccount]) -> dict[int, AccountCircuit]:
    """The circuits of those accounts that take no uploads now, each with `waiting`, by account."""
    circuits = AccountCircuit.objects.filter(account__in=list(accounts)).exclude(state=CircuitState.CLOSED)
    held = Count("account__videos", filter=Q(account__videos__status=VideoStatus.HELD))
    return {circuit.pk: circuit for circuit in circuits.annotate(waiting=held)}
