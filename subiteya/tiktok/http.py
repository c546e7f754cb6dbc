"""One way to make an HTTP call: time-outs, a size limit, no redirects, errors of our own."""

from __future__ import annotations

import json
import logging
from typing import Any

import requests

from subiteya.tiktok.errors import BadAnswer, TikTokUnavailable

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ANSWER_MAX = 1 << 20


def call(
    session: requests.Session,
    method: str,
    url: str,
    *,
    what: str,
    timeout: tuple[float, float] | None = None,
    **kwargs: Any,
) -> tuple[requests.Response, bytes]:
    """Send and read a bounded answer. `what` names the call in errors and logs, which never hold the address.

    Raises TikTokUnavailable when nothing usable comes back.
    """
    try:
        with session.request(
            method,
            url,
            timeout=timeout or (CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
            **kwargs,
        ) as response:
            body = _read(response)
    except requests.RequestException as error:
        # The library's text may quote the address, which may carry a token: only the class is kept.
        raise TikTokUnavailable("unavailable", f"{what}: {type(error).__name__}") from None
    logger.debug("tiktok_called", extra={"call": what, "status": response.status_code})
    return response, body


def _read(response: requests.Response) -> bytes:
    body = b""
    for block in response.iter_content(65536):
        body += block
        if len(body) > ANSWER_MAX:
            raise BadAnswer("bad_answer", "the answer is too large", status=response.status_code)
    return body


def parse_json(body: bytes, status: int) -> dict[str, Any]:
    """A JSON object, or BadAnswer (TikTokUnavailable for a 5xx, whatever its body)."""
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    if isinstance(data, dict):
        return data
    if status >= 500:
        raise TikTokUnavailable("unavailable", "no JSON in a server error", status=status)
    raise BadAnswer("bad_answer", "the answer is no JSON object", status=status)


def retry_after(response: requests.Response) -> float | None:
    """Seconds of `Retry-After`, when it is a number."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
