"""Giving recorded entries their place in the chain.

An entry is written within its act's transaction, which may be long and hold rows that others want: to lock the
chain's head there would make every act wait for every other, and now and then for itself. So entries are sealed
afterwards, in a transaction that locks nothing else: by whoever committed, and for a process that died in between
by the scheduler's tick.
"""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction

from audit.models import AuditEntry, AuditHead, plain_rows
from audit.signing import GENESIS, audit_keys, content_sign, place_sign, same

logger = logging.getLogger(__name__)

AT_ONCE = 500
#: Most rounds of one call: a caller must come to an end.
ROUNDS = 20
#: The one row.
HEAD = 1


def audit_seal() -> int:
    """Seal what waits, oldest first; how many. Nothing when another process is at it: it, or the next one, will."""
    sealed = 0
    for _round in range(ROUNDS):
        if not AuditEntry.objects.unsealed().exists():
            break
        done = _seal_some()
        sealed += done
        if not done:
            break
    return sealed


def seal_after_commit() -> None:
    """The act is done: a database that is busy or away now must not make it look undone."""
    try:
        audit_seal()
    except DatabaseError as error:
        logger.warning("audit_seal_postponed", extra={"error": str(error).strip()})


@transaction.atomic
def _seal_some() -> int:
    AuditHead.objects.get_or_create(pk=HEAD, defaults={"hash": GENESIS})
    head = AuditHead.objects.select_for_update(skip_locked=True).filter(pk=HEAD).first()
    if head is None:
        return 0
    waiting = list(AuditEntry.objects.unsealed().order_by("pk")[:AT_ONCE])
    keys = audit_keys()
    for entry in waiting:
        _place(entry, head, keys)
        plain_rows().filter(pk=entry.pk).update(
            sequence=entry.sequence, previous_hash=entry.previous_hash, hash=entry.hash
        )
    AuditHead.objects.filter(pk=HEAD).update(sequence=head.sequence, hash=head.hash)
    return len(waiting)


def _place(entry: AuditEntry, head: AuditHead, keys: dict[str, bytes]) -> None:
    """Behind the head; then it is the head. What is not ours gets its place too: `verify_audit` shows it there."""
    key = keys.get(entry.key_id)
    if key is None or not same(content_sign(entry, key), entry.signature):
        logger.error("audit_entry_forged", extra={"entry": entry.pk})
    entry.sequence, entry.previous_hash = head.sequence + 1, head.hash
    entry.hash = place_sign(entry, key or next(iter(keys.values())))
    head.sequence, head.hash = entry.sequence, entry.hash
