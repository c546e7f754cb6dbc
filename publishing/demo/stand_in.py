"""The demo's way to TikTok's stand-in: its own JSON interface, below /_sandbox/api (docs/sandbox.md)."""

from __future__ import annotations

import json
import time
from typing import Any

import requests
from django.utils.translation import gettext

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 30.0
ANSWER_MAX = 5_000_000
#: The sandbox may still be starting.
PATIENCE_SECONDS = 20.0
RETRY_SECONDS = 0.3


class StandInFailed(Exception):
    """The sandbox does not answer, or refuses; str() is one sentence, and holds no token."""


class StandIn:
    """The sandbox at `url`."""

    def __init__(self, url: str, *, patience: float = PATIENCE_SECONDS) -> None:
        self.url = url.rstrip("/")
        self._deadline = time.monotonic() + patience
        self._http = requests.Session()
        self._http.trust_env = False

    def account(self, username: str, **fields: Any) -> dict[str, Any]:
        """Make or change an account; its fields as the sandbox has them, `open_id` among them."""
        answer: dict[str, Any] = self._post("accounts", {"username": username, **fields})
        return answer

    def tokens(self, username: str) -> dict[str, Any]:
        """An OAuth answer of `username`, as TikTok's token endpoint gives it."""
        answer: dict[str, Any] = self._post(f"accounts/{username}/tokens", {})
        return answer

    def posts(self, entries: list[dict[str, Any]]) -> None:
        """Put posts on the profiles; one that is there already stays."""
        self._post("posts", entries)

    def _post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        while True:
            try:
                return self._ask_once(method, path, body)
            except requests.ConnectionError as error:
                if time.monotonic() >= self._deadline:
                    raise self._failed(gettext("TikTok's sandbox does not answer at %(url)s.")) from error
                time.sleep(RETRY_SECONDS)
            except requests.RequestException as error:
                raise self._failed(gettext("TikTok's sandbox at %(url)s did not answer in time.")) from error

    def _ask_once(self, method: str, path: str, body: Any) -> Any:
        with self._http.request(
            method, f"{self.url}/_sandbox/api/{path}", json=body, timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            stream=True, allow_redirects=False,
        ) as answer:  # fmt: skip
            data = answer.raw.read(ANSWER_MAX, decode_content=True)
        try:
            document = json.loads(data)
        except ValueError:
            raise self._failed(gettext("What answers at %(url)s is not TikTok's sandbox.")) from None
        if answer.status_code >= 400:
            why = document.get("error", "") if isinstance(document, dict) else ""
            raise self._failed(gettext("TikTok's sandbox at %(url)s refused %(what)s: %(why)s"), what=path, why=why)
        return document

    def _failed(self, words: str, **values: str) -> StandInFailed:
        return StandInFailed(words % {"url": self.url, **values})
