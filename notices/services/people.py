"""Who is told, and what each person wants."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from accounts.models import TikTokAccount, User
from accounts.roles import Role
from notices.models import NoticePreferences
from publishing.models import Video


def preferences_of(person: User) -> NoticePreferences:
    """The person's row, or the defaults, which are not stored."""
    try:
        return person.notice_preferences
    except NoticePreferences.DoesNotExist:
        return NoticePreferences(user=person)


def people_in_charge(account_id: int) -> list[User]:
    """The account's community managers and the administrators who want every account; all of the latter when
    nobody is in charge.
    """
    through = TikTokAccount.managers.through.objects.filter(tiktokaccount=account_id, user=OuterRef("pk"))
    people = User.objects.filter(is_active=True).annotate(in_charge=Exists(through))
    found = list(
        people.filter(Q(in_charge=True) | Q(is_staff=True)).select_related("notice_preferences").order_by("pk")
    )
    orphan = not any(person.in_charge for person in found)
    return [person for person in found if orphan or person.in_charge or preferences_of(person).all_accounts]


def approvers_of(account_id: int, submitter_id: int) -> list[User]:
    """The approvers in charge of the account but who submitted it; the administrators when there is none."""
    approvers = User.objects.filter(is_active=True, role=Role.APPROVER, accounts=account_id).exclude(pk=submitter_id)
    found = list(approvers.select_related("notice_preferences").order_by("pk"))
    if found:
        return found
    administrators = User.objects.filter(is_active=True, is_staff=True)
    return list(administrators.select_related("notice_preferences").order_by("pk"))


def submitter_of(video: Video) -> list[User]:
    """Whoever submitted it, while they work here."""
    people = User.objects.filter(pk=video.batch.created_by_id, is_active=True)
    return list(people.select_related("notice_preferences"))


def quiet_until(wants: NoticePreferences, now: datetime) -> datetime | None:
    """When the quiet hours that hold at `now` end; None outside of them. The hours are those of the person's zone."""
    begins, ends = wants.quiet_from, wants.quiet_to
    local = now.astimezone(wants.zone)
    clock = local.time()
    over_midnight = begins > ends
    inside = (clock >= begins or clock < ends) if over_midnight else begins <= clock < ends
    if not wants.quiet or not inside:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and clock >= begins else local.date()
    return datetime.combine(day, ends, tzinfo=wants.zone)
