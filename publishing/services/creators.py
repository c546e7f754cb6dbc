"""Asking TikTok what an account may post at this moment, and remembering its answer for forecasts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import TikTokAccount
from accounts.services.tokens import AccountNotConnected, client_for
from publishing.causes import sentence
from publishing.models import CreatorLimits
from subiteya.tiktok import CreatorInfo, TikTokClient, TikTokError, TokenInvalid

logger = logging.getLogger(__name__)

ASK_THREADS = 4


@dataclass(frozen=True)
class Problem:
    """Why an account's creator info could not be had; `code` is the catalogue's."""

    code: str
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return sentence(self.code, self.detail)


def creator_asked(account: TikTokAccount) -> tuple[TikTokClient, CreatorInfo]:
    """A client whose token TikTok accepts now, and its answer. Raises AccountNotConnected or TikTokError."""
    client, info = _ask(account)
    _remember(account, info)
    return client, info


def _ask(account: TikTokAccount) -> tuple[TikTokClient, CreatorInfo]:
    client = client_for(account)
    try:
        return client, client.creator_info()
    except TokenInvalid:
        client = client_for(account, force_refresh=True)
        return client, client.creator_info()


def creator_infos(*, accounts: Sequence[TikTokAccount]) -> dict[int, CreatorInfo | Problem]:
    """Ask TikTok now what each account may post; `{account pk: answer or why there is none}`."""
    contexts = [copy_context() for _account in accounts]
    with ThreadPoolExecutor(max_workers=ASK_THREADS) as pool:
        # A thread starts without the trace: each call takes a copy of it along.
        answers = list(pool.map(lambda context, account: context.run(_creator_info, account), contexts, accounts))
    for account, answer in zip(accounts, answers, strict=True):
        if isinstance(answer, CreatorInfo):
            _remember(account, answer)
    return {account.pk: answer for account, answer in zip(accounts, answers, strict=True)}


def _creator_info(account: TikTokAccount) -> CreatorInfo | Problem:
    detail = {"account": str(account)}
    try:
        return _ask(account)[1]
    except AccountNotConnected:
        return Problem("account_disconnected", detail)
    except TikTokError as error:
        logger.info(
            "creator_info_refused", extra={"account_id": account.pk, "code": error.code, "log_id": error.log_id}
        )
        return Problem(error.code, detail | {"log_id": error.log_id})
    finally:
        connection.close()


def _remember(account: TikTokAccount, info: CreatorInfo) -> None:
    CreatorLimits.objects.update_or_create(
        account=account,
        defaults={
            "max_duration_seconds": info.max_video_post_duration_sec,
            "privacy_levels": list(info.privacy_level_options),
            "comment_disabled": info.comment_disabled,
            "duet_disabled": info.duet_disabled,
            "stitch_disabled": info.stitch_disabled,
            "seen_at": timezone.now(),
        },
    )
    _remember_picture(account, info.creator_avatar_url)


def _remember_picture(account: TikTokAccount, address: str) -> None:
    """TikTok's addresses of pictures end after some days: the newest is kept."""
    longest = TikTokAccount._meta.get_field("avatar_url").max_length or 0
    if address and address != account.avatar_url and len(address) <= longest:
        account.avatar_url = address
        account.save(update_fields=["avatar_url"])
