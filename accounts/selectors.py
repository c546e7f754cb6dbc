"""Reading accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from accounts.models import OAuthToken, TikTokAccount, TikTokAccountQuerySet, User
from subiteya.lib.crypto import Sealed

#: A refresh token with less than this is for a person to look at: only reconnecting renews it.
REFRESH_ENDS_SOON = timedelta(hours=48)
#: Accounts that a page names at once, to choose one of them; where there are more, a part of the name is typed.
NAMED = 30


def accounts_for(user: User | AnonymousUser) -> TikTokAccountQuerySet:
    """The accounts that `user` may see, by name, with sector and token age."""
    return TikTokAccount.objects.for_user(user).select_related("sector", "token").order_by("username")


def names_of(user: User | AnonymousUser, *, chosen: int | None = None) -> tuple[dict[int, str], bool]:
    """`{pk: "@name"}` of the first accounts that `user` may see, by name, and whether there are more.

    The `chosen` one is always there if they may see it.
    """
    visible = TikTokAccount.objects.for_user(user).order_by("username")
    found = {pk: f"@{username}" for pk, username in visible.values_list("pk", "username")[: NAMED + 1]}
    more = len(found) > NAMED
    if more and chosen and chosen not in found:
        found |= {account.pk: str(account) for account in visible.filter(pk=chosen)}
    return found, more


def accounts_like(user: User | AnonymousUser, words: str) -> list[TikTokAccount]:
    """The accounts that `user` may see with `words` in their name or nickname, as many as a list can be read."""
    words = words.strip().removeprefix("@")
    match = Q(username__icontains=words) | Q(display_name__icontains=words)
    return list(TikTokAccount.objects.for_user(user).filter(match).order_by("username")[:NAMED])


def account_named(user: User | AnonymousUser, name: str) -> int | None:
    """The account that `user` may see and that is called `name`, with or without its @."""
    called = TikTokAccount.objects.for_user(user).filter(username__iexact=name.strip().removeprefix("@"))
    return called.order_by("pk").values_list("pk", flat=True).last()


class TokenStatus(StrEnum):
    """How an account's tokens stand."""

    GOOD = "good"
    REFRESH_DUE = "refresh_due"
    ENDS_SOON = "ends_soon"
    ENDED = "ended"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, kw_only=True)
class TokenState:
    """What may be known of an account's tokens without opening them."""

    account: str
    status: TokenStatus
    scopes: frozenset[str] = frozenset()
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    refresh_issued_at: datetime | None = None
    refreshed_at: datetime | None = None
    #: Ids of the keys that its values need, usually one; `?`: a value from before they were kept.
    key_ids: list[str] = field(default_factory=list)


def token_states(now: datetime) -> list[TokenState]:
    """Every account's, by name. Nothing is decrypted."""
    stored: Any = OAuthToken.objects.values_list("pk", "access_token", "refresh_token")
    sealed: dict[int, list[Sealed]] = {pk: texts for pk, *texts in stored}
    accounts = TikTokAccount.objects.select_related("token").order_by("username", "pk")
    return [_token_state(account, sealed, now) for account in accounts]


def _token_state(account: TikTokAccount, sealed: dict[int, list[Sealed]], now: datetime) -> TokenState:
    token = getattr(account, "token", None)
    if token is None or not account.is_connected:
        return TokenState(account=account.username, status=TokenStatus.DISCONNECTED)
    return TokenState(
        account=account.username,
        status=_token_status(token, now),
        scopes=token.scopes,
        access_expires_at=token.expires_at,
        refresh_expires_at=token.refresh_expires_at,
        refresh_issued_at=token.refresh_issued_at,
        refreshed_at=token.refreshed_at,
        key_ids=sorted({text.key_id or "?" for text in sealed.get(token.pk, [])}),
    )


def _token_status(token: OAuthToken, now: datetime) -> TokenStatus:
    if token.refresh_expires_at <= now:
        return TokenStatus.ENDED
    if token.refresh_expires_at < now + REFRESH_ENDS_SOON:
        return TokenStatus.ENDS_SOON
    return TokenStatus.GOOD if token.expires_at > now else TokenStatus.REFRESH_DUE
