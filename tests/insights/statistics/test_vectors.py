"""The formulas against published numbers, recomputed by hand and with scipy and statsmodels."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest import approx

from insights.statistics.proportions import difference, newcombe, standard_error, wilson
from insights.statistics.report import ab_report
from insights.statistics.samples import n_per_arm, srm_p
from insights.statistics.sequential import always_valid, always_valid_p
from insights.statistics.sheets import strata_read
from insights.statistics.strata import breslow_day, cmh, odds_ratio, risk_difference, woolf
from insights.statistics.tables import Arm, Stratum, pooled
from insights.statistics.verdict import Caution, Verdict

UCB = Path(__file__).parents[1] / "data/ucb_admissions.csv"


@pytest.fixture
def berkeley() -> list[Stratum]:
    """Admissions of 1973: men as `auto`, women as `none`, a stratum per department."""
    return strata_read(UCB.read_bytes())


def bounds(interval) -> tuple[float, float]:
    return interval.low, interval.high


@pytest.mark.parametrize(
    ("x", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 20, 0, 0.1611), (20, 20, 0.8389, 1)]
)
def test_it_has_wilsons_interval(x, n, low, high) -> None:
    assert bounds(wilson(Arm(x, n))) == approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("auto", "none", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1),
    ],
)
def test_it_has_newcombes_interval(auto, none, low, high) -> None:
    assert bounds(newcombe(Arm(*auto), Arm(*none))) == approx((low, high), abs=5e-5)


def test_it_pools_berkeley_as_the_books_do(berkeley) -> None:
    both = pooled(berkeley)
    assert (both.auto.rate, both.none.rate) == approx((0.4452, 0.3035), abs=5e-5)
    assert difference(both.auto, both.none) == approx(0.1416, abs=5e-5)
    assert bounds(newcombe(both.auto, both.none)) == approx((0.1132, 0.1696), abs=5e-5)
    assert cmh([both], corrected=False).statistic == approx(92.2053, rel=1e-3)
    plain, corrected = cmh(berkeley, corrected=False), cmh(berkeley, corrected=True)
    assert (plain.statistic, plain.p_value) == approx((1.52461, 0.21692), abs=5e-6)
    assert (corrected.statistic, corrected.p_value) == approx((1.42695, 0.23226), abs=5e-6)
    odds = odds_ratio(berkeley)
    assert (odds.value, *bounds(odds.interval)) == approx((0.904697, 0.771907, 1.060330), abs=5e-7)
    adjusted = risk_difference(berkeley)
    assert (adjusted.value, *bounds(adjusted.interval())) == approx((-0.01843, -0.0475, 0.0106), abs=5e-5)


def test_it_sees_that_berkeleys_departments_differ(berkeley) -> None:
    found, other = breslow_day(berkeley), woolf(berkeley)
    assert (found.statistic, found.df, found.p_value) == approx((18.8255, 5, 0.00207), abs=5e-5)
    assert (other.statistic, other.p_value) == approx((17.644, 0.00343), abs=5e-4)
    first = berkeley[0]
    assert difference(first.auto, first.none) == approx(-0.2035, abs=5e-5)
    assert bounds(newcombe(first.auto, first.none)) == approx((-0.2725, -0.1147), abs=5e-5)


def test_it_calls_berkeley_confounded_and_says_why(berkeley) -> None:
    report = ab_report(berkeley)
    assert report.verdict == Verdict.CONFOUNDED
    assert set(report.warnings) == {Caution.OBSERVATIONAL, Caution.SIMPSON, Caution.HETEROGENEOUS}


def test_it_is_not_taken_in_by_a_look_at_a_lucky_moment() -> None:
    auto, none = Arm(150, 1000), Arm(120, 1000)
    error = standard_error(auto, none)
    assert bounds(always_valid(0.03, error=error, n=2000)) == approx((-0.0177, 0.0777), abs=5e-5)
    assert always_valid_p(0.03, error=error, n=2000) == approx(0.471, abs=5e-4)
    assert ab_report([Stratum("a", auto, none)]).verdict == Verdict.NO_EVIDENCE


@pytest.mark.parametrize(("auto", "none", "p"), [(5100, 4900, 0.0455), (5200, 4800, 6.3e-5), (7, 80, None)])
def test_it_tells_a_bent_lot(auto, none, p) -> None:
    assert srm_p(auto, none) == (None if p is None else approx(p, rel=1e-2))


@pytest.mark.parametrize(("other", "n"), [(0.95, 435), (0.92, 3213)])
def test_it_knows_how_many_are_needed(other, n) -> None:
    assert n_per_arm(0.90, other) == approx(n, abs=1)
