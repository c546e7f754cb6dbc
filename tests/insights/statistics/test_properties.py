"""What must hold for every table, however odd."""

from __future__ import annotations

import json
import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from insights.statistics.proportions import difference, newcombe, wilson
from insights.statistics.report import ab_report
from insights.statistics.samples import is_enough
from insights.statistics.simulate import aa_false_positives
from insights.statistics.special import beta_cdf, beta_quantile, chi2_p
from insights.statistics.strata import breslow_day, cmh, odds_ratio, risk_difference
from insights.statistics.tables import Arm, Stratum
from insights.statistics.verdict import Caution, Verdict
from insights.statistics.views import Moments, MomentStratum, views_report

arms = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda cells: Arm(cells[0], sum(cells)))
full_arms = st.tuples(st.integers(1, 60), st.integers(1, 60)).map(lambda cells: Arm(cells[0], sum(cells)))


def tables(arm):
    pairs = st.lists(st.tuples(arm, arm), max_size=8)
    return pairs.map(lambda rows: [Stratum(f"@{place}", *row) for place, row in enumerate(rows)])


def swapped(rows):
    return [Stratum(row.name, row.none, row.auto) for row in rows]


@given(tables(arms))
def test_it_never_answers_what_is_no_number(rows) -> None:
    text = json.dumps(ab_report(rows).as_json(), allow_nan=False)
    assert "Infinity" not in text


@given(tables(arms))
def test_it_negates_when_the_arms_are_swapped(rows) -> None:
    one, other = ab_report(rows), ab_report(swapped(rows))
    if one.adjusted:
        assert one.adjusted.value == approx(-other.adjusted.value, abs=1e-12)
        assert one.adjusted.error == approx(other.adjusted.error, abs=1e-9)
        assert one.always_valid.low == approx(-other.always_valid.high, abs=1e-9)
    mirrored = {Verdict.SUBTITLES_BETTER: Verdict.NONE_BETTER, Verdict.NONE_BETTER: Verdict.SUBTITLES_BETTER}
    assert other.verdict == mirrored.get(one.verdict, one.verdict)


@given(tables(arms), st.randoms())
def test_it_does_not_matter_in_which_order_they_come_nor_that_some_are_empty(rows, lot) -> None:
    mixed = [*rows, Stratum("empty", Arm(0, 0), Arm(0, 0))]
    lot.shuffle(mixed)
    assert ab_report(mixed).as_json() == ab_report(rows).as_json()


@given(full_arms, full_arms)
def test_it_is_the_crude_difference_when_all_is_one_account(auto, none) -> None:
    assert risk_difference([Stratum("a", auto, none)]).value == approx(difference(auto, none), abs=1e-12)


@given(arms, arms)
def test_it_stays_between_minus_one_and_one(auto, none) -> None:
    report = ab_report([Stratum("a", auto, none)])
    for interval in (report.crude_interval, report.adjusted_interval, report.always_valid):
        if interval:
            assert -1 <= interval.low <= interval.high <= 1
            assert interval.low - 1e-9 <= report.crude <= interval.high + 1e-9


@given(full_arms, full_arms, st.integers(2, 9))
def test_it_is_surer_of_more(auto, none, times) -> None:
    few = newcombe(auto, none)
    many = newcombe(Arm(auto.x * times, auto.n * times), Arm(none.x * times, none.n * times))
    assert many.high - many.low < few.high - few.low


@given(tables(arms))
def test_it_gives_no_verdict_on_little(rows) -> None:
    report = ab_report(rows)
    assert (report.verdict == Verdict.NOT_ENOUGH_DATA) == (not is_enough(report.both) or report.always_valid is None)


@given(st.integers(0, 200), st.integers(1, 200))
def test_it_has_the_wilson_interval_of_statsmodels(x, more) -> None:
    low, high = proportion_confint(x, x + more, method="wilson")
    assert (wilson(Arm(x, x + more)).low, wilson(Arm(x, x + more)).high) == approx((low, high), abs=1e-9)


@given(full_arms, full_arms)
def test_it_has_the_newcombe_interval_of_statsmodels(auto, none) -> None:
    low, high = confint_proportions_2indep(auto.x, auto.n, none.x, none.n, method="newcomb", compare="diff")
    found = newcombe(auto, none)
    assert (found.low, found.high) == approx((low, high), abs=1e-9)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # statsmodels divides by the zeros of empty cells
@given(tables(arms))
@settings(max_examples=300, deadline=None)
def test_it_agrees_with_statsmodels_on_tables_with_holes(rows) -> None:
    informative = [row for row in rows if row.is_informative]
    if not informative:
        assert cmh(rows, corrected=False) is None
        return
    cells = [[[r.auto.x, r.auto.failures], [r.none.x, r.none.failures]] for r in informative]
    theirs = StratifiedTable([numpy.array(cell, dtype=float) for cell in cells])
    for corrected in (False, True):
        test, ours = theirs.test_null_odds(correction=corrected), cmh(rows, corrected=corrected)
        if corrected and abs(sum(r.auto.x - r.auto.n * (r.auto.x + r.none.x) / r.n for r in informative)) < 0.5:
            assert ours.statistic == 0  # theirs corrects past zero
            continue
        assert (ours.statistic, ours.p_value) == approx((test.statistic, test.pvalue), rel=1e-7, abs=1e-9)
    ours = odds_ratio(rows)
    if ours is None or not ours.value:
        assert not math.isfinite(theirs.oddsratio_pooled) or theirs.oddsratio_pooled == 0
        return
    assert ours.value == approx(theirs.oddsratio_pooled, rel=1e-9)
    assert (ours.interval.low, ours.interval.high) == approx(theirs.oddsratio_pooled_confint(), rel=1e-6)
    if len(informative) > 1:
        equal, found = theirs.test_equal_odds(), breslow_day(rows)
        if math.isnan(equal.statistic):  # theirs has no answer at a common ratio of exactly 1
            assert ours.value == approx(1)
            return
        assert (found.statistic, found.p_value) == approx((equal.statistic, equal.pvalue), rel=1e-5, abs=1e-7)


@given(st.floats(0, 200), st.integers(1, 40))
def test_it_has_scipys_chi_square(x, df) -> None:
    assert chi2_p(x, df) == approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-13)


@given(st.floats(0.001, 0.999), st.floats(0.2, 400), st.floats(0.2, 400))
def test_it_has_scipys_beta(p, a, b) -> None:
    assert beta_cdf(p, a, b) == approx(stats.beta.cdf(p, a, b), rel=1e-8, abs=1e-12)
    assert beta_quantile(p, a, b) == approx(stats.beta.ppf(p, a, b), rel=1e-6, abs=1e-9)


def test_it_does_not_see_what_is_not_there_though_it_looks_fifty_times() -> None:
    lot = numpy.random.default_rng(6)
    found = aa_false_positives(lambda n: int(lot.binomial(n, 0.9)), runs=2_000, per_arm=2_000, looks=50)
    assert found.always_valid < 0.05
    assert found.fixed > 0.20


def drawn(lot, *, shift: float, accounts: int, n: int) -> list[MomentStratum]:
    return [
        MomentStratum(
            f"@{account}",
            Moments.of([int(v) for v in numpy.exp(lot.normal(6 + account % 3 + shift, 1, n))]),
            Moments.of([int(v) for v in numpy.exp(lot.normal(6 + account % 3, 1, n))]),
        )
        for account in range(accounts)
    ]


def test_it_finds_more_views_where_there_are_more() -> None:
    report = views_report(drawn(numpy.random.default_rng(1), shift=0.4, accounts=6, n=200), randomised=True)
    assert report.verdict == Verdict.SUBTITLES_BETTER
    assert report.adjusted == approx(math.exp(0.4), rel=0.1)


def test_it_finds_no_views_where_there_are_none_and_says_when_it_cannot() -> None:
    assert views_report(drawn(numpy.random.default_rng(2), shift=0, accounts=6, n=200)).verdict == Verdict.NO_EVIDENCE
    few = views_report(drawn(numpy.random.default_rng(2), shift=3, accounts=2, n=3))
    assert few.verdict == Verdict.NOT_ENOUGH_DATA
    assert views_report([]).as_json()["adjusted"]["ratio"] is None


def test_it_warns_when_the_accounts_with_subtitles_are_just_larger() -> None:
    def views(size: int, n: int) -> Moments:
        return Moments.of([size + size * (number % 7) // 3 for number in range(n)])

    rows = [
        MomentStratum("@big", views(9_000, 90), views(10_000, 10)),
        MomentStratum("@small", views(90, 10), views(100, 90)),
    ]
    report = views_report(rows)
    assert report.crude > 1 > report.adjusted
    assert report.verdict == Verdict.CONFOUNDED
    assert Caution.SIMPSON in report.warnings


@given(st.lists(st.integers(0, 10**7), max_size=40), st.lists(st.integers(0, 10**7), max_size=40))
def test_it_adds_moments_as_if_they_were_taken_together(some, others) -> None:
    together, added = Moments.of([*some, *others]), Moments.of(some) + Moments.of(others)
    assert (added.n, added.mean) == (together.n, approx(together.mean))
    assert added.squares == approx(together.squares, abs=1e-6)
