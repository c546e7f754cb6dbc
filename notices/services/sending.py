"""Sending what was written: mails to people, notices to the agency's webhook."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from monitoring.models import DeliveryChannel
from monitoring.services.sending import attempt, due
from monitoring.services.webhooks import webhook_send
from notices.models import MessageKind, NoticeMessage
from notices.services.letters import document, letter
from notices.services.people import preferences_of, quiet_until
from subiteya.lib.aside import Aside

AT_ONCE = 20


def messages_due(now: datetime, channels: Iterable[str] = DeliveryChannel.values) -> QuerySet[NoticeMessage]:
    return due(NoticeMessage.objects.filter(channel__in=channels), now)


def messages_send(
    *, most: int = AT_ONCE, now: datetime | None = None, channels: Iterable[str] = DeliveryChannel.values
) -> int:
    """Send what is due, `most` messages at most; how many arrived."""
    rows = messages_due(now or timezone.now(), channels).select_related(
        "user__notice_preferences", "notice__account__circuit", "notice__video__batch__source"
    )
    return sum(message_send(message, now=now) for message in rows[:most])


def message_send(message: NoticeMessage, *, now: datetime | None = None) -> bool:
    """Send one message if nobody else does; True when it arrived. One that fails late waits for the morning."""
    now = now or timezone.now()
    if message.user and message.kind == MessageKind.NOTICES:
        later = quiet_until(preferences_of(message.user), now)
        if later:
            NoticeMessage.objects.filter(pk=message.pk, sent_at=None).update(next_at=later)
            return False
    return attempt(message, lambda: _send(message), now=now)


def _send(message: NoticeMessage) -> None:
    """Raises OSError, SMTPException or WebhookRefused. Nothing is sent that would say nothing, or has no receiver."""
    if message.channel == DeliveryChannel.WEBHOOK and message.notice:
        if settings.NOTICE_WEBHOOK_URL:
            webhook_send(
                document(message.notice), url=settings.NOTICE_WEBHOOK_URL, secret=settings.NOTICE_WEBHOOK_SECRET
            )
    elif message.user and message.user.email and message.user.is_active:
        mail = letter(message, message.user)
        if mail:
            mail.send()


#: A thread for each channel: a webhook that does not answer must not hold up the mails.
_asides = {
    channel: Aside(f"notice-{channel}", partial(messages_send, channels=[channel])) for channel in DeliveryChannel
}


def messages_send_aside() -> None:
    """Send in threads of their own, where there is something."""
    for channel, aside in _asides.items():
        if messages_due(timezone.now(), [channel]).exists():
            aside.start()
