"""Identifiers in TikTok's shapes."""

from __future__ import annotations

import hashlib
import secrets
import time

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def hashed(secret: str) -> str:
    """What the store keeps in place of a token, a code or an upload URL."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seed_of(text: str, *, size: int = 8) -> int:
    """A number that belongs to `text`, the same in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size], "big")


def snowflake(at: float) -> str:
    """19 digits that begin with the time, like TikTok's post ids."""
    return str((int(at) << 32) | secrets.randbits(31))


def new_publish_id(kind: str, at: float) -> str:
    """At most 64 characters; `kind` is direct or inbox."""
    return f"v_{'inbox' if kind == 'inbox' else 'pub'}_file~v2-1.{snowflake(at)}"


def new_log_id(at: float) -> str:
    """Time and chance, as TikTok writes them; `at` in Unix seconds."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(at)) + secrets.token_hex(10).upper()


def new_token(prefix: str) -> str:
    """`act.`/`rft.` tokens; TikTok's hold `!`, which must survive a form."""
    return f"{prefix}.{_random(40)}!{secrets.randbelow(9000) + 1000}.s1"


def new_code() -> str:
    """TikTok's codes hold `*` and `!`: a client that forgets to decode the redirect's query sends another code."""
    return f"{_random(36)}*{secrets.randbelow(9)}!{secrets.randbelow(9000) + 1000}.s1"


def new_open_id() -> str:
    """A new open_id or union_id."""
    return f"-000{_random(32)}"


def new_upload_token() -> str:
    """The secret end of an upload URL."""
    return secrets.token_urlsafe(32)


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
