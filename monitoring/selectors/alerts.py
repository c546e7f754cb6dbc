"""Alerts as a person may see them, with their words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from monitoring.alerts.messages import sentence, title
from monitoring.alerts.rules import BY_NAME
from monitoring.models import Alert, AlertSource, Severity

HISTORY = 50


@dataclass(frozen=True)
class AlertRow:
    """An alert in the reader's language. `runbook` is the name of its page, or empty."""

    alert: Alert
    title: str
    sentence: str
    runbook: str

    @property
    def is_page(self) -> bool:
        return self.alert.severity == Severity.PAGE

    @property
    def is_foreign(self) -> bool:
        """Did Prometheus find it, and not we?"""
        return self.alert.source == AlertSource.ALERTMANAGER

    @property
    def lasted(self) -> timedelta:
        return (self.alert.closed_at or timezone.now()) - self.alert.opened_at


def alerts_open(user: User) -> list[AlertRow]:
    """What goes on now: the urgent first, then the oldest."""
    rows = _visible(user).filter(closed_at=None)
    return _worded(sorted(rows, key=lambda alert: (alert.severity != Severity.PAGE, alert.opened_at, alert.pk)))


def alerts_closed(user: User) -> list[AlertRow]:
    """What is over, the latest first."""
    return _worded(_visible(user).exclude(closed_at=None).order_by("-closed_at", "-pk")[:HISTORY])


def alerts_open_count(user: User) -> int:
    return _visible(user).filter(closed_at=None).order_by().values("pk").distinct().count()


def _visible(user: User) -> QuerySet[Alert]:
    return Alert.objects.for_user(user).select_related("account")


def _worded(alerts: Iterable[Alert]) -> list[AlertRow]:
    return [
        AlertRow(alert, title(alert), sentence(alert), alert.rule if alert.rule in BY_NAME else "") for alert in alerts
    ]
