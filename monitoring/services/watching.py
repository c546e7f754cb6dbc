"""Who looks for alerts, and when: the leading scheduler each minute; when it falls silent, any worker."""

from __future__ import annotations

import time
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from monitoring.alerts.looks import reconciler_stalled
from monitoring.services.alerts import EVERY, alerts_evaluate
from monitoring.services.deliveries import deliveries_send, deliveries_send_aside
from publishing.models import Leadership
from publishing.services.jobs import worker_name

#: Between two questions of one process whether a minute has passed.
ASK_SECONDS = 5.0
_asked = {"at": -ASK_SECONDS}


def watch() -> None:
    """One tick of the leading scheduler: look once a minute, and send what is to be told."""
    if time.monotonic() - _asked["at"] < ASK_SECONDS:
        return
    _asked["at"] = time.monotonic()
    if claim_look(timezone.now()):
        alerts_evaluate()
    deliveries_send_aside()


def watch_the_scheduler() -> None:
    """One sign of life of any process: while no scheduler works, somebody else must say so."""
    now = timezone.now()
    if any(reconciler_stalled(now)) and claim_look(now):
        alerts_evaluate(now)
        deliveries_send(most=1)  # here, not aside: a worker forks, and must have no threads


def claim_look(now: datetime) -> bool:
    """The right to look in this minute: one process gets it."""
    mine = Leadership.objects.filter(name="alerts")
    until = now + EVERY
    if mine.filter(until__lte=now).update(owner=worker_name(), until=until):
        return True
    if mine.exists():
        return False
    try:
        with transaction.atomic():
            Leadership.objects.create(name="alerts", owner=worker_name(), until=until)
    except IntegrityError:
        return False
    return True
