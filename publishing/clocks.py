"""Moments as the clocks of an account show them, always with their zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext

#: Values of a cause's detail that are moments, stored as ISO 8601.
MOMENTS = ("due", "at", "resume_at")


SPELLINGS = {
    "Asuncion": "Asunción", "Bogota": "Bogotá", "Cancun": "Cancún", "Cordoba": "Córdoba", "Mazatlan": "Mazatlán",
    "Merida": "Mérida", "Rio Gallegos": "Río Gallegos", "Sao Paulo": "São Paulo", "Tucuman": "Tucumán",
}  # fmt: skip


def zone_from(zone: str | tzinfo) -> tzinfo:
    return zone if isinstance(zone, tzinfo) else ZoneInfo(zone)


def city(zone: str | tzinfo) -> str:
    """America/Argentina/Buenos_Aires -> Buenos Aires; with the accents that zone names lack."""
    name = str(zone).rsplit("/", 1)[-1].replace("_", " ")
    return SPELLINGS.get(name, name)


def moment(at: datetime, zone: str | tzinfo) -> str:
    """A day and hour as clocks in `zone` show it, with the zone beside it; the year only when it is another."""
    local = at.astimezone(zone_from(zone))
    same_year = local.year == timezone.now().year
    # Translators: Django's date formats; each language has its own order.
    form = gettext("D M j, H:i") if same_year else gettext("M j Y, H:i")
    return f"{date_format(local, form)} ({city(zone)})"


def hour(at: datetime, zone: str | tzinfo) -> str:
    """Day and hour without the zone, where the zone is already printed."""
    return date_format(at.astimezone(zone_from(zone)), gettext("D M j, H:i:s"))


def readable(detail: dict[str, Any], zone: str | tzinfo) -> dict[str, Any]:
    """A cause's detail with its moments in words."""
    words = dict(detail)
    for name in MOMENTS:
        at = parse_datetime(str(detail.get(name) or ""))
        if at:
            words[name] = moment(at, zone)
    return words
