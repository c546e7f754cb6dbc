"""Moments as the clocks of an account show them, always with their zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

#: Values of a cause's detail that are moments, stored as ISO 8601.
MOMENTS = ("due", "at", "resume_at")


def zone_from(zone: str | tzinfo) -> tzinfo:
    return zone if isinstance(zone, tzinfo) else ZoneInfo(zone)


def city(zone: str | tzinfo) -> str:
    """America/Argentina/Buenos_Aires -> Buenos Aires."""
    return str(zone).rsplit("/", 1)[-1].replace("_", " ")


def moment(at: datetime, zone: str | tzinfo) -> str:
    """A day and hour as clocks in `zone` show it, with the zone beside it; the year only when it is another."""
    local = at.astimezone(zone_from(zone))
    same_year = local.year == timezone.now().year
    return f"{date_format(local, 'D j b, H:i' if same_year else 'j b Y, H:i')} ({city(zone)})"


def hour(at: datetime, zone: str | tzinfo) -> str:
    """Day and hour without the zone, where the zone is already printed."""
    return date_format(at.astimezone(zone_from(zone)), "D j b, H:i:s")


def readable(detail: dict[str, Any], zone: str | tzinfo) -> dict[str, Any]:
    """A cause's detail with its moments in words."""
    words = dict(detail)
    for name in MOMENTS:
        at = parse_datetime(str(detail.get(name) or ""))
        if at:
            words[name] = moment(at, zone)
    return words
