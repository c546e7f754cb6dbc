"""Alerts sent to a webhook of the agency's: Alertmanager's shape, signed, bounded in size and time."""

from __future__ import annotations

import hashlib
import hmac
import time

import requests
from django.conf import settings

from monitoring.alerts.messages import webhook_body
from monitoring.models import Alert

#: Seconds to connect, and to wait for the answer.
TIMEOUTS = (5, 10)
MOST_BYTES = 64_000
SIGNATURE = "SubiteYa-Signature"


class WebhookRefused(Exception):
    """It did not arrive; str() says why, without the address, which may hold a secret."""


def webhook_post(alert: Alert, *, resolved: bool) -> None:
    """Deliver the news of `alert`. Any answer but 2xx, and a redirect too, raises WebhookRefused."""
    body = webhook_body(alert, resolved=resolved)
    if len(body) > MOST_BYTES:
        raise WebhookRefused(f"the message has {len(body)} bytes, and {MOST_BYTES} are the most")
    headers = {"Content-Type": "application/json", "User-Agent": "SubiteYa", SIGNATURE: signature(body)}
    try:
        # `stream`: whatever the receiver answers, its body is not read.
        with requests.post(
            settings.ALERT_WEBHOOK_URL, data=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except requests.RequestException as error:
        raise WebhookRefused(f"no answer ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise WebhookRefused(f"HTTP {status}")


def signature(body: bytes, *, at: int | None = None) -> str:
    """`t=…,v1=…`: the second, and the HMAC-SHA256 of "second.body" under the shared secret, in hexadecimal."""
    at = int(time.time()) if at is None else at
    message = b"%d.%b" % (at, body)
    return f"t={at},v1={hmac.new(settings.ALERT_WEBHOOK_SECRET.encode(), message, hashlib.sha256).hexdigest()}"
