"""Any message to anybody: claimed, sent, and tried again with growing pauses until it arrives or is given up.

A process that dies between the sending and the note of it makes the message go out again: at least once. What was
given up keeps its reason in its row, which the admin shows.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import F, QuerySet
from django.utils import timezone

from monitoring.models import Delivery
from monitoring.services.webhooks import WebhookRefused

logger = logging.getLogger(__name__)

#: Eight attempts over some two hours; then the admin shows what went wrong, and nobody is bothered any more.
ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
TIMEOUT_SECONDS = 10
#: Longer than any sending takes: a process that died with a message leaves it to another after this.
LEASE = timedelta(minutes=5)

Message = TypeVar("Message", bound=Delivery)


def due(rows: QuerySet[Message], now: datetime) -> QuerySet[Message]:
    """Those of `rows` that are to be sent now, the longest due first."""
    return rows.filter(sent_at=None, next_at__lte=now, attempts__lt=ATTEMPTS).order_by("next_at", "pk")


def attempt(row: Delivery, send: Callable[[], None], *, now: datetime | None = None) -> bool:
    """Send one message if nobody else does; True when it arrived. What went wrong is kept in its row.

    `send` raises OSError, SMTPException or WebhookRefused when it does not arrive.
    """
    now = now or timezone.now()
    rows = type(row)._default_manager.filter(pk=row.pk)
    mine = rows.filter(attempts=row.attempts, sent_at=None, next_at__lte=now)
    if not mine.update(attempts=F("attempts") + 1, next_at=now + LEASE):
        return False
    try:
        send()
    except (OSError, smtplib.SMTPException, WebhookRefused) as error:
        row.error = (f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)[:200]
        rows.update(error=row.error, next_at=now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**row.attempts))
        _log(row)
        return False
    rows.update(sent_at=timezone.now(), error="")
    return True


def _log(row: Delivery) -> None:
    number = row.attempts + 1
    extra = {"row": row._meta.label, "pk": row.pk, "attempt": number, "error": row.error}
    if number >= ATTEMPTS:
        logger.error("delivery_given_up", extra=extra)
    else:
        logger.warning("delivery_failed", extra=extra)
