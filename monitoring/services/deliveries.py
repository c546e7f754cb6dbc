"""Telling people: each message is claimed, sent, and tried again with growing pauses until it arrives or is given up.

A process that dies between the sending and the note of it makes the message go out again: at least once, and the
receiver can tell by the fingerprint and the beginning.
"""

from __future__ import annotations

import logging
import smtplib
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import close_old_connections, connections
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone, translation

from monitoring.alerts.messages import mail_body, mail_subject
from monitoring.models import AlertDelivery, DeliveryChannel
from monitoring.services.webhooks import WebhookRefused, webhook_post

logger = logging.getLogger(__name__)

#: Eight attempts over some two hours; then the admin shows what went wrong, and nobody is bothered any more.
ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
TIMEOUT_SECONDS = 10
AT_ONCE = 20
_sending = threading.Lock()


def deliveries_due(now: datetime) -> QuerySet[AlertDelivery]:
    """What is to be sent now. That something ended is told after that it began, or once that was given up."""
    began = AlertDelivery.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), resolved=False, sent_at=None, attempts__lt=ATTEMPTS
    )
    waiting = AlertDelivery.objects.filter(sent_at=None, next_at__lte=now, attempts__lt=ATTEMPTS)
    return waiting.exclude(Exists(began), resolved=True).order_by("next_at", "pk")


def deliveries_send(*, most: int = AT_ONCE, now: datetime | None = None) -> int:
    """Send what is due, `most` messages at most; how many arrived."""
    due = deliveries_due(now or timezone.now()).select_related("alert")[:most]
    return sum(delivery_send(delivery, now=now) for delivery in due)


def deliveries_send_aside() -> None:
    """Send in a thread of its own: a mail server that does not answer must not stop the videos."""
    if deliveries_due(timezone.now()).exists() and _sending.acquire(blocking=False):
        threading.Thread(target=_send_and_release, name="alert-deliveries", daemon=True).start()


def _send_and_release() -> None:
    try:
        close_old_connections()
        deliveries_send()
    except Exception:
        logger.exception("alert_deliveries_failed")
    finally:
        connections.close_all()
        _sending.release()


def delivery_send(delivery: AlertDelivery, *, now: datetime | None = None) -> bool:
    """Send one message if nobody else does; True when it arrived. What went wrong is kept in its row."""
    now = now or timezone.now()
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**delivery.attempts)
    mine = AlertDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, sent_at=None)
    if not mine.update(attempts=F("attempts") + 1, next_at=now + pause):
        return False
    try:
        _send(delivery)
    except (OSError, smtplib.SMTPException, WebhookRefused) as error:
        _failed(delivery, error)
        return False
    AlertDelivery.objects.filter(pk=delivery.pk).update(sent_at=timezone.now(), error="")
    return True


def _send(delivery: AlertDelivery) -> None:
    """Raises OSError, SMTPException or WebhookRefused."""
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


def _failed(delivery: AlertDelivery, error: Exception) -> None:
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    AlertDelivery.objects.filter(pk=delivery.pk).update(error=words[:200])
    given_up = delivery.attempts + 1 >= ATTEMPTS
    event = "alert_delivery_given_up" if given_up else "alert_delivery_failed"
    extra = {
        "delivery": delivery.pk,
        "channel": delivery.channel,
        "attempt": delivery.attempts + 1,
        "error": words[:200],
    }
    logger.log(logging.ERROR if given_up else logging.WARNING, event, extra=extra)
