"""How fast passwords may be tried. Counted in the database, so that neither a restart nor a dead Redis forgets.

* A *pair* of account and address waits twice as long after each failure beyond a few, up to a quarter of an hour.
* An account that fails from many addresses gets stricter pairs, never a closed door: an address that has not failed
  is always looked at, so nobody can lock out the owner from elsewhere.
* An address that fails with many accounts waits, too.
* A browser in which the account's owner has logged in before carries a signed cookie and is counted by itself:
  strangers who share the owner's address cannot make it wait.

An attempt is counted before the password is looked at, and forgiven when it was right: attempts that come at the same
time do not pass together. Names are kept as keyed hashes only: people type passwords into the wrong field.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User
from accounts.models_sessions import FailureCount
from subiteya.lib.addresses import neighbourhood

#: A failure counts until nothing failed for so long.
FORGET = timedelta(hours=12)


@dataclass(frozen=True)
class Pace:
    """`free` failures cost nothing; then 1, 2, 4 … times `first` seconds, at most `cap`."""

    free: int
    first: int
    cap: int

    def wait(self, failures: int) -> timedelta:
        over = failures - self.free
        return timedelta(seconds=min(self.cap, self.first * 2 ** min(over - 1, 20)) if over > 0 else 0)


PAIR = Pace(free=4, first=2, cap=15 * 60)
#: For an account that fails from many addresses.
PRESSED = Pace(free=1, first=30, cap=15 * 60)
ADDRESS = Pace(free=30, first=4, cap=5 * 60)
#: Failures of an account, from wherever, after which it is pressed.
PRESSURE = 25
#: Mails with a link for a new password, to one mailbox: at the latest when the link of the last one is over.
MAILBOX = Pace(free=0, first=60, cap=3600)


class TooFast(Exception):
    """Nothing is looked at before `until`."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("too fast")

    @classmethod
    def after(cls, seconds: int) -> TooFast:
        return cls(timezone.now() + timedelta(seconds=seconds))

    @property
    def seconds(self) -> int:
        return max(1, int((self.until - timezone.now()).total_seconds()) + 1)


@dataclass(frozen=True)
class Attempt:
    """A try to log in: what was counted for it, to be forgiven when the password was right."""

    pair: str
    account: str
    address: str


def attempt_begin(*, username: str, address: str, device: str = "") -> Attempt:
    """Count a try. `device`: the id of a browser that the account's owner logged in with. Raises TooFast."""
    name, place = User.normalize_username(username.strip()).casefold(), neighbourhood(address)
    account, pair = _key("account", name), _key("device", name, device) if device else _key("pair", name, place)
    attempt = Attempt(pair, account, "" if device else _key("address", place))
    now = timezone.now()
    _purge(now)
    pressed = not device and _failures(account, now) >= PRESSURE
    # An address that has to wait is turned away before the pair, which is not to blame, is counted.
    if busy := FailureCount.objects.filter(principal=attempt.address, free_at__gt=now).first():
        raise TooFast(busy.free_at)
    _count(pair, PRESSED if pressed else PAIR, now)
    if attempt.address:
        _count(attempt.address, ADDRESS, now, refuse=False)
    _count(account, None, now, refuse=False)
    return attempt


def attempt_forgive(attempt: Attempt) -> None:
    """The password was right: the pair is as new, the others have one failure less."""
    FailureCount.objects.filter(principal=attempt.pair).delete()
    others = FailureCount.objects.filter(principal__in=[attempt.account, attempt.address], failures__gt=0)
    others.update(failures=F("failures") - 1, free_at=timezone.now())


def mail_may_go(address: str) -> bool:
    """Whether another mail may go to this mailbox now; counts it when it may.

    Letters that a database takes for the same (a dotless i) are the same here.
    """
    try:
        _count(_key("mailbox", address.strip().upper().casefold()), MAILBOX, timezone.now())
    except TooFast:
        return False
    return True


def _count(principal: str, pace: Pace | None, now: datetime, *, refuse: bool = True) -> None:
    """One failure more, unless one has to wait; the wait after it begins now. The row's lock puts tries in order."""
    with transaction.atomic():
        row = _locked(principal, now)
        if refuse and row.free_at > now:
            raise TooFast(row.free_at)
        failures = 1 if row.failed_at < now - FORGET else row.failures + 1
        row.failures, row.failed_at, row.free_at = failures, now, now + (pace.wait(failures) if pace else timedelta())
        row.save(update_fields=["failures", "failed_at", "free_at"])


def _locked(principal: str, now: datetime) -> FailureCount:
    rows = FailureCount.objects.select_for_update()
    while (row := rows.filter(principal=principal).first()) is None:  # not there yet, or forgiven in this instant
        with suppress(IntegrityError), transaction.atomic():  # another request may be quicker
            FailureCount.objects.create(principal=principal, failed_at=now, free_at=now)
    return row


def _failures(principal: str, now: datetime) -> int:
    row = FailureCount.objects.filter(principal=principal, failed_at__gte=now - FORGET).first()
    return row.failures if row else 0


def _purge(now: datetime) -> None:
    FailureCount.objects.filter(failed_at__lt=now - 2 * FORGET).delete()


def _key(*parts: str) -> str:
    return salted_hmac("accounts.throttle", "\x00".join(parts), algorithm="sha256").hexdigest()
