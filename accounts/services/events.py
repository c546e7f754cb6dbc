"""The one place that writes an account's events."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import AccountEvent, AccountEventKind, TikTokAccount, User
from audit.catalogue import Action
from audit.services.recording import audit_record

#: Refreshes are left out: one per account and day, by nobody.
AUDITED = {
    AccountEventKind.CONNECTED: Action.TOKEN_CONNECTED,
    AccountEventKind.RECONNECTED: Action.TOKEN_CONNECTED,
    AccountEventKind.IMPORTED: Action.TOKEN_IMPORTED,
    AccountEventKind.REFRESH_FAILED: Action.TOKEN_REFRESH_FAILED,
    AccountEventKind.DISCONNECTED: Action.TOKEN_DISCONNECTED,
}


def account_event(
    *, account: TikTokAccount, kind: str, reason: str = "", log_id: str = "", actor: User | None = None
) -> AccountEvent:
    """Append what happened to `account`'s connection."""
    if action := AUDITED.get(AccountEventKind(kind)):
        audit_record(action=action, on=account, details={"kind": kind, "reason": reason}, actor=actor)
    return AccountEvent.objects.create(
        account=account, kind=kind, reason=reason, log_id=log_id, actor=actor, at=timezone.now()
    )
