"""The chunk plan holds under both published rules and inside all limits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subiteya.tiktok.chunks import CHUNK_MAX, CHUNK_MIN, CHUNKS_MAX, LAST_CHUNK_MAX, VIDEO_MAX, ChunkPlan, chunk_plan

SIZES = st.integers(1, VIDEO_MAX)


@given(SIZES, st.integers(1, CHUNK_MAX), st.integers(2 * CHUNK_MIN, CHUNK_MAX))
@example(1, 1, 2 * CHUNK_MIN)
@example(CHUNK_MIN, 1, 2 * CHUNK_MIN)
@example(CHUNK_MIN + 1, 1, 2 * CHUNK_MIN)
@example(2 * CHUNK_MIN + 1, 1, 2 * CHUNK_MIN)
@example(CHUNK_MAX, CHUNK_MAX, 32_000_000)
@example(CHUNK_MAX + 1, CHUNK_MAX, CHUNK_MAX)
@example(94_000_000, CHUNK_MAX, 32_000_000)
@example(VIDEO_MAX, CHUNK_MAX, 2 * CHUNK_MIN)
def test_it_holds_both_rules_and_all_limits_for_every_setting(size, single_max, target):
    plan = chunk_plan(size, single_max=single_max, target=target)
    sizes = [last - first + 1 for first, last in plan.ranges()]
    assert plan.total_chunk_count == size // plan.chunk_size == len(sizes)
    assert plan.chunk_size == size // plan.total_chunk_count
    assert 1 <= len(sizes) <= CHUNKS_MAX
    assert set(sizes[:-1]) <= {plan.chunk_size}
    if len(sizes) == 1:
        assert sizes == [size]
        assert size <= CHUNK_MAX
    else:
        assert CHUNK_MIN <= plan.chunk_size <= CHUNK_MAX
        assert plan.chunk_size <= sizes[-1] <= LAST_CHUNK_MAX


@given(SIZES)
def test_it_covers_every_byte_once(size):
    expected = 0
    for first, last in chunk_plan(size).ranges():
        assert first == expected
        expected = last + 1
    assert expected == size


@pytest.mark.parametrize(
    ("size", "count"),
    [(4_999_999, 1), (64_000_000, 1), (64_000_001, 3), (94_000_000, 3), (96_000_001, 4), (4_000_000_000, 125)],
)
def test_it_cuts_as_the_plan_says(size, count):
    assert chunk_plan(size).total_chunk_count == count


@given(st.integers(64_000_001, VIDEO_MAX), st.data())
def test_it_reads_a_progress_in_both_conventions(size, data):
    plan = chunk_plan(size)
    index = data.draw(st.integers(0, plan.total_chunk_count - 1))
    boundary = list(plan.ranges())[index][1] + 1
    assert plan.boundary_for(boundary) == plan.boundary_for(boundary - 1) == boundary
    assert plan.boundary_for(boundary - 2) is None
    assert plan.boundary_for(boundary + 2) is None


def test_it_starts_from_nothing():
    assert ChunkPlan(10, 5, 2).boundary_for(0) == 0


@pytest.mark.parametrize("size", [0, -1, VIDEO_MAX + 1])
def test_it_refuses_sizes_that_tiktok_does(size):
    with pytest.raises(ValueError, match="bytes"):
        chunk_plan(size)


@pytest.mark.parametrize(
    "options", [{"single_max": 0}, {"single_max": CHUNK_MAX + 1}, {"target": 9_999_999}, {"target": CHUNK_MAX + 1}]
)
def test_it_refuses_settings_that_could_break_a_limit(options):
    with pytest.raises(ValueError, match="MB"):
        chunk_plan(100_000_000, **options)
