"""A mail that only says that mails arrive."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User
from monitoring.models import DeliveryChannel
from notices.models import MessageKind, NoticeMessage
from notices.services.sending import message_send

#: So many test mails an hour and person.
MOST = 3


class TestRefused(Exception):
    """No mail went out; str() says why, to the person."""


def test_mail_send(*, user: User) -> None:
    """Send one now, in this request: whoever asks wants to know. Raises TestRefused."""
    now = timezone.now()
    if not settings.NOTICE_MAILS:
        raise TestRefused(gettext("No mail server is set up here: ask an administrator."))
    if not user.email:
        raise TestRefused(gettext("You have no e-mail address here: ask an administrator to add it."))
    recent = NoticeMessage.objects.filter(user=user, kind=MessageKind.TEST, made_at__gt=now - timedelta(hours=1))
    if recent.count() >= MOST:
        raise TestRefused(gettext("You have had three test mails within an hour: try again later."))
    message = NoticeMessage.objects.create(
        channel=DeliveryChannel.EMAIL, kind=MessageKind.TEST, user=user, next_at=now, made_at=now
    )
    if not message_send(message):
        raise TestRefused(
            gettext("The mail server did not take it: %(error)s. It is tried again by itself.")
            % {"error": message.error}
        )
