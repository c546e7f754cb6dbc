"""Looking through the whole record for what was altered, removed, moved or slipped in. Reads only, a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from audit.models import AuditEntry, AuditHead
from audit.signing import GENESIS, audit_keys, content_sign, place_sign, same

AT_ONCE = 1_000


class Damage(StrEnum):
    """What is wrong with the first broken entry."""

    ALTERED = "altered"  # it does not say what was signed
    MISSING = "missing"  # one that was there is not
    REORDERED = "reordered"  # it does not follow the one before it
    FORGED = "forged"  # its place was not given by us
    KEY_UNKNOWN = "key_unknown"  # signed with a key that we do not have


@dataclass(frozen=True)
class Mark:
    """A place in the chain that somebody noted elsewhere: `HASH@SEQUENCE`."""

    hash: str
    sequence: int

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Raises ValueError."""
        digest, _at, number = text.partition("@")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef") or not number.isdecimal():
            raise ValueError(f"{text!r} is not HASH@SEQUENCE")
        return cls(digest, int(number))

    def __str__(self) -> str:
        return f"{self.hash}@{self.sequence}"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The first entry at which the record stops being what was written; `sequence` None: one without a place yet."""

    damage: Damage
    sequence: int | None
    entry: int | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`entries` hold, up to `last`; `unsealed` wait for their place."""

    entries: int
    unsealed: int
    last: Mark
    broken: Broken | None


def audit_check(*, after: Mark | None = None, expect: Mark | None = None) -> Checked:
    """Look at every entry. `after`: older ones were taken away, it was the last of them. `expect`: it must be there."""
    start = after or Mark(GENESIS, 0)
    marks = [mark for mark in (_head(), expect) if mark and mark.sequence > start.sequence]
    keys, last, entries = audit_keys(), start, 0
    sealed = AuditEntry.objects.filter(sequence__gt=start.sequence).order_by("sequence")
    broken = None
    for entry in sealed.iterator(chunk_size=AT_ONCE):
        if damage := _sealed_damage(entry, last, marks, keys):
            gap = damage == Damage.MISSING
            broken = Broken(
                damage=damage, sequence=last.sequence + 1 if gap else entry.sequence, entry=None if gap else entry.pk
            )
            break
        last, entries = Mark(entry.hash, entry.sequence or 0), entries + 1
    broken = broken or _end_damage(last, marks) or _unsealed_damage(keys)
    return Checked(entries=entries, unsealed=AuditEntry.objects.unsealed().count(), last=last, broken=broken)


def _head() -> Mark | None:
    head = AuditHead.objects.first()
    return Mark(head.hash, head.sequence) if head else None


def _sealed_damage(entry: AuditEntry, last: Mark, marks: list[Mark], keys: dict[str, bytes]) -> Damage | None:
    if entry.sequence != last.sequence + 1:
        return Damage.MISSING
    if damage := _content_damage(entry, keys):
        return damage
    if entry.previous_hash != last.hash:
        return Damage.REORDERED
    known = any(same(place_sign(entry, key), entry.hash) for key in keys.values())
    noted = all(mark.hash == entry.hash for mark in marks if mark.sequence == entry.sequence)
    return None if known and noted else Damage.FORGED


def _content_damage(entry: AuditEntry, keys: dict[str, bytes]) -> Damage | None:
    key = keys.get(entry.key_id)
    if key is None:
        return Damage.KEY_UNKNOWN
    return None if same(content_sign(entry, key), entry.signature) else Damage.ALTERED


def _end_damage(last: Mark, marks: list[Mark]) -> Broken | None:
    """What was taken from the end, or a head that was turned back: it is written with the entries, never after."""
    if any(mark.sequence > last.sequence for mark in marks):
        return Broken(damage=Damage.MISSING, sequence=last.sequence + 1)
    head = _head()
    turned_back = last.sequence > (head.sequence if head else 0)
    return Broken(damage=Damage.FORGED, sequence=last.sequence) if turned_back else None


def _unsealed_damage(keys: dict[str, bytes]) -> Broken | None:
    for entry in AuditEntry.objects.unsealed().order_by("pk").iterator(chunk_size=AT_ONCE):
        if damage := _content_damage(entry, keys):
            return Broken(damage=damage, sequence=None, entry=entry.pk)
    return None
