"""TikTok's clients, built from the settings: the sandbox and the real TikTok differ only in addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings

from accounts.models import TikTokAccount
from accounts.signals import tiktok_called
from subiteya.tiktok import Endpoint, OAuthClient, TikTokClient, TikTokError

USER_AGENT = "SubiteYa/0.1"


def oauth_client(account: TikTokAccount | None = None) -> OAuthClient:
    """A client for the token endpoint; `account` is whose tokens it is about, when that is known."""
    return OAuthClient(
        client_key=settings.TIKTOK_CLIENT_KEY,
        client_secret=settings.TIKTOK_CLIENT_SECRET,
        api_base=settings.TIKTOK_API_BASE,
        watch=partial(_watched, account),
    )


def client_with(access_token: str, account: TikTokAccount | None = None) -> TikTokClient:
    """A client that speaks for whoever `access_token` belongs to: `account`, when that is known."""
    return TikTokClient(
        access_token=access_token,
        api_base=settings.TIKTOK_API_BASE,
        upload_hosts=settings.TIKTOK_UPLOAD_HOSTS,
        allow_http=settings.TIKTOK_SANDBOX,
        user_agent=USER_AGENT,
        watch=partial(_watched, account),
    )


@contextmanager
def _watched(account: TikTokAccount | None, endpoint: Endpoint) -> Iterator[None]:
    """Tell who listens how long the call took and what became of it.

    Other exceptions (the worker stops, the lease is lost) say nothing about TikTok: they are not told.
    """
    started = time.perf_counter()
    try:
        yield
    except TikTokError as error:
        _tell(account, endpoint, started, error)
        raise
    _tell(account, endpoint, started, None)


def _tell(account: TikTokAccount | None, endpoint: Endpoint, started: float, error: TikTokError | None) -> None:
    seconds = time.perf_counter() - started
    tiktok_called.send(TikTokClient, endpoint=endpoint, account=account, seconds=seconds, error=error)
