"""Mails of notices: collected for each person, and held back in their quiet hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from monitoring.models import DeliveryChannel
from notices.models import MessageKind, NoticeCopy, NoticeCopyQuerySet, NoticeMessage
from notices.services.people import preferences_of, quiet_until

#: Between two mails with notices to one person: what comes meanwhile goes together.
GAP = timedelta(minutes=15)


def waiting_copies() -> NoticeCopyQuerySet:
    """Copies that are to go by mail and are in none yet. What was read in the app meanwhile is not sent."""
    return NoticeCopy.objects.filter(mail=None, mail_at__isnull=False, read_at=None)


def mails_compose(now: datetime) -> int:
    """Put what waits into one mail per person; how many mails. In quiet hours, and soon after a mail, it waits on."""
    people = User.objects.filter(pk__in=waiting_copies().filter(mail_at__lte=now).order_by().values("user"))
    return sum(_compose(person, now) for person in people.select_related("notice_preferences"))


def _compose(person: User, now: datetime) -> int:
    later = quiet_until(preferences_of(person), now) or _soonest(person)
    if later and later > now:
        waiting_copies().filter(user=person, mail_at__lt=later).update(mail_at=later)
        return 0
    with transaction.atomic():
        mail = NoticeMessage.objects.create(
            channel=DeliveryChannel.EMAIL, kind=MessageKind.NOTICES, user=person, next_at=now, made_at=now
        )
        if waiting_copies().filter(user=person).update(mail=mail):
            return 1
        mail.delete()  # another process was quicker
    return 0


def _soonest(person: User) -> datetime | None:
    mails = NoticeMessage.objects.filter(user=person, kind=MessageKind.NOTICES)
    last = mails.order_by("-made_at").values_list("made_at", flat=True).first()
    return last + GAP if last else None
