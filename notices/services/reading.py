"""Read and unread."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from notices.models import NoticeCopy


def notices_read(*, user: User, pk: int | None = None) -> tuple[datetime, int]:
    """Mark one notice of the person as read, or all of them: the moment, by which it can be undone, and how many."""
    now = timezone.now()
    unread = NoticeCopy.objects.filter(user=user, shown=True, read_at=None)
    if pk is not None:
        unread = unread.filter(pk=pk)
    return now, unread.update(read_at=now)


def notices_unread(*, user: User, pk: int | None = None, at: datetime | None = None) -> int:
    """Mark one notice as unread again, or all that were read at that moment; how many."""
    read = NoticeCopy.objects.filter(user=user)
    read = read.filter(pk=pk) if pk is not None else read.filter(read_at=at)
    return read.exclude(read_at=None).update(read_at=None)
