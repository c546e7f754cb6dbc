"""Holding people and accounts to their quotas: the place is taken before the first byte is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from publishing.errors import IngestRefused
from publishing.models import Asset, AssetKind, Intake, IntakeState
from publishing.selectors.quotas import day_frees_at, room_of
from publishing.services.files import HashingReader


class Arrival:
    """A file on its way in: whoever reads it says by which reader, and which row it became."""

    def __init__(self, row: Intake) -> None:
        self.row = row
        self.reader: HashingReader | None = None
        self.asset: Asset | None = None

    @property
    def size(self) -> int:
        return self.reader.size if self.reader else 0


@contextmanager
def arriving(*, user: User, kind: AssetKind, size: int) -> Iterator[Arrival]:
    """Take the place of `size` bytes among the person's, and settle afterwards with what really came.

    What was refused or cut counts, too: it took the line and the disk as well. Raises IngestRefused.
    """
    arrival = Arrival(_take(user, kind, size))
    try:
        yield arrival
    finally:
        Intake.objects.filter(pk=arrival.row.pk).update(
            state=IntakeState.STORED if arrival.asset else IntakeState.FAILED, size=arrival.size,
            asset=arrival.asset, ended_at=timezone.now(),
        )  # fmt: skip


@transaction.atomic
def _take(user: User, kind: AssetKind, size: int) -> Intake:
    """Two files of one person are counted one after the other: the person's row is locked."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    now = timezone.now()
    _check(user, size, now)
    return Intake.objects.create(user=user, kind=kind, size=size, started_at=now)


def _check(user: User, size: int, now: datetime) -> None:
    room = room_of(user, now=now)
    if room.waits:
        raise IngestRefused("quota_coming", {"count": room.coming, "limit": room.coming_max})
    if room.day_max and room.day + size > room.day_max:
        detail = {"size": size, "max_bytes": room.day_max, "used": room.day}
        until = day_frees_at(user, size, now=now)
        if until is None:
            raise IngestRefused("quota_too_large", detail)
        raise IngestRefused("quota_day", {**detail, "until": until.isoformat()})
    if room.stored_max and room.stored + size > room.stored_max:
        raise IngestRefused("quota_stored", {"size": size, "max_bytes": room.stored_max, "used": room.stored})
