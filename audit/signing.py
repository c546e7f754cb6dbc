"""The keys of the record, and the bytes that they sign.

A plain hash would only find accidents: whoever can write to the database can compute one. HMAC-SHA256 with a key
that is not in the database also finds people.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC
from typing import Any

from django.conf import settings
from django.utils.encoding import force_bytes

from audit.models import AuditEntry

#: What `signature` covers, beside the key's name.
CONTENT = (
    "at", "actor_id", "actor_name", "action", "object_type", "object_id", "object_text", "details", "address",
    "agent", "trace_id",
)  # fmt: skip
#: What the first entry follows.
GENESIS = "0" * 64


def audit_keys() -> dict[str, bytes]:
    """Name → key: the first signs, all verify."""
    texts: list[str | bytes] = [*settings.AUDIT_KEYS] or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    made = [hashlib.sha256(b"subiteya.audit:" + force_bytes(text)).digest() for text in texts]
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in made}


def content_sign(entry: AuditEntry, key: bytes) -> str:
    """The signature of what `entry` says, whatever its place."""
    values = {name: getattr(entry, name) for name in CONTENT}
    values["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return _mac(key, values | {"key_id": entry.key_id})


def place_sign(entry: AuditEntry, key: bytes) -> str:
    """The hash of `entry` at its place: its number, and what it follows."""
    return _mac(key, [entry.sequence, entry.previous_hash, entry.pk, entry.signature])


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _mac(key: bytes, value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
