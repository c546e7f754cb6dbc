"""The distributions that the reports need, from the standard library alone.

Series and continued fractions as in Abramowitz and Stegun, chapters 6 and 26; compared with scipy in the tests.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_ROUNDS = 10_000
_ENOUGH = 1e-15


def z_of(alpha: float) -> float:
    """The two-sided quantile of the normal distribution: 1.96 for 0.05."""
    return NormalDist().inv_cdf(1 - alpha / 2)


def normal_p(z: float) -> float:
    """Two-sided p of a normal deviate."""
    return math.erfc(abs(z) / math.sqrt(2))


def chi2_p(x: float, df: int) -> float:
    """The share of a chi-square with `df` degrees of freedom above `x`; 1 without degrees of freedom."""
    if df < 1 or x / 2 <= 0:
        return 1.0
    return _gamma_above(df / 2, x / 2)


def _gamma_above(a: float, x: float) -> float:
    """Regularised upper incomplete gamma function Q(a, x)."""
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for k in range(1, _ROUNDS):
            term *= x / (a + k)
            total += term
            if term < total * _ENOUGH:
                break
        return max(0.0, 1 - total * scale)
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    h = d
    for k in range(1, _ROUNDS):
        step = -k * (k - a)
        b += 2
        d = 1 / _far(step * d + b)
        c = _far(b + step / c)
        h *= d * c
        if abs(d * c - 1) < _ENOUGH:
            break
    return h * scale


def beta_cdf(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) below `x`; a, b > 0."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _far(1 - (a + b) * x / (a + 1))
    h = d
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _far(1 + step * d)
            c = _far(1 + step / c)
            h *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return h


def _far(value: float) -> float:
    """`value`, kept away from 0."""
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=8_192)
def beta_quantile(p: float, a: float, b: float) -> float:
    """Where `p` of Beta(a, b) lies below; by Newton's steps, by halving where one leads outside, to 1e-12."""
    low, high = 0.0, 1.0
    mean = a / (a + b)
    x = mean + NormalDist().inv_cdf(p) * math.sqrt(mean * (1 - mean) / (a + b + 1))
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    while high - low > 1e-12:
        if not low < x < high:
            x = (low + high) / 2
        over = beta_cdf(x, a, b) - p
        if over < 0:
            low = x
        else:
            high = x
        density = math.exp(scale + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x))
        step = over / density if density else 1.0
        if abs(step) < 1e-13:
            break
        x -= step
    return x if low <= x <= high else (low + high) / 2


def t_of(alpha: float, df: int) -> float:
    """The two-sided quantile of Student's t: 2.06 for 0.05 and 25 degrees of freedom."""
    x = beta_quantile(alpha, df / 2, 0.5)
    return math.sqrt(df * (1 - x) / x)
