"""What Alertmanager tells us: kept beside our own alerts, once per fingerprint and beginning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from monitoring.models import Alert, AlertSource, Severity
from monitoring.services.alerts import alert_close


@dataclass(frozen=True)
class Notice:
    """One alert of a message. `ends` is set once it is resolved."""

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts: datetime
    ends: datetime | None


def notices_record(notices: Iterable[Notice]) -> int:
    """Open and close what the message says; how many alerts changed. Messages may come twice, late, or out of order."""
    return sum(_record(notice) for notice in notices)


def _record(notice: Notice) -> bool:
    mine = Alert.objects.filter(source=AlertSource.ALERTMANAGER, fingerprint=notice.fingerprint)
    known = mine.filter(opened_at=notice.starts).first()
    if known is None:
        return _begin(notice)
    if notice.ends:
        return alert_close(known, notice.ends)
    mine.filter(pk=known.pk, closed_at=None).update(seen_at=timezone.now())
    return False


def _begin(notice: Notice) -> bool:
    """Write it down. One that began earlier and is still open has ended unheard; one that began later stands."""
    mine = Alert.objects.filter(source=AlertSource.ALERTMANAGER, fingerprint=notice.fingerprint, closed_at=None)
    for older in mine.filter(opened_at__lt=notice.starts):
        alert_close(older, notice.starts)
    if mine.exists() and notice.ends is None:
        return False
    try:
        with transaction.atomic():
            Alert.objects.create(**_fields(notice))
    except IntegrityError:  # the same message, at the same time
        return False
    return True


def _fields(notice: Notice) -> dict[str, Any]:
    severity = notice.labels.get("severity", "")
    return {
        "rule": notice.labels["alertname"][:80],
        "fingerprint": notice.fingerprint,
        "labels": {name: value for name, value in notice.labels.items() if name not in {"alertname", "severity"}},
        "severity": severity if severity in Severity.values else Severity.TICKET,
        "source": AlertSource.ALERTMANAGER,
        "detail": {name: notice.annotations.get(name, "") for name in ("summary", "description", "runbook_url")},
        "opened_at": notice.starts,
        "seen_at": timezone.now(),
        "closed_at": notice.ends,
    }
