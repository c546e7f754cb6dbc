"""What the commands of the reports take."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext

from accounts.models import Sector
from subiteya.lib.cli import Refused


def day_typed(text: str | None, option: str) -> date | None:
    """The day that was typed for `--option`, None without one. Raises Refused."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        words = gettext("--%(option)s: %(value)s is no day; write it as 2026-10-31.")
        raise Refused("day", words % {"option": option, "value": text}, field=option) from None


def sector_typed(name: str | None) -> int | None:
    """The key of the sector with this name or slug, None without one. Raises Refused."""
    if not name:
        return None
    sector = Sector.objects.filter(name__iexact=name).first() or Sector.objects.filter(slug=name).first()
    if sector is None:
        raise Refused("sector", gettext("There is no sector %(name)s.") % {"name": name}, field="sector")
    return sector.pk
