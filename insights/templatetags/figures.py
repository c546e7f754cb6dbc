"""Shares and differences as the reports write them."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

from insights import words
from insights.statistics.tables import Interval

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    return words.percent(share)


@register.filter
def points(share: float | str | None) -> str:
    """A difference in percentage points with its sign; "" is what a template makes of a value of nothing."""
    return words.points(None if isinstance(share, str) else share)


@register.filter
def between(interval: Interval | None) -> str:
    """The ends of an interval of differences, in points."""
    return "—" if interval is None else f"{words.points(interval.low)} … {words.points(interval.high)}"


@register.filter
def shares(interval: Interval | None) -> str:
    """The ends of an interval of rates."""
    return "—" if interval is None else f"{words.percent(interval.low)} … {words.percent(interval.high)}"


@register.filter
def change(ratio: float | None) -> str:
    """A ratio as a change: "+25 %"."""
    return "—" if ratio is None else words.change(ratio)


@register.filter
def ratio(value: float | str | None) -> str:
    """An odds ratio or a statistic, to two places; "" is what a template makes of a value of nothing."""
    return "—" if value is None or isinstance(value, str) else words.decimal(value, 2)


@register.filter
def views(typical: float | None) -> str:
    """Typical views, in whole ones."""
    return "—" if typical is None else str(number_format(round(typical), force_grouping=True))


@register.filter
def changes(interval: Interval | None) -> str:
    return "—" if interval is None else f"{words.change(interval.low)} … {words.change(interval.high)}"


@register.filter
def p_value(p: float | None) -> str:
    """A p to three places; never nought."""
    if p is None:
        return "—"
    return f"< {words.decimal(0.001, 3)}" if p < 0.001 else words.decimal(p, 3)
