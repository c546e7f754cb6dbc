"""Keys of programs: made once, shown once, kept as a hash, revoked for good."""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.catalogue import Action
from audit.services.recording import audit_record
from monitoring.models import ApiKey, KeyScope

#: So that a key that leaked is recognised, by people and by scanners.
PREFIX = "sy_"
SHOWN = 10


@transaction.atomic
def key_make(*, name: str, scope: KeyScope, actor: User | None = None) -> tuple[ApiKey, str]:
    """A new key, and its text: the only time that anybody sees it."""
    text = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name, scope=scope, prefix=text[:SHOWN], key_sha256=_hash(text), created_by=actor
    )  # fmt: skip
    audit_record(action=Action.KEY_MINTED, on=key, details={"scope": scope}, actor=actor)
    return key, text


@transaction.atomic
def key_revoke(*, key: ApiKey) -> bool:
    """It opens nothing from now on; False when it was revoked before."""
    done = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1
    if done:
        audit_record(action=Action.KEY_REVOKED, on=key)
    return done


def key_find(text: str, *scopes: KeyScope) -> ApiKey | None:
    """The key that `text` is, if it is not revoked and may do one of `scopes`.

    It is looked up by its hash: how long that takes says nothing about the key.
    """
    if not text.startswith(PREFIX):
        return None
    return ApiKey.objects.filter(key_sha256=_hash(text), revoked_at=None, scope__in=scopes).first()


def key_used(key: ApiKey) -> None:
    """Remember that it is in use; once a minute is enough."""
    now = timezone.now()
    if key.last_used_at is None or (now - key.last_used_at).total_seconds() > 60:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def bearer(header: str) -> str:
    """The token of an `Authorization: Bearer …` header, or nothing."""
    kind, _space, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
