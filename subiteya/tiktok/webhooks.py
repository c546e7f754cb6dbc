"""TikTok's webhooks (webhooks-verification, webhooks-events)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence

from subiteya.tiktok.types import WebhookEvent, number, text

TOLERANCE_SECONDS = 300


class WebhookInvalid(Exception):
    """Not a webhook of TikTok's; `code` says why: no_signature, stale, forged, unreadable."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def verify_webhook(
    header: str, body: bytes, *, secrets: Sequence[str], now: float, tolerance: float = TOLERANCE_SECONDS
) -> None:
    """Check `TikTok-Signature: t=<unix>,s=<hex>` over the raw body, in constant time.

    `secrets`: any of these may have signed, so that a client secret can be replaced. `now` and `tolerance` in
    seconds. Raises WebhookInvalid.
    """
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _eq, value in pairs if name == "t"]
    signatures = [value for name, _eq, value in pairs if name == "s"]
    if len(times) != 1 or not signatures or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:
        raise WebhookInvalid("no_signature")
    if abs(now - int(times[0])) > tolerance:
        raise WebhookInvalid("stale")
    signed = times[0].encode() + b"." + body
    good = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in secrets if secret]
    if not any(hmac.compare_digest(ours, theirs.encode(errors="replace")) for ours in good for theirs in signatures):
        raise WebhookInvalid("forged")


def parse_webhook(body: bytes) -> WebhookEvent:
    """Unpack the event; its `content` is JSON inside a string. Raises WebhookInvalid `unreadable`."""
    try:
        data = json.loads(body)
        content = json.loads(data.get("content") or "{}")
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise WebhookInvalid("unreadable") from None
    if not isinstance(content, dict) or not text(data, "event"):
        raise WebhookInvalid("unreadable")
    return WebhookEvent(
        event=text(data, "event"),
        create_time=number(data, "create_time"),
        user_openid=text(data, "user_openid"),
        publish_id=text(content, "publish_id"),
        post_id=text(content, "post_id"),
        reason=text(content, "reason"),
    )
