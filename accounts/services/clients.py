"""TikTok's clients, built from the settings: the sandbox and the real TikTok differ only in addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings

from accounts.models import TikTokAccount
from accounts.signals import tiktok_called
from subiteya.lib.tracing import Span, SpanKind, failed, span
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
    """A span around the call; and tell who listens how long it took and what became of it.

    Other exceptions (the worker stops, the lease is lost) say nothing about TikTok: they are not told.
    """
    started = time.perf_counter()
    attributes: dict[str, Any] = {"tiktok.endpoint": endpoint}
    if account is not None and account.pk:
        attributes["subiteya.account_id"] = account.pk
    try:
        with span(f"tiktok {endpoint}", kind=SpanKind.CLIENT, attributes=attributes) as at, _outcome(at):
            yield
    except TikTokError as error:
        _tell(account, endpoint, started, error)
        raise
    _tell(account, endpoint, started, None)


@contextmanager
def _outcome(at: Span) -> Iterator[None]:
    """What TikTok said, without its words: those may repeat what was sent."""
    try:
        yield
    except TikTokError as error:
        given: dict[str, str | int] = {
            "tiktok.code": error.code,
            "tiktok.log_id": error.log_id,
            "http.response.status_code": error.status,
        }
        for name, value in given.items():
            if value:
                at.set_attribute(name, value)
        at.set_attribute("tiktok.outcome", "error")
        failed(at, error.reason)
        raise
    at.set_attribute("tiktok.outcome", "ok")


def _tell(account: TikTokAccount | None, endpoint: Endpoint, started: float, error: TikTokError | None) -> None:
    seconds = time.perf_counter() - started
    tiktok_called.send(TikTokClient, endpoint=endpoint, account=account, seconds=seconds, error=error)
