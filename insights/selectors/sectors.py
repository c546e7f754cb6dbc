"""Whose sectors."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Sector, TikTokAccount, User


def sectors_of(user: User) -> QuerySet[Sector]:
    """The sectors of the accounts that this person may see; all for whoever sees everything."""
    accounts = TikTokAccount.objects.for_user(user).order_by().values("pk")
    return Sector.objects.all() if user.sees_everything else Sector.objects.filter(accounts__in=accounts).distinct()
