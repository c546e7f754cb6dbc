"""TikTok's webhooks (webhooks-verification, webhooks-events)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence

from subiteya.tiktok.types import WebhookEvent

TOLERANCE_SECONDS = 300


class WebhookInvalid(Exception):
    """Not a webhook of TikTok's; `code` says why: no_signature, stale, forged, unreadable."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def verify_webhook(header: str, body: bytes, *, secrets: Sequence[str], now: float) -> None:
    """Check `TikTok-Signature: t=<unix>,s=<hex>` over the raw body, in constant time. Raises WebhookInvalid."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _eq, value in pairs if name == "t"]
    signatures = [value for name, _eq, value in pairs if name == "s"]
    if len(times) != 1 or not signatures or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:
        raise WebhookInvalid("no_signature")
    if abs(now - int(times[0])) > TOLERANCE_SECONDS:
        raise WebhookInvalid("stale")
    signed = times[0].encode() + b"." + body
    good = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in secrets if secret]
    if not any(hmac.compare_digest(ours, theirs.encode()) for ours in good for theirs in signatures):
        raise WebhookInvalid("forged")


def parse_webhook(body: bytes) -> WebhookEvent:
    """Unpack the event; its `content` is JSON inside a string. Raises WebhookInvalid `unreadable`."""
    try:
        data = json.loads(body)
        content = json.loads(data.get("content") or "{}")
        return WebhookEvent(
            event=str(data["event"]),
            create_time=int(data.get("create_time") or 0),
            user_openid=str(data.get("user_openid") or ""),
            publish_id=str(content.get("publish_id") or ""),
            post_id=str(content.get("post_id") or ""),
            reason=str(content.get("reason") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise WebhookInvalid("unreadable") from None
