"""The subtitle report: strata in, everything that is said about them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from insights.statistics.proportions import difference, newcombe, standard_error, wilson
from insights.statistics.resampling import LeftOut, Share, bootstrap, leave_one_out
from insights.statistics.samples import SRM_P, detectable, is_enough, n_per_arm, srm_p
from insights.statistics.sequential import always_valid, always_valid_p
from insights.statistics.strata import (
    OddsRatio,
    RiskDifference,
    Test,
    breslow_day,
    cmh,
    odds_ratio,
    risk_difference,
    woolf,
)
from insights.statistics.tables import Arm, Interval, Stratum, pooled
from insights.statistics.verdict import (
    DOMINANT_SHARE,
    HETEROGENEOUS_P,
    OVERLAP_SHARE,
    Caution,
    Verdict,
    is_simpson,
    side,
    verdict_of,
)

#: Changes when the same counts would give other numbers or another word.
METHOD = "1"


@dataclass(frozen=True, kw_only=True)
class StratumResult:
    """One account: its own difference, and its share of the data behind the adjusted one."""

    stratum: Stratum
    difference: float | None
    interval: Interval | None
    weight: float


@dataclass(frozen=True, kw_only=True)
class ABReport:
    """Differences are `auto` minus `none`, as proportions. What cannot be computed is None, never a guess."""

    randomised: bool
    both: Stratum
    crude: float | None
    crude_interval: Interval | None
    adjusted: RiskDifference | None
    adjusted_interval: Interval | None
    odds: OddsRatio | None
    cmh: Test | None
    cmh_corrected: Test | None
    breslow_day: Test | None
    woolf: Test | None
    srm: float | None
    always_valid: Interval | None
    always_valid_p: float | None
    detectable: float | None
    strata: tuple[StratumResult, ...]
    overlap: float
    verdict: Verdict
    warnings: tuple[Caution, ...]

    @cached_property
    def left_out(self) -> LeftOut | None:
        """How far the adjusted difference moves without one stratum."""
        return leave_one_out(self._shares)

    @cached_property
    def bootstrap(self) -> Interval | None:
        """Of the adjusted difference, drawing strata again; right where strata are accounts."""
        return bootstrap(self._shares)

    @property
    def _shares(self) -> list[Share]:
        return [
            Share(row.stratum.name, row.difference * _weight(row.stratum), _weight(row.stratum))
            for row in self.strata if row.difference is not None
        ]  # fmt: skip

    @property
    def needed(self) -> int | None:
        """Publications per arm that would tell a difference of two points from none; None without a rate."""
        rate = self.both.none.rate
        if rate is None:
            return None
        other = rate + 0.02 if rate <= 0.97 else rate - 0.02
        return n_per_arm(rate, other)

    def as_json(self) -> dict[str, Any]:
        """The document of `manage.py subtitles_ab --json` (docs/cli.md)."""
        return _json(self)


def ab_report(strata: Sequence[Stratum], *, randomised: bool = False) -> ABReport:
    """Everything about these strata. They are ordered by size, then name: the order they come in means nothing."""
    rows = sorted((row for row in strata if row.n), key=lambda row: (-row.n, row.name))
    both = pooled(rows)
    crude, crude_interval = difference(both.auto, both.none), newcombe(both.auto, both.none)
    adjusted = risk_difference(rows)
    adjusted_interval = adjusted.interval() if adjusted else None
    overlapping = [row for row in rows if row.auto.n and row.none.n]
    n = sum(row.n for row in overlapping)
    error = _error(adjusted, overlapping)
    anytime = always_valid(adjusted.value, error=error, n=n) if adjusted and error is not None else None
    homogeneity = breslow_day(rows)
    results = _results(rows)
    simpson = is_simpson(crude, adjusted.value if adjusted else None)
    uneven = homogeneity is not None and homogeneity.p_value < HETEROGENEOUS_P
    srm = srm_p(both.auto.n, both.none.n) if randomised else None
    verdict = _verdict(both, adjusted, anytime, simpson, uneven, results)
    overlap = n / both.n if both.n else 0.0
    return ABReport(
        randomised=randomised, both=both, crude=crude, crude_interval=crude_interval, adjusted=adjusted,
        adjusted_interval=adjusted_interval, odds=odds_ratio(rows), cmh=cmh(rows, corrected=False),
        cmh_corrected=cmh(rows, corrected=True), breslow_day=homogeneity, woolf=woolf(rows), srm=srm,
        always_valid=anytime,
        always_valid_p=always_valid_p(adjusted.value, error=error, n=n) if adjusted and error else None,
        detectable=detectable(both), strata=results, overlap=overlap, verdict=verdict,
        warnings=_cautions(rows, both, randomised, simpson, uneven, srm, overlap),
    )  # fmt: skip


def _verdict(
    both: Stratum, adjusted: RiskDifference | None, anytime: Interval | None, simpson: bool, uneven: bool,
    results: Sequence[StratumResult],
) -> Verdict:  # fmt: skip
    return verdict_of(
        is_enough=is_enough(both), crude=newcombe(both.auto, both.none), always_valid=anytime, is_simpson=simpson,
        adjusted=adjusted.interval() if adjusted else None, is_heterogeneous=uneven,
        sides=frozenset(side(row.interval) for row in results),
    )  # fmt: skip


def _cautions(
    rows: Sequence[Stratum], both: Stratum, randomised: bool, simpson: bool, uneven: bool, srm: float | None,
    overlap: float,
) -> tuple[Caution, ...]:  # fmt: skip
    found = {
        Caution.OBSERVATIONAL: not randomised,
        Caution.SIMPSON: simpson,
        Caution.HETEROGENEOUS: uneven,
        Caution.SRM: srm is not None and srm < SRM_P,
        Caution.SMALL_SAMPLES: not is_enough(both),
        Caution.ONE_ACCOUNT_DOMINATES: len(rows) > 1 and rows[0].n / both.n > DOMINANT_SHARE,
        Caution.LITTLE_OVERLAP: bool(rows) and overlap < OVERLAP_SHARE,
    }
    return tuple(caution for caution, is_so in found.items() if is_so)


def _error(adjusted: RiskDifference | None, overlapping: Sequence[Stratum]) -> float | None:
    """Of the adjusted difference; with one stratum that is the crude one, and has the crude one's error."""
    if adjusted is None:
        return None
    if len(overlapping) == 1:
        return standard_error(overlapping[0].auto, overlapping[0].none)
    return adjusted.error


def _results(rows: Sequence[Stratum]) -> tuple[StratumResult, ...]:
    whole = sum(_weight(row) for row in rows)
    return tuple(
        StratumResult(
            stratum=row, difference=difference(row.auto, row.none), interval=newcombe(row.auto, row.none),
            weight=_weight(row) / whole if whole else 0.0,
        )
        for row in rows
    )  # fmt: skip


def _weight(row: Stratum) -> float:
    return row.auto.n * row.none.n / row.n


def _json(report: ABReport) -> dict[str, Any]:
    return {
        "method": METHOD,
        "randomised": report.randomised,
        "verdict": report.verdict,
        "warnings": list(report.warnings),
        "crude": {
            "auto": _arm(report.both.auto), "none": _arm(report.both.none), "difference": report.crude,
            **_bounds(report.crude_interval),
        },
        "adjusted": _adjusted(report),
        "homogeneity": _homogeneity(report.breslow_day, report.woolf),
        "srm": {"applicable": report.randomised, "p_value": report.srm, "alarm": Caution.SRM in report.warnings},
        "always_valid": {**_bounds(report.always_valid), "p_value": report.always_valid_p},
        "detectable_difference": report.detectable,
        "leave_one_out": asdict(report.left_out) if report.left_out else None,
        "bootstrap": _bounds(report.bootstrap) if report.bootstrap else None,
        "strata": [_stratum(row) for row in report.strata],
    }  # fmt: skip


def _adjusted(report: ABReport) -> dict[str, Any]:
    adjusted, odds = report.adjusted, report.odds
    plain, corrected = report.cmh, report.cmh_corrected
    within = odds.interval if odds else None
    return {
        "risk_difference": adjusted.value if adjusted else None, **_bounds(report.adjusted_interval),
        "odds_ratio": odds.value if odds else None,
        "or_low": within.low if within else None, "or_high": within.high if within else None,
        "cmh_statistic": plain.statistic if plain else None,
        "cmh_statistic_corrected": corrected.statistic if corrected else None,
        "p_value": plain.p_value if plain else None,
        "p_value_corrected": corrected.p_value if corrected else None,
        "informative_strata": sum(row.stratum.is_informative for row in report.strata),
        "share_with_both_arms": report.overlap,
    }  # fmt: skip


def _homogeneity(found: Test | None, other: Test | None) -> dict[str, Any]:
    return {
        "breslow_day": found.statistic if found else None, "df": found.df if found else None,
        "p_value": found.p_value if found else None, "woolf": other.statistic if other else None,
        "woolf_p_value": other.p_value if other else None,
    }  # fmt: skip


def _arm(arm: Arm) -> dict[str, Any]:
    return {"n": arm.n, "x": arm.x, "rate": arm.rate, **_bounds(wilson(arm))}


def _bounds(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}


def _stratum(row: StratumResult) -> dict[str, Any]:
    return {
        "stratum": row.stratum.name, "auto": _arm(row.stratum.auto), "none": _arm(row.stratum.none),
        "difference": row.difference, **_bounds(row.interval), "weight": row.weight,
    }  # fmt: skip
