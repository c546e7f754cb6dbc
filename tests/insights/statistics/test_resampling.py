"""Single accounts left out, and drawn again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.statistics.report import ab_report
from insights.statistics.resampling import LEAST_ACCOUNTS, Share, bootstrap, leave_one_out
from insights.statistics.strata import risk_difference
from insights.statistics.tables import Arm, Stratum

arms = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: Arm(pair[0], sum(pair)))


@given(st.lists(st.tuples(arms, arms), max_size=12))
def test_it_leaves_each_account_out_once(pairs: list[tuple[Arm, Arm]]) -> None:
    """As if the report were computed again without it."""
    rows = [Stratum(f"@{place:02}", auto, none) for place, (auto, none) in enumerate(pairs)]
    both = [row for row in rows if row.auto.n and row.none.n]
    left = ab_report(rows).left_out
    if len(both) < 2:
        assert left is None
        return
    assert left is not None
    again = {row.name: risk_difference([other for other in both if other is not row]).value for row in both}  # type: ignore[union-attr]
    assert (left.low, left.high) == pytest.approx((min(again.values()), max(again.values())), abs=1e-9)
    assert again[left.low_without] == pytest.approx(left.low, abs=1e-9)
    assert again[left.high_without] == pytest.approx(left.high, abs=1e-9)


def test_it_draws_accounts_the_same_way_each_time_and_only_with_enough_of_them() -> None:
    shares = [Share(f"@{place}", top=place / 10, weight=2.0) for place in range(LEAST_ACCOUNTS)]
    drawn = bootstrap(shares)
    assert drawn is not None
    assert drawn == bootstrap(shares)
    assert drawn.low < sum(share.top for share in shares) / 20 < drawn.high
    assert bootstrap(shares[1:]) is None
    assert leave_one_out(shares[:1]) is None


def test_it_draws_what_the_spread_of_equal_accounts_foretells() -> None:
    """With equal weights the pooled difference is a mean, whose standard error is known."""
    shares = [Share(str(place), top=(-1) ** place * 0.5, weight=1.0) for place in range(100)]
    drawn = bootstrap(shares)
    assert drawn is not None
    assert (drawn.low, drawn.high) == pytest.approx((-0.098, 0.098), abs=0.012)
