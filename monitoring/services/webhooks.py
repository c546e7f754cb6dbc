"""What is sent to a webhook of the agency's: signed, bounded in size and time; alerts in Alertmanager's shape."""

from __future__ import annotations

import hashlib
import hmac
import time

from django.conf import settings

from monitoring.alerts.messages import webhook_body
from monitoring.models import Alert
from subiteya.lib import outgoing

MOST_BYTES = 64_000
SIGNATURE = "SubiteYa-Signature"


class WebhookRefused(Exception):
    """It did not arrive; str() says why, without the address, which may hold a secret."""


def webhook_post(alert: Alert, *, resolved: bool) -> None:
    """Deliver the news of `alert`. Raises WebhookRefused."""
    body = webhook_body(alert, resolved=resolved)
    webhook_send(body, url=settings.ALERT_WEBHOOK_URL, secret=settings.ALERT_WEBHOOK_SECRET)


def webhook_send(body: bytes, *, url: str, secret: str) -> None:
    """Post `body`, signed. Any answer but 2xx, and a redirect too, raises WebhookRefused."""
    if len(body) > MOST_BYTES:
        raise WebhookRefused(f"the message has {len(body)} bytes, and {MOST_BYTES} are the most")
    headers = {"Content-Type": "application/json", "User-Agent": "SubiteYa", SIGNATURE: signature(body, secret)}
    try:
        status = outgoing.post(url, body, headers=headers).status
    except outgoing.OutgoingRefused as error:
        raise WebhookRefused(str(error)) from None
    if not 200 <= status < 300:
        raise WebhookRefused(f"HTTP {status}")


def signature(body: bytes, secret: str, *, at: int | None = None) -> str:
    """`t=…,v1=…`: the second, and the HMAC-SHA256 of "second.body" under the shared secret, in hexadecimal."""
    at = int(time.time()) if at is None else at
    message = b"%d.%b" % (at, body)
    return f"t={at},v1={hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()}"
