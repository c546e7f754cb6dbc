"""Fresh access tokens, and their end.

TikTok rotates refresh tokens, so two refreshes at once could lose the account.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import AccountEventKind, AccountStatus, OAuthToken, TikTokAccount, User
from accounts.services.clients import client_with, oauth_client
from accounts.services.events import account_event
from accounts.signals import account_disconnected
from subiteya.tiktok import InvalidGrant, LocalFailure, TikTokClient, TokenAnswer

logger = logging.getLogger(__name__)

#: Refresh when less than this is left, so that a token does not die in the middle of a part.
FRESH_FOR = timedelta(minutes=5)
CLAIM = timedelta(seconds=60)
WAIT_SECONDS = 30.0


class AccountNotConnected(Exception):
    """The account has no tokens that TikTok accepts: a person has to reconnect it."""

    def __init__(self, account: TikTokAccount) -> None:
        self.account = account
        super().__init__(f"account {account.pk} is not connected")


def access_token_for(*, account: TikTokAccount, force_refresh: bool = False) -> str:
    """An access token that is valid for at least a few minutes.

    `force_refresh`: TikTok has just refused the stored one. Raises AccountNotConnected, or TikTokError when
    TikTok cannot be reached, or when whoever refreshes it now does not come to an end.
    """
    token = _token(account)
    refused = token.access_token if force_refresh else None
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        if token.access_token != refused and token.expires_at > timezone.now() + FRESH_FOR:
            return str(token.access_token)
        if _claim(token) and (fresh := _refresh(account, token)):
            return fresh
        if time.monotonic() > deadline:
            raise LocalFailure("unavailable", "another process does not end its refresh")  # it may have died
        time.sleep(0.2)  # another process is refreshing: its result is ours too
        token = _token(account)


def _token(account: TikTokAccount) -> OAuthToken:
    token = OAuthToken.objects.filter(account=account, account__status=AccountStatus.CONNECTED).first()
    if token is None:
        raise AccountNotConnected(account)
    return token


def _claim(token: OAuthToken) -> bool:
    """Only one caller may refresh: a conditional UPDATE on what was read decides who."""
    now = timezone.now()
    free = Q(refresh_claimed_until=None) | Q(refresh_claimed_until__lt=now)
    claimed = OAuthToken.objects.filter(free, pk=token.pk, expires_at=token.expires_at)
    return claimed.update(refresh_claimed_until=now + CLAIM) == 1


def _refresh(account: TikTokAccount, token: OAuthToken) -> str:
    """A new access token; nothing when somebody else has renewed the account meanwhile: theirs is the one to use."""
    used = token.refresh_token
    try:
        answer = oauth_client(account).refresh(used)
    except InvalidGrant as error:
        if not _lost(account, used, error.log_id):
            return ""
        raise AccountNotConnected(account) from error
    except BaseException:
        OAuthToken.objects.filter(pk=token.pk).update(refresh_claimed_until=None)
        raise
    return answer.access_token if _keep(account, used, answer) else ""


@transaction.atomic
def _keep(account: TikTokAccount, used: str, answer: TokenAnswer) -> bool:
    """Store the answer, unless what it renews is not ours any more: the account was reconnected, or let go."""
    token = _locked(account)
    if token is None or token.refresh_token != used:
        return _superseded(token)
    token_store(account=account, answer=answer)
    account_event(account=account, kind=AccountEventKind.REFRESHED)
    return True


@transaction.atomic
def _lost(account: TikTokAccount, used: str, log_id: str) -> bool:
    """TikTok refused `used`: the account is lost, unless it was reconnected or refreshed while we asked."""
    token = _locked(account)
    if token is not None and token.refresh_token != used:
        return _superseded(token)
    account_lost(account=account, reason="refresh_refused", log_id=log_id)
    return True


def _locked(account: TikTokAccount) -> OAuthToken | None:
    """The tokens as they are now; the account's row is locked first, as everywhere."""
    TikTokAccount.objects.select_for_update().filter(pk=account.pk).first()
    return OAuthToken.objects.select_for_update().filter(account=account).first()


def _superseded(token: OAuthToken | None) -> bool:
    if token is not None:
        OAuthToken.objects.filter(pk=token.pk).update(refresh_claimed_until=None)
    return False


def token_store(*, account: TikTokAccount, answer: TokenAnswer) -> OAuthToken:
    """Store what TikTok answered, before anything uses it. An empty refresh token never replaces one."""
    now = timezone.now()
    fields = {
        "access_token": answer.access_token,
        "scope": ",".join(sorted(answer.scope)),
        "expires_at": now + timedelta(seconds=answer.expires_in),
        "refreshed_at": now,
        "refresh_claimed_until": None,
    }
    if answer.refresh_token:
        fields["refresh_token"] = answer.refresh_token
        fields["refresh_issued_at"] = now
        fields["refresh_expires_at"] = now + timedelta(seconds=answer.refresh_expires_in)
    token, _created = OAuthToken.objects.update_or_create(account=account, defaults=fields)
    return token


@transaction.atomic
def account_lost(*, account: TikTokAccount, reason: str, actor: User | None = None, log_id: str = "") -> None:
    """TikTok does not accept our tokens any more: forget them and mark the account. Safe to call twice."""
    OAuthToken.objects.filter(account=account).delete()
    changed = TikTokAccount.objects.filter(pk=account.pk, status=AccountStatus.CONNECTED).update(
        status=AccountStatus.DISCONNECTED, status_reason=reason, disconnected_at=timezone.now()
    )
    account.refresh_from_db(fields=["status", "status_reason", "disconnected_at"])
    if changed:
        event = account_event(
            account=account, kind=AccountEventKind.DISCONNECTED, reason=reason, actor=actor, log_id=log_id
        )
        lost = partial(account_disconnected.send, TikTokAccount, account=account, actor=actor, event=event)
        transaction.on_commit(lost)


def client_for(account: TikTokAccount, *, force_refresh: bool = False) -> TikTokClient:
    """A client with a fresh token of `account`. Raises AccountNotConnected, or TikTok's errors on refresh."""
    return client_with(access_token_for(account=account, force_refresh=force_refresh), account)
