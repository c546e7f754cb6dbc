"""Deciding, once per person and day, whether there is a summary to send."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from monitoring.models import DeliveryChannel
from notices.models import MessageKind, NoticeMessage, NoticePreferences
from notices.selectors.summary import summary_of
from notices.services.people import preferences_of, quiet_until


def summaries_compose(now: datetime) -> int:
    """Write the summaries whose hour has come; how many."""
    if not settings.NOTICE_MAILS:
        return 0
    in_charge = Q(accounts__isnull=False) | Q(is_staff=True, notice_preferences__all_accounts=True)
    people = User.objects.filter(in_charge, is_active=True).exclude(email="").distinct().order_by("pk")
    return sum(summary_compose(person, now) for person in people.select_related("notice_preferences"))


def summary_compose(person: User, now: datetime) -> int:
    """Write the person's summary of today if its hour has come, it was not decided on, and says something: 1 or 0."""
    wants = preferences_of(person)
    today = now.astimezone(wants.zone).date()
    if wants.summary_day == today or not _is_time(wants, now):
        return 0
    with transaction.atomic():
        if not _claim(wants, today) or not summary_of(person, wants, now):
            return 0
        NoticeMessage.objects.create(
            channel=DeliveryChannel.EMAIL, kind=MessageKind.SUMMARY, user=person, day=today, next_at=now, made_at=now
        )
    return 1


def _is_time(wants: NoticePreferences, now: datetime) -> bool:
    """Has the person's hour come today? One that is late, as after a night without a scheduler, respects the quiet
    hours unless the person chose an hour in them.
    """
    local = now.astimezone(wants.zone)
    chosen = datetime.combine(local.date(), wants.summary_at, tzinfo=wants.zone)
    if not wants.summary or local < chosen:
        return False
    return quiet_until(wants, now) is None or quiet_until(wants, chosen) is not None


def _claim(wants: NoticePreferences, today: date) -> bool:
    """The right to decide on this day's summary: one process gets it, and keeps it only if it commits."""
    NoticePreferences.objects.get_or_create(user=wants.user)
    mine = NoticePreferences.objects.filter(Q(summary_day=None) | ~Q(summary_day=today), user=wants.user)
    return mine.update(summary_day=today) == 1
