"""Ranking: cautious, deaf to age, blind to order; and the back-test that judges it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from insights.statistics.backtest import Finding, backtest
from insights.statistics.histories import history
from insights.statistics.posts import Post, evidence_of, overlap_of
from insights.statistics.ranking import (
    FALLBACK,
    Evidence,
    Weights,
    candidates,
    cautious,
    decay,
    prior,
    rank,
    shrunk,
    with_own,
)

TODAY = date(2026, 3, 10)


def known(topic: str, hits: float, n: float, *, accounts: int = 3, **more) -> Evidence:
    return Evidence(
        topic=topic, hashtag=topic, weight=n, hit_weight=hits, use_weight=n, counted=round(n), videos=round(n),
        videos30=more.pop("videos30", 1), accounts=accounts, last_day=TODAY, **more,
    )  # fmt: skip


def names(ranked) -> list[str]:
    return [row.evidence.topic for row in ranked]


def ranked(*rows: Evidence, overlap=lambda one, other: 0.0, **more) -> list[str]:
    return names(rank(rows, videos30=more.pop("videos30", 100), overlap=overlap, **more))


@pytest.mark.parametrize(("hits", "n", "mean"), [(3, 3, 0.304), (60, 200, 0.291), (0, 1, 0.190)])
def test_it_pulls_the_few_to_the_sector(hits, n, mean) -> None:
    assert shrunk(hits, n, 4, 16) == approx(mean, abs=5e-4)


def test_it_halves_in_two_weeks() -> None:
    assert (decay(0), decay(14), decay(28)) == (1, 0.5, 0.25)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 80)), max_size=30))
def test_it_never_puts_one_of_one_above_fifty_of_seventy(others) -> None:
    evidence = [known(f"x{place}", share * n, n) for place, (share, n) in enumerate(others)]
    alpha, beta = prior([*evidence, known("one", 1, 1), known("many", 50, 70)])
    assert cautious(1, 1, alpha, beta) < cautious(50, 70, alpha, beta)


@given(st.integers(0, 50), st.integers(1, 50), st.floats(0.5, 20), st.floats(0.5, 20))
def test_it_rises_with_hits(hits, more, alpha, beta) -> None:
    assert cautious(hits + more, 120, alpha, beta) > cautious(hits, 120, alpha, beta)


def test_it_falls_back_where_little_is_known() -> None:
    assert prior([known("a", 1, 2), known("b", 5, 9)]) == FALLBACK
    alpha, beta = prior([known(str(place), 5 + place % 3, 10) for place in range(8)])
    assert alpha / (alpha + beta) <= 0.5


def test_it_orders_by_what_is_reached_cautiously_and_then_by_name() -> None:
    assert ranked(known("b", 9, 10), known("c", 60, 70), known("a", 9, 10)) == ["c", "a", "b"]


def test_it_puts_a_single_source_last_however_well_it_did() -> None:
    rows = [known("viral", 40, 40, accounts=1), known("pan", 9, 15), known("mate", 8, 15)]
    found = rank(rows, videos30=50, overlap=lambda one, other: 0.0)
    assert names(found) == ["pan", "mate", "viral"]
    assert [row.is_single_source for row in found] == [False, False, True]


def test_it_leaves_out_what_does_worse_than_the_sector_and_what_is_blocked() -> None:
    rows = [known(f"t{place}", 5, 10) for place in range(5)]
    assert ranked(*rows, known("bad", 0, 30), known("good", 25, 30), blocked={"t0"}) == ["good", "t1", "t2", "t3", "t4"]


def test_it_takes_one_of_two_that_are_the_same() -> None:
    same = {frozenset({"pan", "panes"})}
    rows = [known("pan", 20, 25), known("panes", 19, 25), known("mate", 15, 25)]
    assert ranked(*rows, overlap=lambda one, other: float(frozenset({one, other}) in same)) == ["pan", "mate"]


def test_it_mixes_broad_with_niche_and_fills_up_with_broad() -> None:
    broad = [known(f"b{place}", 30, 35, videos30=40) for place in range(4)]
    niche = [known(f"n{place}", 20, 30, videos30=5) for place in range(3)]
    assert ranked(*broad, *niche) == ["b0", "b1", "n0", "n1", "n2"]
    assert ranked(*broad, niche[0]) == ["b0", "b1", "b2", "b3", "n0"]


def test_it_ranks_by_use_where_no_views_are_known() -> None:
    rows = [replace(known(name, 0, uses), counted=0, weight=0.0) for name, uses in (("pan", 4), ("mate", 9))]
    found = rank(rows, videos30=20, overlap=lambda one, other: 0.0)
    assert names(found) == ["mate", "pan"]
    assert [(row.score, row.mean, row.confidence) for row in found] == [(None, None, "low")] * 2


def test_it_counts_an_accounts_own_results_twice_once_there_are_ten() -> None:
    (few,) = with_own([known("pan", 5, 20)], {"pan": Weights(9, 3)})
    (many,) = with_own([known("pan", 5, 20)], {"pan": Weights(10, 3)})
    assert (few.weight, many.weight, many.hit_weight) == (20, 30, 8)


@pytest.mark.parametrize(
    ("n", "accounts", "word"), [(30, 3, "high"), (30, 2, "medium"), (10, 2, "medium"), (9.9, 5, "low"), (99, 1, "low")]
)
def test_it_says_how_sure_it_is(n, accounts, word) -> None:
    (found,) = candidates([known("pan", n, n, accounts=accounts)], videos30=9)
    assert found.confidence == word


def test_it_does_not_matter_in_which_order_posts_come() -> None:
    posts = list(history(4).posts)[:600]
    one, other = evidence_of(posts, posts[-1].day), evidence_of(posts[::-1], posts[-1].day)
    overlap = overlap_of(posts, posts[-1].day)
    assert names(rank(one, videos30=90, overlap=overlap)) == names(rank(other[::-1], videos30=90, overlap=overlap))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_finds_planted_effects(seed: int) -> None:
    found = backtest(history(seed).posts)
    assert (found.over_sector.finding, found.over_most_used.finding) == (Finding.FOUND, Finding.FOUND)


def test_it_finds_nothing_where_nothing_was_planted() -> None:
    found = [backtest(history(seed, effect=0).posts) for seed in range(100, 112)]
    assert sum(result.over_sector.finding == Finding.FOUND for result in found) <= 2
    assert sum(result.over_most_used.finding == Finding.FOUND for result in found) <= 2
    assert all(result.over_sector.finding != Finding.NOT_ENOUGH_DATA for result in found)


def test_it_looks_at_nothing_that_was_not_known_that_day() -> None:
    posts = history(5).posts
    last = max(post.day for post in posts)
    before = [post for post in posts if post.day <= last - timedelta(days=30)]
    turned = [replace(post, is_hit=not post.is_hit) if post.day > last - timedelta(days=2) else post for post in posts]
    assert backtest(posts).suggested == backtest(turned).suggested
    assert backtest(before).weeks < backtest(posts).weeks


@pytest.mark.parametrize("posts", [[], [Post(TODAY, "a", "s", frozenset({"pan"}), True)]])
def test_it_says_when_there_is_not_enough(posts) -> None:
    assert backtest(posts).as_json()["verdict"] == Finding.NOT_ENOUGH_DATA
