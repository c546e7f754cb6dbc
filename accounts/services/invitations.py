"""A link with which the owner of a TikTok account renews our access to it, without being one of our people.

The link names the account and nothing else, works for a week and until the account is connected again, and can
connect no other account: whoever finds it can do nothing with it but log in to that account at TikTok.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from accounts.models import TikTokAccount

#: Without a time of its own, which would make each link different.
SIGNER = signing.Signer(salt="accounts.invitation")
DAYS = 7


class InvitationOver(Exception):
    """The link is not ours, is too old, or the account was connected since."""


def invitation_link(account: TikTokAccount) -> str:
    """The whole address; the same one all day, so that a page that shows it does not change."""
    until = timezone.localdate() + timedelta(days=DAYS)
    token = SIGNER.sign_object([account.pk, _connection(account), until.isoformat()])
    return f"{settings.SITE_URL}{reverse('accounts:account_invitation', args=[token])}"


def invited_account(token: str) -> TikTokAccount:
    """The account that the link is about. Raises InvitationOver."""
    try:
        pk, connection, until = SIGNER.unsign_object(token)
    except signing.BadSignature:
        raise InvitationOver from None
    account = TikTokAccount.objects.filter(pk=pk).first()
    if account is None or _connection(account) != connection or date.fromisoformat(until) < timezone.localdate():
        raise InvitationOver
    return account


def _connection(account: TikTokAccount) -> str:
    """Which connection of the account the link renews: the next one makes it useless."""
    return account.connected_at.isoformat() if account.connected_at else ""
