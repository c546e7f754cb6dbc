"""The one place that writes an account's events."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import AccountEvent, TikTokAccount, User


def account_event(
    *, account: TikTokAccount, kind: str, reason: str = "", log_id: str = "", actor: User | None = None
) -> AccountEvent:
    """Append what happened to `account`'s connection."""
    return AccountEvent.objects.create(
        account=account, kind=kind, reason=reason, log_id=log_id, actor=actor, at=timezone.now()
    )
