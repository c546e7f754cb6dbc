"""One proportion, and the difference of two."""

from __future__ import annotations

import math

from insights.statistics.special import z_of
from insights.statistics.tables import ALPHA, Arm, Interval


def wilson(arm: Arm, alpha: float = ALPHA) -> Interval | None:
    """Wilson's score interval of a rate: honest at 0 of 20, too. None without trials."""
    if not arm.n:
        return None
    z = z_of(alpha)
    p, n = arm.x / arm.n, arm.n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    low = 0.0 if arm.x == 0 else max(0.0, (centre - half) / whole)
    high = 1.0 if arm.x == n else min(1.0, (centre + half) / whole)
    return Interval(low, high)


def difference(auto: Arm, none: Arm) -> float | None:
    """`auto` minus `none`, as a proportion; None when an arm is empty."""
    if auto.rate is None or none.rate is None:
        return None
    return auto.rate - none.rate


def newcombe(auto: Arm, none: Arm, alpha: float = ALPHA) -> Interval | None:
    """Newcombe's hybrid score interval (his method 10) of `auto` minus `none`."""
    here, there = wilson(auto, alpha), wilson(none, alpha)
    gap = difference(auto, none)
    if here is None or there is None or gap is None:
        return None
    p1, p2 = auto.x / auto.n, none.x / none.n
    low = gap - math.hypot(p1 - here.low, there.high - p2)
    high = gap + math.hypot(here.high - p1, p2 - there.low)
    return Interval(max(-1.0, low), min(1.0, high))


def standard_error(auto: Arm, none: Arm) -> float | None:
    """Of the difference, not pooled (Wald)."""
    if auto.rate is None or none.rate is None:
        return None
    return math.sqrt(auto.rate * (1 - auto.rate) / auto.n + none.rate * (1 - none.rate) / none.n)
