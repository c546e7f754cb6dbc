"""The one call that records an act."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from audit.catalogue import Action
from audit.models import AuditEntry
from audit.origin import origin
from audit.services.sealing import seal_after_commit
from audit.signing import audit_keys, content_sign
from subiteya.lib.redaction import redacted
from subiteya.lib.tracing import current_trace_id

TEXT_MAX, ITEMS_MAX, DETAILS_MAX = 300, 100, 4_000


def audit_record(
    *, action: Action, on: Model | tuple[str, str] | None = None, details: dict[str, Any] | None = None,
    actor: Any = None,
) -> AuditEntry:  # fmt: skip
    """Record that `action` was done to `on`, in the transaction at hand: rolled back with it, or kept with it.

    `on`: a row, or (kind, id) of what has none. `actor`: the person, when the service knows better than the request.
    It takes no lock; the entry gets its place in the chain after the commit (`audit.services.sealing`).
    """
    where = origin()
    person = actor if actor is not None and actor.pk else where.user
    kind, pk, text = _object(on)
    key_id, key = next(iter(audit_keys().items()))
    entry = AuditEntry(
        at=timezone.now(), actor_id=person.pk if person else None,
        actor_name=_text(person.get_username() if person else where.name, 150), action=action, object_type=kind,
        object_id=pk, object_text=text, details=_bounded(details or {}), address=_text(where.address, 45),
        agent=_text(where.agent, 200), trace_id=current_trace_id(), key_id=key_id,
    )  # fmt: skip
    entry.signature = content_sign(entry, key)
    entry.save(force_insert=True)
    transaction.on_commit(seal_after_commit, robust=True)
    return entry


def _object(on: Model | tuple[str, str] | None) -> tuple[str, str, str]:
    if on is None:
        return "", "", ""
    if isinstance(on, tuple):
        return _text(on[0], 80), _text(on[1], 64), _text(on[1], 200)
    return on._meta.label_lower, str(on.pk or ""), _text(str(on), 200)


def _bounded(details: dict[str, Any]) -> dict[str, Any]:
    """Without secrets, as JSON that every database gives back as it was, and not too long."""
    found: dict[str, Any] = _plain(redacted(details))
    if len(json.dumps(found, ensure_ascii=False)) <= DETAILS_MAX:
        return found
    return {"cut": True, **{name: _text(str(value), TEXT_MAX) for name, value in list(found.items())[:8]}}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_text(str(name), 80): _plain(item) for name, item in list(value.items())[:ITEMS_MAX]}
    if isinstance(value, list):
        return [_plain(item) for item in value[:ITEMS_MAX]]
    if value is None or isinstance(value, (bool, int)):
        return value
    return _text(str(value), TEXT_MAX)


def _text(text: str, most: int) -> str:
    """PostgreSQL takes no NUL, and no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:most]
