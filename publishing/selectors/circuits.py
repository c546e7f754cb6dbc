"""Reading an account's circuit: where it stands, from what, what waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.causes import sentence
from publishing.models import AccountCircuit, CircuitEvent, TikTokOutage, Video
from publishing.services.circuits import THRESHOLD, circuit_of, failures_that_count
from publishing.services.outages import current_outage
from publishing.states import HELD_BY_PERSON, CircuitState, VideoStatus

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
    events = CircuitEvent.objects.filter(account=account).select_related("account", "video", "actor")
    held = Video.objects.filter(account=account, status=VideoStatus.HELD).exclude(reason_code=HELD_BY_PERSON)
    held = held.order_by("scheduled_at", "pk")
    shown = list(held.select_related("account", "batch__source")[:WAITING])
    return CircuitBoard(
        circuit=circuit,
        failures=list(failures_that_count(circuit, timezone.now()).select_related("account", "video", "actor")),
        threshold=THRESHOLD,
        waiting=sorted(shown, key=lambda video: (video.scheduled_at or video.created_at, video.pk)),
        waiting_count=held.count(),
        story=list(events[:STORY]),
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
