"""Telling people about alerts, by mail and webhook. The receiver of a message that comes twice can tell by the
fingerprint and the beginning.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone, translation

from monitoring.alerts.messages import mail_body, mail_subject
from monitoring.models import AlertDelivery, DeliveryChannel
from monitoring.services.sending import ATTEMPTS, TIMEOUT_SECONDS, attempt, due
from monitoring.services.webhooks import webhook_post
from subiteya.lib.aside import Aside

AT_ONCE = 20


def deliveries_due(now: datetime) -> QuerySet[AlertDelivery]:
    """What is to be sent now. That something ended is told after that it began, or once that was given up."""
    began = AlertDelivery.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), resolved=False, sent_at=None, attempts__lt=ATTEMPTS
    )
    return due(AlertDelivery.objects.exclude(Exists(began), resolved=True), now)


def deliveries_send(*, most: int = AT_ONCE, now: datetime | None = None) -> int:
    """Send what is due, `most` messages at most; how many arrived."""
    rows = deliveries_due(now or timezone.now()).select_related("alert")[:most]
    return sum(delivery_send(delivery, now=now) for delivery in rows)


_aside = Aside("alert-deliveries", deliveries_send)


def deliveries_send_aside() -> None:
    """Send in a thread of its own, when there is something."""
    if deliveries_due(timezone.now()).exists():
        _aside.start()


def delivery_send(delivery: AlertDelivery, *, now: datetime | None = None) -> bool:
    """Send one message if nobody else does; True when it arrived."""
    return attempt(delivery, lambda: _send(delivery), now=now)


def _send(delivery: AlertDelivery) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        if delivery.channel == DeliveryChannel.WEBHOOK:
            webhook_post(delivery.alert, resolved=delivery.resolved)
            return
        EmailMessage(
            subject=mail_subject(delivery.alert, resolved=delivery.resolved),
            body=mail_body(delivery.alert, resolved=delivery.resolved),
            to=settings.ALERT_EMAILS,
            connection=get_connection(timeout=TIMEOUT_SECONDS),
        ).send()
