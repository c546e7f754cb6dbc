"""An interval that may be looked at every day: it holds at all times at once."""

from __future__ import annotations

import math
from functools import cache

from insights.statistics.tables import ALPHA, Interval

#: The interval is narrowest, relative to a fixed one, at so many publications.
TUNED_FOR = 5_000


def half_width(*, error: float, n: int, alpha: float = ALPHA, tuned_for: int = TUNED_FOR) -> float:
    """Half the width of the asymptotic confidence sequence around an estimate with standard error `error`.

    `n` publications are behind it. After Waudby-Smith and others (2021), as experiment platforms use it.
    """
    rho2 = _rho2(alpha, tuned_for)
    inside = 2 * (n * rho2 + 1) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha)
    return error * math.sqrt(n) * math.sqrt(inside)


@cache
def _rho2(alpha: float, tuned_for: int) -> float:
    return (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuned_for


def always_valid(value: float, *, error: float, n: int, alpha: float = ALPHA) -> Interval:
    """The interval around a difference of proportions."""
    half = half_width(error=error, n=n, alpha=alpha)
    return Interval(max(-1.0, value - half), min(1.0, value + half))


def always_valid_p(value: float, *, error: float, n: int) -> float:
    """The smallest alpha whose interval excludes 0; 1 when none does. The sequence stays tuned for ALPHA."""
    if not error or not n:
        return 1.0
    rho2 = _rho2(ALPHA, TUNED_FOR)
    statistic = (value / error) ** 2
    exponent = statistic * n * rho2 / (2 * (n * rho2 + 1))
    return min(1.0, math.sqrt(n * rho2 + 1) * math.exp(-exponent))
