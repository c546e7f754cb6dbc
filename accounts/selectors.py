"""Reading accounts."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import TikTokAccount, TikTokAccountQuerySet, User


def accounts_for(user: User | AnonymousUser) -> TikTokAccountQuerySet:
    """The accounts that `user` may see, by name, with sector and token age."""
    return TikTokAccount.objects.for_user(user).select_related("sector", "token").order_by("username")
