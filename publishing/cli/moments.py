"""A time that a person typed, in a zone with its jumps."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import TikTokAccount
from publishing.causes import sentence
from subiteya.lib.cli import Refused

MINUTE = timedelta(minutes=1)
WRITTEN = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Moment:
    """An aware time, and what a person should know about how it was read."""

    at: datetime
    note: str = ""


def moment(text: str, zone_name: str, accounts: Sequence[TikTokAccount]) -> Moment:
    """`text` (2026-12-01T18:00, or with an offset) in `zone_name`, else in the zone that all `accounts` share.

    A local time that the clocks skip is refused; of one that they show twice the first is taken, and said.
    Raises Refused, also for a time that has passed.
    """
    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(gettext("%(text)s is not a time such as 2026-12-01T18:00.") % {"text": text}) from None
    found = Moment(_with_offset(typed, zone_name)) if typed.tzinfo else local_moment(typed, _zone(zone_name, accounts))
    if found.at <= timezone.now():
        raise Refused("time_in_past", sentence("time_in_past"), field="at")
    return found


def local_moment(local: datetime, zone: zoneinfo.ZoneInfo) -> Moment:
    """The naive `local` time in `zone`. Raises Refused when the clocks skip it."""
    at = local.replace(tzinfo=zone)
    if not _exists(local, zone):
        words = gettext("The clocks of %(zone)s skip %(time)s; the next time that exists is %(next)s.")
        known = {"zone": zone.key, "time": local.strftime(WRITTEN), "next": _next(local, zone).strftime(WRITTEN)}
        raise _wrong(words % known)
    if at.utcoffset() == at.replace(fold=1).utcoffset():
        return Moment(at)
    words = gettext("The clocks of %(zone)s show %(time)s twice; the first one (UTC%(offset)s) was taken.")
    return Moment(at, words % {"zone": zone.key, "time": local.strftime(WRITTEN), "offset": at.strftime("%z")})


def _exists(local: datetime, zone: zoneinfo.ZoneInfo) -> bool:
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


def _next(local: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """The end of the gap; clocks have jumped by up to a day (Samoa, 2011)."""
    local = local.replace(second=0, microsecond=0)
    while not _exists(local, zone):
        local += MINUTE
    return local


def _with_offset(typed: datetime, zone_name: str) -> datetime:
    if zone_name:
        raise Refused("time_zone_twice", gettext("Give either an offset in --at, or --tz."), field="tz")
    return typed


def _zone(name: str, accounts: Sequence[TikTokAccount]) -> zoneinfo.ZoneInfo:
    shared = {account.time_zone for account in accounts}
    if not name and len(shared) > 1:
        words = gettext("These accounts are in different time zones (%(zones)s): say which one with --tz.")
        raise Refused("time_zone_required", words % {"zones": ", ".join(sorted(shared))}, field="tz")
    try:
        return zoneinfo.ZoneInfo(name or shared.pop())
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        words = gettext("%(name)s is not a time zone such as America/Argentina/Buenos_Aires.")
        raise Refused("time_zone_unknown", words % {"name": name}, field="tz") from None


def _wrong(words: str) -> Refused:
    return Refused("time_invalid", words, field="at")
