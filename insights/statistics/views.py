"""The second outcome: views per video, on a logarithmic scale, by account."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from insights.statistics.resampling import LeftOut, Share, bootstrap, leave_one_out
from insights.statistics.samples import LEAST_N
from insights.statistics.sequential import half_width
from insights.statistics.special import chi2_p, z_of
from insights.statistics.tables import ALPHA, Interval
from insights.statistics.verdict import DOMINANT_SHARE, HETEROGENEOUS_P, Caution, Verdict, side, verdict_of

#: Crude and adjusted ratios further apart than this factor, or on two sides of 1, warn of Simpson's paradox.
SIMPSON_FACTOR = 1.1


@dataclass(frozen=True)
class Moments:
    """Of log(1 + views): how many, their mean, and the sum of squares around it."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, views: Sequence[int]) -> Moments:
        """Those of view counts."""
        logs = [math.log1p(count) for count in views]
        mean = math.fsum(logs) / len(logs) if logs else 0.0
        return cls(len(logs), mean, math.fsum((value - mean) ** 2 for value in logs))

    @property
    def variance(self) -> float:
        """Of one video; 0 with fewer than two."""
        return self.squares / (self.n - 1) if self.n > 1 else 0.0

    @property
    def typical(self) -> float | None:
        """The geometric mean of the views."""
        return math.expm1(self.mean) if self.n else None

    def __add__(self, other: Moments) -> Moments:
        n = self.n + other.n
        if not n:
            return self
        gap = other.mean - self.mean
        mean = self.mean + gap * other.n / n
        return Moments(n, mean, self.squares + other.squares + gap * gap * self.n * other.n / n)


@dataclass(frozen=True)
class MomentStratum:
    """Both arms of one account."""

    name: str
    auto: Moments
    none: Moments

    @property
    def n(self) -> int:
        return self.auto.n + self.none.n

    @property
    def weight(self) -> float:
        return self.auto.n * self.none.n / self.n if self.n else 0.0


@dataclass(frozen=True)
class ViewsStratum:
    """One account: its own ratio (None below two videos in an arm), and its share of the adjusted one."""

    stratum: MomentStratum
    ratio: float | None
    interval: Interval | None
    weight: float

    def as_json(self) -> dict[str, Any]:
        arms = (("auto", self.stratum.auto), ("none", self.stratum.none))
        return {
            "stratum": self.stratum.name, **{name: {"n": arm.n, "typical_views": arm.typical} for name, arm in arms},
            "ratio": self.ratio, **_bounds(self.interval), "weight": self.weight,
        }  # fmt: skip


@dataclass(frozen=True)
class ViewsReport:
    """Ratios are typical views with subtitles over typical views without; 1 is no difference. None: not known."""

    randomised: bool
    auto: Moments
    none: Moments
    crude: float | None
    crude_interval: Interval | None
    adjusted: float | None
    adjusted_interval: Interval | None
    always_valid: Interval | None
    homogeneity_p: float | None
    left_out: LeftOut | None
    bootstrap: Interval | None
    strata: tuple[ViewsStratum, ...]
    verdict: Verdict
    warnings: tuple[Caution, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": "views",
            "verdict": self.verdict,
            "warnings": list(self.warnings),
            "auto": {"n": self.auto.n, "typical_views": self.auto.typical},
            "none": {"n": self.none.n, "typical_views": self.none.typical},
            "crude": {"ratio": self.crude, **_bounds(self.crude_interval)},
            "adjusted": {"ratio": self.adjusted, **_bounds(self.adjusted_interval)},
            "always_valid": _bounds(self.always_valid),
            "homogeneity": {"p_value": self.homogeneity_p},
            "leave_one_out": asdict(self.left_out) if self.left_out else None,
            "bootstrap": _bounds(self.bootstrap) if self.bootstrap else None,
            "strata": [row.as_json() for row in self.strata],
        }


@dataclass(frozen=True)
class _Estimate:
    """A difference of logarithms and its standard error."""

    value: float
    error: float

    def interval(self, alpha: float = ALPHA) -> Interval:
        half = z_of(alpha) * self.error
        return Interval(self.value - half, self.value + half)


def views_report(strata: Sequence[MomentStratum], *, randomised: bool = False) -> ViewsReport:
    """Everything about the views of these strata."""
    rows = sorted((row for row in strata if row.n), key=lambda row: (-row.n, row.name))
    auto, none = Moments(), Moments()
    for row in rows:
        auto, none = auto + row.auto, none + row.none
    crude = _welch(auto, none)
    overlapping = [row for row in rows if row.weight]
    adjusted = _within(overlapping)
    shares = [Share(row.name, row.weight * (row.auto.mean - row.none.mean), row.weight) for row in overlapping]
    n = sum(row.n for row in overlapping)
    anytime = _anytime(adjusted, n)
    p = _homogeneity(overlapping)
    uneven = p is not None and p < HETEROGENEOUS_P
    simpson = crude is not None and adjusted is not None and _is_simpson(crude.value, adjusted.value)
    sides = frozenset(side(own.interval()) for row in overlapping if (own := _welch(row.auto, row.none)))
    verdict = verdict_of(
        is_enough=min(auto.n, none.n) >= LEAST_N, crude=crude.interval() if crude else None,
        adjusted=adjusted.interval() if adjusted else None, always_valid=anytime, is_simpson=simpson,
        is_heterogeneous=uneven, sides=sides,
    )  # fmt: skip
    cautions = {
        Caution.OBSERVATIONAL: not randomised,
        Caution.SIMPSON: simpson,
        Caution.HETEROGENEOUS: uneven,
        Caution.SMALL_SAMPLES: min(auto.n, none.n) < LEAST_N,
        Caution.ONE_ACCOUNT_DOMINATES: len(rows) > 1 and rows[0].n / (auto.n + none.n) > DOMINANT_SHARE,
    }
    return ViewsReport(
        randomised=randomised, auto=auto, none=none, crude=_ratio(crude), crude_interval=_ratios(crude),
        adjusted=_ratio(adjusted), adjusted_interval=_ratios(adjusted), always_valid=_exp(anytime), homogeneity_p=p,
        left_out=_left_out(leave_one_out(shares)), bootstrap=_exp(bootstrap(shares)),
        strata=_strata(rows), verdict=verdict, warnings=tuple(caution for caution, is_so in cautions.items() if is_so),
    )  # fmt: skip


def _strata(rows: Sequence[MomentStratum]) -> tuple[ViewsStratum, ...]:
    whole = sum(row.weight for row in rows)
    found = [(row, _welch(row.auto, row.none)) for row in rows]
    return tuple(
        ViewsStratum(row, _ratio(own), _ratios(own), row.weight / whole if whole else 0.0) for row, own in found
    )


def _welch(auto: Moments, none: Moments) -> _Estimate | None:
    """None below two videos in an arm, where nothing is known of their spread."""
    if min(auto.n, none.n) < 2:
        return None
    return _Estimate(auto.mean - none.mean, math.sqrt(auto.variance / auto.n + none.variance / none.n))


def _within(rows: Sequence[MomentStratum]) -> _Estimate | None:
    """The difference inside each account, weighted as Mantel and Haenszel weigh; spread pooled over all arms."""
    weights = sum(row.weight for row in rows)
    freedom = sum(max(0, arm.n - 1) for row in rows for arm in (row.auto, row.none))
    if not weights or not freedom:
        return None
    value = sum(row.weight * (row.auto.mean - row.none.mean) for row in rows) / weights
    spread = sum(arm.squares for row in rows for arm in (row.auto, row.none)) / freedom
    return _Estimate(value, math.sqrt(spread / weights))


def _left_out(found: LeftOut | None) -> LeftOut | None:
    return replace(found, low=math.exp(found.low), high=math.exp(found.high)) if found else None


def _homogeneity(rows: Sequence[MomentStratum]) -> float | None:
    """Cochran's Q over the accounts with a spread of their own."""
    own = [found for row in rows if (found := _welch(row.auto, row.none)) and found.error]
    if len(own) < 2:
        return None
    weights = [1 / (found.error * found.error) for found in own]
    mean = sum(w * found.value for w, found in zip(weights, own, strict=True)) / sum(weights)
    q = sum(w * (found.value - mean) ** 2 for w, found in zip(weights, own, strict=True))
    return chi2_p(q, len(own) - 1)


def _anytime(found: _Estimate | None, n: int) -> Interval | None:
    if found is None:
        return None
    half = half_width(error=found.error, n=n)
    return Interval(found.value - half, found.value + half)


def _is_simpson(crude: float, adjusted: float) -> bool:
    return crude * adjusted < 0 or abs(crude - adjusted) > math.log(SIMPSON_FACTOR)


def _ratio(found: _Estimate | None) -> float | None:
    return math.exp(found.value) if found else None


def _ratios(found: _Estimate | None) -> Interval | None:
    return _exp(found.interval()) if found else None


def _exp(interval: Interval | None) -> Interval | None:
    return Interval(math.exp(interval.low), math.exp(interval.high)) if interval else None


def _bounds(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}
