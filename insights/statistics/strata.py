"""The same question asked inside each account, and the answers put together (Mantel and Haenszel)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from insights.statistics.special import chi2_p, z_of
from insights.statistics.tables import ALPHA, Interval, Stratum


@dataclass(frozen=True)
class RiskDifference:
    """The pooled difference in proportions, with Sato's standard error."""

    value: float
    error: float

    def interval(self, alpha: float = ALPHA) -> Interval:
        half = z_of(alpha) * self.error
        return Interval(max(-1.0, self.value - half), min(1.0, self.value + half))


def risk_difference(strata: Sequence[Stratum]) -> RiskDifference | None:
    """Mantel-Haenszel difference `auto` minus `none`; None when no stratum has both arms.

    The variance is Sato's (Biometrics 45, 1989), right for few big strata and for many small ones.
    """
    top = weights = p = q = 0.0
    for stratum in strata:
        a, n1, c, n0 = stratum.auto.x, stratum.auto.n, stratum.none.x, stratum.none.n
        n = stratum.n
        if not (n1 and n0):
            continue
        top += (a * n0 - c * n1) / n
        weights += n1 * n0 / n
        p += (n1 * n1 * c - n0 * n0 * a + n1 * n0 * (n0 - n1) / 2) / (n * n)
        q += (a * (n0 - c) + c * (n1 - a)) / (2 * n)
    if not weights:
        return None
    value = top / weights
    return RiskDifference(value, math.sqrt(max(0.0, value * p + q)) / weights)


@dataclass(frozen=True)
class OddsRatio:
    value: float
    interval: Interval | None


def odds_ratio(strata: Sequence[Stratum], alpha: float = ALPHA) -> OddsRatio | None:
    """Mantel-Haenszel odds ratio, its interval after Robins, Breslow and Greenland; None where it is 0/0 or x/0."""
    r = s = pr = ps = qs = 0.0
    for stratum in strata:
        a, b = stratum.auto.x, stratum.auto.failures
        c, d = stratum.none.x, stratum.none.failures
        n = stratum.n
        if not n:
            continue
        ri, si, pi, qi = a * d / n, b * c / n, (a + d) / n, (b + c) / n
        r, s = r + ri, s + si
        pr, ps, qs = pr + pi * ri, ps + pi * si + qi * ri, qs + qi * si
    if not s:
        return None
    if not r:
        return OddsRatio(0.0, None)
    error = math.sqrt(pr / (2 * r * r) + ps / (2 * r * s) + qs / (2 * s * s))
    half = z_of(alpha) * error
    return OddsRatio(r / s, Interval(r / s * math.exp(-half), r / s * math.exp(half)))


@dataclass(frozen=True)
class Test:
    """A chi-square statistic with its degrees of freedom and p."""

    statistic: float
    df: int
    p_value: float


def cmh(strata: Sequence[Stratum], *, corrected: bool) -> Test | None:
    """Cochran, Mantel and Haenszel: do the arms differ in the same direction? None without informative strata."""
    gap = variance = 0.0
    for stratum in strata:
        if not stratum.is_informative:
            continue
        n1, n0, n = stratum.auto.n, stratum.none.n, stratum.n
        m1 = stratum.auto.x + stratum.none.x
        gap += stratum.auto.x - n1 * m1 / n
        variance += n1 * n0 * m1 * (n - m1) / (n * n * (n - 1))
    if not variance:
        return None
    top = max(0.0, abs(gap) - 0.5) if corrected else abs(gap)
    statistic = top * top / variance
    return Test(statistic, 1, chi2_p(statistic, 1))


def breslow_day(strata: Sequence[Stratum]) -> Test | None:
    """Is the odds ratio alike in all strata? None with less than two informative ones, or no common ratio."""
    common = odds_ratio(strata)
    rows = [stratum for stratum in strata if stratum.is_informative]
    if common is None or not common.value or len(rows) < 2:
        return None
    statistic = 0.0
    for row in rows:
        expected = _expected(row, common.value)
        n1, n0, m1 = row.auto.n, row.none.n, row.auto.x + row.none.x
        variance = 1 / (1 / expected + 1 / (m1 - expected) + 1 / (n1 - expected) + 1 / (n0 - m1 + expected))
        statistic += (row.auto.x - expected) ** 2 / variance
    return Test(statistic, len(rows) - 1, chi2_p(statistic, len(rows) - 1))


def _expected(row: Stratum, ratio: float) -> float:
    """Successes of `auto` that the margins would have under this odds ratio: the root inside the margins."""
    n1, n0, m1 = row.auto.n, row.none.n, row.auto.x + row.none.x
    low, high = max(0, m1 - n0), min(n1, m1)
    if abs(ratio - 1) < 1e-9:
        return n1 * m1 / row.n
    square, line, rest = ratio - 1, -(ratio * (n1 + m1) + n0 - m1), ratio * n1 * m1
    root = math.sqrt(max(0.0, line * line - 4 * square * rest))
    # the form that does not subtract two numbers of the same size
    twice = -(line - root) if line < 0 else -(line + root)
    for value in (2 * rest / twice, twice / (2 * square)):
        if low <= value <= high:
            return min(max(value, low + 1e-9), high - 1e-9)
    return n1 * m1 / row.n


def woolf(strata: Sequence[Stratum]) -> Test | None:
    """Woolf's test of equal odds ratios, half a count added to each cell."""
    rows = [stratum for stratum in strata if stratum.is_informative]
    if len(rows) < 2:
        return None
    logs, weights = [], []
    for row in rows:
        a, b = row.auto.x + 0.5, row.auto.failures + 0.5
        c, d = row.none.x + 0.5, row.none.failures + 0.5
        logs.append(math.log(a * d / (b * c)))
        weights.append(1 / (1 / a + 1 / b + 1 / c + 1 / d))
    mean = sum(w * y for w, y in zip(weights, logs, strict=True)) / sum(weights)
    statistic = sum(w * (y - mean) ** 2 for w, y in zip(weights, logs, strict=True))
    return Test(statistic, len(rows) - 1, chi2_p(statistic, len(rows) - 1))
