"""Connecting, importing and disconnecting TikTok accounts."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import (
    AccountEventKind,
    AccountStatus,
    OAuthAttempt,
    OAuthToken,
    Sector,
    TikTokAccount,
    User,
    validate_time_zone,
)
from accounts.services.clients import client_with, oauth_client
from accounts.services.events import account_event
from accounts.services.tokens import account_lost, token_store
from accounts.signals import account_connected
from subiteya.lib.crypto import DecryptionFailed
from subiteya.tiktok import OAuthError, TikTokError, TokenAnswer, UserInfo, authorize_url, new_pkce

logger = logging.getLogger(__name__)

SCOPES = (
    "user.info.basic",
    "user.info.profile",
    "user.info.stats",
    "video.publish",
    "video.upload",
    "video.list",
)
#: Without one of these nothing can be published.
PUBLISH_SCOPES = frozenset({"video.publish", "video.upload"})
STATE_LIFE = timedelta(minutes=10)
DEFAULT_SECTOR = "General"


class OAuthRefused(Exception):
    """The trip to TikTok did not connect the account; `code` says why.

    Codes: state_invalid, access_denied, scopes_missing, other_account, not_in_charge, or TikTok's own.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class ImportInvalid(Exception):
    """An imported OAuth answer lacks something; `field` says what."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


def oauth_start(*, user: User | None, account: TikTokAccount | None, redirect_uri: str) -> str:
    """Remember one trip to TikTok's authorise page and return its address. `account`: reconnect this one.

    `user` None: the account's owner, who came with a link (see `accounts.services.invitations`); then it is set.
    """
    _forget_verifiers()
    state = secrets.token_urlsafe(32)
    pkce = new_pkce(settings.TIKTOK_PKCE)
    OAuthAttempt.objects.create(
        state_hash=_hash(state),
        code_verifier=pkce.verifier,
        user=user,
        account=account,
        created_at=timezone.now(),
    )
    return authorize_url(
        authorize_base=settings.TIKTOK_AUTHORIZE_BASE,
        client_key=settings.TIKTOK_CLIENT_KEY,
        scopes=SCOPES,
        redirect_uri=redirect_uri,
        state=state,
        pkce=pkce,
    )


def oauth_finish(
    *, user: User | None, state: str, code: str, redirect_uri: str, sector: Sector | None = None
) -> tuple[TikTokAccount, bool]:
    """Exchange what TikTok's page came back with; return the account and whether it is new. Raises OAuthRefused."""
    attempt = _use_state(user, state)
    try:
        answer = oauth_client().exchange_code(code=code, redirect_uri=redirect_uri, code_verifier=attempt.code_verifier)
        _check_scopes(answer)
        _check_same(attempt, answer)
        info = client_with(answer.access_token).user_info()
    except (OAuthError, TikTokError) as error:
        logger.warning("oauth_refused", extra={"code": error.code, "log_id": error.log_id})
        raise OAuthRefused(error.code) from error
    return _connect(user=user, answer=answer, info=info, sector=sector)


def _use_state(user: User | None, state: str) -> OAuthAttempt:
    """`state` works once, for ten minutes, for the person who left with it. The verifier leaves with it."""
    fresh = OAuthAttempt.objects.filter(
        state_hash=_hash(state), user=user, used_at=None, created_at__gt=timezone.now() - STATE_LIFE
    )
    if not fresh.update(used_at=timezone.now()):
        raise OAuthRefused("state_invalid")
    attempt = OAuthAttempt.objects.get(state_hash=_hash(state))
    OAuthAttempt.objects.filter(pk=attempt.pk).update(code_verifier="")
    return attempt


def oauth_give_up(*, user: User | None, state: str) -> None:
    """TikTok's page came back with an error: the state is used up all the same."""
    with suppress(OAuthRefused):
        _use_state(user, state)


def _forget_verifiers() -> None:
    """Of trips from which nobody came back in time."""
    over = OAuthAttempt.objects.filter(created_at__lt=timezone.now() - STATE_LIFE)
    over.exclude(code_verifier="").update(code_verifier="")


def _check_scopes(answer: TokenAnswer) -> None:
    if not PUBLISH_SCOPES & set(answer.scope):
        raise OAuthRefused("scopes_missing")


def _check_same(attempt: OAuthAttempt, answer: TokenAnswer) -> None:
    """Reconnecting one account with another's log-in would publish to the wrong place."""
    if attempt.account_id and attempt.account and attempt.account.open_id != answer.open_id:
        raise OAuthRefused("other_account")


@transaction.atomic
def _connect(
    *, user: User | None, answer: TokenAnswer, info: UserInfo, sector: Sector | None
) -> tuple[TikTokAccount, bool]:
    known = TikTokAccount.objects.select_for_update().filter(open_id=answer.open_id).first()
    if known and user and not TikTokAccount.objects.for_user(user).filter(pk=known.pk).exists():
        raise OAuthRefused("not_in_charge")
    fields = {
        "username": info.username or (known.username if known else answer.open_id[:64]),
        "display_name": info.display_name or (known.display_name if known else ""),
        "avatar_url": info.avatar_url or (known.avatar_url if known else ""),
        "sector": known.sector if known else sector or default_sector(),
    }
    kind = AccountEventKind.RECONNECTED if known else AccountEventKind.CONNECTED
    account = _save_connected(answer, fields, kind=kind, actor=user)
    if known is None and user and not user.is_staff:
        account.managers.add(user)
    return account, known is None


def account_import(
    *, answer: dict[str, Any], username: str, sector_name: str, actor: User | None = None,
    managers: Iterable[User] = (), display_name: str = "", time_zone: str = "",
) -> tuple[TikTokAccount, bool]:  # fmt: skip
    """Take an OAuth answer that was obtained elsewhere; idempotent by open_id. Raises ImportInvalid."""
    try:
        token = TokenAnswer.from_json(answer)
    except (KeyError, TypeError, ValueError, TikTokError) as error:
        raise ImportInvalid(_missing(answer), str(error) or "is not valid") from None
    if not username.strip("@ "):
        raise ImportInvalid("username", "is required")
    if not sector_name.strip():
        raise ImportInvalid("sector", "is required")
    return _import(token, username.strip("@ "), sector_name.strip(), actor, tuple(managers), display_name, time_zone)


@transaction.atomic
def _import(
    token: TokenAnswer, username: str, sector_name: str, actor: User | None, managers: tuple[User, ...],
    display_name: str, time_zone: str,
) -> tuple[TikTokAccount, bool]:  # fmt: skip
    sector, _made = Sector.objects.get_or_create(name=sector_name, defaults={"slug": slugify(sector_name)})
    known = TikTokAccount.objects.select_for_update().filter(open_id=token.open_id).exists()
    fields: dict[str, Any] = {"username": username, "sector": sector}
    if display_name:
        fields["display_name"] = display_name
    if time_zone:
        try:
            validate_time_zone(time_zone)
        except ValidationError as error:
            raise ImportInvalid("time_zone", error.messages[0]) from None
        fields["time_zone"] = time_zone
    account = _save_connected(token, fields, kind=AccountEventKind.IMPORTED, actor=actor)
    account.managers.add(*managers)
    return account, not known


def _save_connected(
    answer: TokenAnswer, fields: dict[str, Any], *, kind: AccountEventKind, actor: User | None
) -> TikTokAccount:
    """Write the account, its tokens and the event, and tell whoever waits for it after the commit."""
    connected = {"status": AccountStatus.CONNECTED, "status_reason": "", "connected_at": timezone.now()}
    account, _created = TikTokAccount.objects.update_or_create(open_id=answer.open_id, defaults=fields | connected)
    token_store(account=account, answer=answer)
    event = account_event(account=account, kind=kind, actor=actor)
    transaction.on_commit(partial(account_connected.send, TikTokAccount, account=account, actor=actor, event=event))
    return account


def account_disconnect(*, account: TikTokAccount, reason: str, actor: User | None = None) -> None:
    """Give our access back to TikTok (as far as it answers), forget the tokens, tell whoever waits."""
    token = OAuthToken.objects.filter(account=account).first()
    if token:
        try:
            oauth_client(account).revoke(token.access_token)
        except (OAuthError, TikTokError, DecryptionFailed) as error:
            code = getattr(error, "code", "decryption_failed")  # of a token whose key is lost
            logger.warning("revoke_failed", extra={"account_id": account.pk, "code": code})
    account_lost(account=account, reason=reason, actor=actor)


def default_sector() -> Sector:
    sector, _created = Sector.objects.get_or_create(slug=slugify(DEFAULT_SECTOR), defaults={"name": DEFAULT_SECTOR})
    return sector


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _missing(answer: dict[str, Any]) -> str:
    wanted = ("open_id", "access_token", "refresh_token", "expires_in", "refresh_expires_in", "scope")
    return next((name for name in wanted if not answer.get(name)), "answer")
