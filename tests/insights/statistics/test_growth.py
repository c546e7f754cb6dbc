"""Counts day by day add up to the tables, and what was said can be read again."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.reports import Shown
from insights.statistics.growth import MOST_POINTS, Growth, cuts
from insights.statistics.plain import as_plain, of_plain
from insights.statistics.report import ab_report
from insights.statistics.strata import risk_difference
from insights.statistics.tables import Arm, Stratum
from insights.statistics.views import Moments, MomentStratum, views_report

FIRST = date(2026, 1, 5)
counts = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from("abc"), st.sampled_from(["auto", "none"]), st.integers(0, 3),
              st.integers(0, 3)).map(lambda row: (*row[:3], row[3], row[3] + row[4] + 1)),
    min_size=1, max_size=40,
)  # fmt: skip


def tables(rows) -> list[Stratum]:
    found = {}
    for _day, name, arm, won, n in rows:
        arms = found.setdefault(name, {"auto": Arm(0, 0), "none": Arm(0, 0)})
        arms[arm] += Arm(won, n)
    return [Stratum(name, **arms) for name, arms in sorted(found.items())]


@given(counts)
def test_it_says_of_each_day_what_the_counts_up_to_it_say(rows) -> None:
    rows = sorted(rows)
    growth = Growth(cuts(FIRST + timedelta(days=rows[0][0]), FIRST + timedelta(days=rows[-1][0])))
    for day, name, arm, won, n in rows:
        growth.add(FIRST + timedelta(days=day), name, arm, won=won, n=n)
    growth.end()
    wanted = []
    for day in sorted({row[0] for row in rows}):
        found = risk_difference(tables([row for row in rows if row[0] <= day]))
        if found is not None and found.error:
            wanted.append((FIRST + timedelta(days=day), found.value))
    assert [(point.day, point.value) for point in growth.course] == wanted
    assert growth.strata == tables(rows)
    weekly = tables([(day, f"{name} 2026-W{2 + day // 7:02}", *rest) for day, name, *rest in rows])
    assert sorted(growth.weekly, key=lambda row: row.name) == weekly


@pytest.mark.parametrize(("days", "points"), [(0, 1), (59, 60), (60, 31), (547, 55)])
def test_it_tells_a_long_range_in_equal_steps_up_to_its_last_day(days: int, points: int) -> None:
    found = cuts(FIRST, FIRST + timedelta(days=days))
    assert (len(found), found[-1]) == (points, FIRST + timedelta(days=days))
    assert points <= MOST_POINTS
    assert len({later - day for day, later in zip(found, found[1:], strict=False)}) <= 1


@given(counts)
def test_it_reads_again_what_it_said(rows) -> None:
    growth = Growth([])
    for day, name, arm, won, n in sorted(rows):
        growth.add(FIRST + timedelta(days=day), name, arm, won=won, n=n)
    growth.end()
    main = ab_report(growth.strata)
    views = views_report(
        [MomentStratum("a", Moments.of([1, 5, 9]), Moments.of([2, 2])), MomentStratum("b", Moments.of([3]), Moments())]
    )
    shown = Shown(
        main=main, left_out=main.left_out, bootstrap=None, weekly=risk_difference(growth.weekly), views=views,
        excluded={}, accounts=3, informative=1, views_accounts=2, course=growth.course,
    )  # fmt: skip
    assert of_plain(Shown, json.loads(json.dumps(as_plain(shown), allow_nan=False))) == shown
