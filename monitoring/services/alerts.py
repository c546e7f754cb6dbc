"""Alerts found in the rows, once a minute, with or without a Prometheus: opened once, closed once, told once.

Two processes that look at the same time do no harm: the database's constraints decide who opens, a conditional
UPDATE who closes, and only they write the messages.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from monitoring.alerts.looks import Seen
from monitoring.alerts.rules import RULES, Rule
from monitoring.models import Alert, AlertDelivery, AlertSource, DeliveryChannel, PendingAlert

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
#: A condition that nobody looked at for so long begins anew: it may have been gone meanwhile.
FORGOTTEN = 3 * EVERY
#: Alertmanager repeats what goes on every few hours; what it never ended is not known to go on.
UNHEARD = timedelta(hours=24)


@dataclass(frozen=True)
class Change:
    """How many alerts one look opened and closed."""

    opened: int
    closed: int


def alerts_evaluate(now: datetime | None = None) -> Change:
    """Look at everything once. A rule that cannot be evaluated leaves its alerts as they are, and is logged."""
    now = now or timezone.now()
    opened = closed = 0
    for rule in RULES:
        if rule.look is None:
            continue
        try:
            with transaction.atomic():
                found = {fingerprint(rule, seen): seen for seen in rule.look(now)}
                opened += _open(rule, found, now)
                closed += _close(rule, found, now)
        except Exception:
            logger.exception("alert_rule_failed", extra={"alert": rule.name})
    closed += _close_each(Alert.objects.filter(source=AlertSource.ALERTMANAGER, seen_at__lt=now - UNHEARD), now)
    return Change(opened, closed)


def fingerprint(rule: Rule, seen: Seen) -> str:
    """The rule and what it is about; an account by its number, because names change."""
    about = {"account": str(seen.account_id)} if seen.account_id else seen.labels
    pairs = ",".join(f"{name}={value}" for name, value in sorted(about.items()))
    return f"{rule.name}{{{pairs}}}"


def _open(rule: Rule, found: dict[str, Seen], now: datetime) -> int:
    """Renew what is open already, and open what has held for long enough; how many opened."""
    mine = Alert.objects.filter(source=AlertSource.APP, rule=rule.name, closed_at=None)
    known = set(mine.filter(fingerprint__in=found).values_list("fingerprint", flat=True))
    opened = 0
    for mark, seen in found.items():
        if mark in known:
            mine.filter(fingerprint=mark).update(seen_at=now, value=seen.value, detail=seen.detail)
        elif _held_long_enough(rule, mark, now):
            opened += _open_one(rule, mark, seen, now)
    PendingAlert.objects.filter(rule=rule.name).exclude(fingerprint__in=set(found) - known).delete()
    return opened


def _held_long_enough(rule: Rule, mark: str, now: datetime) -> bool:
    """Has it held for `rule.wait` without a break? Remembers since when."""
    if not rule.wait:
        return True
    PendingAlert.objects.filter(fingerprint=mark, seen_at__lt=now - FORGOTTEN).delete()
    pending, _new = PendingAlert.objects.get_or_create(
        fingerprint=mark, defaults={"rule": rule.name, "since": now, "seen_at": now}
    )
    PendingAlert.objects.filter(fingerprint=mark).update(seen_at=now)
    return now - pending.since >= rule.wait


def _open_one(rule: Rule, mark: str, seen: Seen, now: datetime) -> int:
    """1 when we opened it, 0 when somebody else was quicker."""
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                rule=rule.name, fingerprint=mark, labels=seen.labels, account_id=seen.account_id,
                severity=rule.severity, value=seen.value, detail=seen.detail, opened_at=now, seen_at=now,
            )  # fmt: skip
            if not _is_muted(rule):
                _tell(alert, channels(), resolved=False, now=now)
    except IntegrityError:
        return 0
    PendingAlert.objects.filter(fingerprint=mark).delete()
    logger.warning("alert_opened", extra={"alert": rule.name, "labels": seen.labels, "value": seen.value})
    return 1


def _is_muted(rule: Rule) -> bool:
    return Alert.objects.filter(source=AlertSource.APP, rule__in=rule.muted_by, closed_at=None).exists()


def channels() -> list[DeliveryChannel]:
    """Where the settings say that people are to be told."""
    wanted = {DeliveryChannel.EMAIL: settings.ALERT_EMAILS, DeliveryChannel.WEBHOOK: settings.ALERT_WEBHOOK_URL}
    return [channel for channel, where in wanted.items() if where]


def _close(rule: Rule, found: dict[str, Seen], now: datetime) -> int:
    gone = Alert.objects.filter(source=AlertSource.APP, rule=rule.name).exclude(fingerprint__in=found)
    return _close_each(gone, now)


def _close_each(alerts: Iterable[Alert], now: datetime) -> int:
    rows = alerts.filter(closed_at=None)  # type: ignore[attr-defined]
    return sum(alert_close(alert, now) for alert in rows)


@transaction.atomic
def alert_close(alert: Alert, at: datetime) -> bool:
    """End an alert at `at`; False when it had ended. Whoever was told that it began is told that it is over."""
    if not Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=at):
        return False
    told = AlertDelivery.objects.filter(alert=alert, resolved=False).values_list("channel", flat=True)
    _tell(alert, [DeliveryChannel(channel) for channel in told], resolved=True, now=at)
    logger.info("alert_closed", extra={"alert": alert.rule, "labels": alert.labels})
    return True


def _tell(alert: Alert, through: Iterable[DeliveryChannel], *, resolved: bool, now: datetime) -> None:
    AlertDelivery.objects.bulk_create(
        [AlertDelivery(alert=alert, channel=channel, resolved=resolved, next_at=now) for channel in through]
    )
