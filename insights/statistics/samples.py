"""Was the lot fair, and how much is enough?"""

from __future__ import annotations

import math

from insights.statistics.special import chi2_p, z_of
from insights.statistics.tables import ALPHA, Stratum

#: No verdict below these.
LEAST_N, LEAST_OUTCOMES = 30, 5
#: A lot that is less likely than this was not one; it is not asked of fewer than so many in each arm.
SRM_P, SRM_N = 0.001, 8
#: The chance to see a difference that is there.
POWER = 0.8


def srm_p(auto: int, none: int) -> float | None:
    """p of so uneven a split of halves (sample ratio mismatch); None below SRM_N in an arm."""
    if min(auto, none) < SRM_N:
        return None
    return chi2_p((auto - none) ** 2 / (auto + none), 1)


def is_enough(both: Stratum) -> bool:
    """Are there 30 publications, 5 successes and 5 failures in each arm?"""
    arms = (both.auto, both.none)
    return all(arm.n >= LEAST_N and min(arm.x, arm.failures) >= LEAST_OUTCOMES for arm in arms)


def n_per_arm(base: float, other: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Publications that each arm needs to tell rate `base` from rate `other`, with `power`."""
    mean = (base + other) / 2
    spread = z_of(alpha) * math.sqrt(2 * mean * (1 - mean))
    spread += z_of(2 * (1 - power)) * math.sqrt(base * (1 - base) + other * (1 - other))
    return math.ceil((spread / (base - other)) ** 2)


def detectable(both: Stratum) -> float | None:
    """The smallest difference that as many publications can show with POWER; None with an empty arm."""
    if not (both.auto.n and both.none.n):
        return None
    rate = (both.auto.x + both.none.x) / both.n
    rate = min(max(rate, 1 / (both.n + 2)), 1 - 1 / (both.n + 2))  # no certainty from few
    error = math.sqrt(rate * (1 - rate) * (1 / both.auto.n + 1 / both.none.n))
    return min(1.0, (z_of(ALPHA) + z_of(2 * (1 - POWER))) * error)
