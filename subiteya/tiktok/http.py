"""One way to make an HTTP call: time-outs, a size limit, no redirects, errors of our own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import requests
from opentelemetry.trace import get_current_span
from urllib3.exceptions import HTTPError

from subiteya.tiktok.errors import BadAnswer, RateLimited, TikTokError, TikTokUnavailable

logger = logging.getLogger(__name__)
# urllib3 writes the path of every request to its debug log, and an upload address is a secret.
logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)

#: Seconds to connect (and for each write), and between two signs of life of an answer.
TIMEOUT = (5.0, 30.0)
ANSWER_MAX = 1 << 20
RETRY_AFTER_MAX = 86_400.0
CODE_MAX = 64
SECRET_MIN = 8


def new_session(user_agent: str = "SubiteYa") -> requests.Session:
    """A session that takes neither proxies nor passwords (.netrc) from the environment.

    An upload address is checked against an allowlist, and a proxy would make that check worthless.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = user_agent
    return session


def call(
    session: requests.Session, method: str, url: str, *, what: str, timeout: tuple[float, float], **kwargs: Any
) -> tuple[requests.Response, bytes]:
    """Send and read a bounded answer. `what` names the call in errors and logs, which never hold the address.

    Raises TikTokUnavailable when nothing usable comes back.
    """
    try:
        with session.request(method, url, timeout=timeout, allow_redirects=False, stream=True, **kwargs) as response:
            body = _read(response)
    except (requests.RequestException, HTTPError, UnicodeError) as error:
        problem = type(error).__name__
    else:
        get_current_span().set_attribute("http.response.status_code", response.status_code)
        logger.debug("tiktok_called", extra={"call": what, "status": response.status_code})
        return response, body
    # Raised out here, so that it does not carry the library's error, whose text may quote address and token.
    raise TikTokUnavailable("unavailable", f"{what}: {problem}")


def _read(response: requests.Response) -> bytes:
    body = b""
    for block in response.iter_content(65536):
        body += block
        if len(body) > ANSWER_MAX:
            raise BadAnswer("bad_answer", "the answer is too large", status=response.status_code)
    return body


def parse_json(response: requests.Response, body: bytes) -> dict[str, Any]:
    """A JSON object; what is none is raised as `unreadable` says."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        return data
    raise unreadable(response, "the answer is no JSON object")


def unreadable(response: requests.Response, message: str, *, log_id: str = "") -> TikTokError:
    """The error of an answer without a code: its HTTP status is all there is to go by."""
    status = response.status_code
    if status == 429:
        return RateLimited(
            "rate_limit_exceeded", message, log_id=log_id, status=status, retry_after=retry_after(response)
        )
    if status >= 500:
        return TikTokUnavailable("unavailable", message, log_id=log_id, status=status)
    return BadAnswer("bad_answer", message, log_id=log_id, status=status)


def quoted(value: object, *, hide: Iterable[str] = (), limit: int = 300) -> str:
    """TikTok's own words on one line, without the secrets of the request, which it may repeat."""
    words = str(value or "")
    for secret in hide:
        if len(secret) >= SECRET_MIN:  # shorter ones would tear holes into TikTok's codes
            words = words.replace(secret, "[hidden]")
    return "".join(char if char.isprintable() else " " for char in words)[:limit]


def retry_after(response: requests.Response) -> float | None:
    """Seconds of `Retry-After`, a day at most; None when it is no number."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), RETRY_AFTER_MAX) if value.isascii() and value.isdigit() else None
