"""The sessions of a person: begun, seen, too old, ended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.models_sessions import PersonSession
from accounts.services.second_factor import sessions_end
from audit.catalogue import Action
from audit.services.recording import audit_record

#: Activity is written down at most this often: a page is not worth an UPDATE.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Limits:
    """How long a session may do nothing, and how long it may last at all."""

    idle: timedelta
    whole: timedelta


def limits_of(user: User) -> Limits:
    """Administrators can do more harm, so their sessions live shorter."""
    if user.is_staff:
        return Limits(timedelta(minutes=settings.STAFF_IDLE_MINUTES), timedelta(hours=settings.STAFF_SESSION_HOURS))
    return Limits(timedelta(minutes=settings.IDLE_MINUTES), timedelta(hours=settings.SESSION_HOURS))


def session_begin(*, user: User, address: str, user_agent: str) -> PersonSession:
    """A log-in. What is left of the person's old sessions goes."""
    now = timezone.now()
    session_forget_old(user, now)
    SessionStore.clear_expired()  # what cookies named that are over, of whomever
    return PersonSession.objects.create(
        user=user, seal=_seal(user), address=address, user_agent=user_agent[:300], started_at=now, seen_at=now
    )


def session_forget_old(user: User, now: datetime) -> None:
    limits = limits_of(user)
    rows = PersonSession.objects.filter(user=user)
    rows.filter(seen_at__lt=now - limits.idle).delete()
    rows.filter(started_at__lt=now - limits.whole).delete()


def session_over(row: PersonSession | None, user: User, now: datetime) -> str:
    """Why the session may not go on: a name of `accounts.access.ENDINGS`; empty when it may."""
    if row is None or row.user_id != user.pk:
        return "ended"
    limits = limits_of(user)
    if now - row.started_at >= limits.whole:
        return "old"
    return "idle" if now - row.seen_at >= limits.idle else ""


def session_seen(row: PersonSession, user: User, address: str, now: datetime) -> None:
    """The person did something. A new password or second factor that this session lived through is sealed anew."""
    seal = _seal(user)
    if now - row.seen_at < SEEN_EVERY and row.seal == seal and row.address == address:
        return
    row.seen_at, row.seal, row.address = now, seal, address
    PersonSession.objects.filter(pk=row.pk).update(seen_at=now, seal=seal, address=address)


def sessions_of(user: User) -> list[PersonSession]:
    """Where the person is logged in now. Sessions that a new password ended are not counted."""
    now = timezone.now()
    rows = PersonSession.objects.filter(user=user, seal=_seal(user))
    return [row for row in rows if not session_over(row, user, now)]


def session_forget(*, user: User, pk: int) -> bool:
    """A session is over; False when it was already. Who logs out needs no more."""
    return bool(PersonSession.objects.filter(user=user, pk=pk).delete()[0])


@transaction.atomic
def session_end(*, user: User, pk: int) -> bool:
    """End one session of the person, at its next request; False when there is none of them."""
    ended = session_forget(user=user, pk=pk)
    if ended:
        audit_record(action=Action.SESSION_REVOKED, on=user, details={"sessions": 1})
    return ended


@transaction.atomic
def sessions_end_others(*, user: User, keep: int | None) -> int:
    """End every session of the person but one; how many."""
    live = [row.pk for row in sessions_of(user) if row.pk != keep]
    PersonSession.objects.filter(user=user).exclude(pk=keep or 0).delete()
    if live:
        audit_record(action=Action.SESSION_REVOKED, on=user, details={"sessions": len(live)})
    return len(live)


@transaction.atomic
def sessions_end_all(*, user: User) -> None:
    """Somebody else ends every session of the person."""
    live = len(sessions_of(user))
    sessions_end(user)
    audit_record(action=Action.SESSION_REVOKED, on=user, details={"sessions": live})


def _seal(user: User) -> str:
    """Of the password and the stamp: sessions that began before a change of either are over."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()
