"""Webhooks (`webhooks-events`, `webhooks-verification`): written down first, sent from a thread, tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import Any

import requests

from subiteya.tiktok.sandbox.accounts import account_of
from subiteya.tiktok.sandbox.store import Row
from subiteya.tiktok.sandbox.world import World

logger = logging.getLogger(__name__)

#: Seconds until the next attempt after the first, second, … one failed; then the event is given up.
DELAYS = (1, 5, 30, 120, 600)
TIMEOUT = 5
BATCH = 20


def enqueue(world: World, username: str, event: str, content: dict[str, Any], *, at: float | None = None) -> None:
    """Write an event down, to be sent from `at` (Unix seconds; default now) on. Without a webhook_url: nothing."""
    account = account_of(world, username)
    if account is None or not world.settings.webhook_url:
        return
    when = world.now() if at is None else at
    body = {
        "client_key": world.settings.client_key,
        "event": event,
        "create_time": int(when),
        "user_openid": account.open_id,
        "content": json.dumps(content),  # TikTok puts JSON inside a string
    }
    row = {"event": event, "username": username, "body": json.dumps(body), "next_at": when}
    world.store.insert("events", row)


def signature(secret: str, at: int, body: bytes) -> str:
    """The TikTok-Signature header of `body` sent at `at`."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},s={signed}"


def deliver_due(world: World) -> None:
    """Send what is due, oldest first; what fails is tried again later, and never hurts the API."""
    for row in world.store.all(
        "SELECT * FROM events WHERE next_at <= ? ORDER BY next_at, id LIMIT ?", world.now(), BATCH
    ):
        if world.stopping.is_set():
            return
        if _claim(world, row):
            _settle(world, row, _send(world, row["body"].encode()))


def _claim(world: World, row: Row) -> bool:
    """Move the next attempt before making this one: a crash in between repeats the event, as TikTok may."""
    tried = row["attempts"]
    next_at = world.now() + DELAYS[tried] if tried < len(DELAYS) else None
    claimed = world.store.run(
        "UPDATE events SET attempts = attempts + 1, next_at = ? WHERE id = ? AND attempts = ?",
        next_at,
        row["id"],
        tried,
    )
    return claimed == 1


def _send(world: World, body: bytes) -> str:
    """POST one event; the empty string when it was taken, else why not."""
    headers = {
        "Content-Type": "application/json",
        "TikTok-Signature": signature(world.settings.client_secret, int(world.now()), body),
    }
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                world.settings.webhook_url,
                data=body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,  # the answer's body is nothing to us
            )
            answer.close()
    except requests.RequestException as error:
        return type(error).__name__
    return "" if answer.status_code == 200 else f"HTTP {answer.status_code}"


def _settle(world: World, row: Row, error: str) -> None:
    if error:
        logger.info("sandbox_webhook_refused", extra={"webhook_event": row["event"], "reason": error})
        world.store.run("UPDATE events SET error = ? WHERE id = ?", error, row["id"])
        return
    world.store.run(
        "UPDATE events SET next_at = NULL, delivered_at = ?, error = '' WHERE id = ?", world.now(), row["id"]
    )
