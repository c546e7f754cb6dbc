"""The chunk plan holds under both published rules and inside all limits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subiteya.tiktok.chunks import CHUNK_MAX, CHUNK_MIN, CHUNKS_MAX, LAST_CHUNK_MAX, VIDEO_MAX, ChunkPlan, chunk_plan


@given(st.integers(1, VIDEO_MAX))
@example(1)
@example(CHUNK_MIN)
@example(CHUNK_MAX)
@example(CHUNK_MAX + 1)
@example(94_000_000)
@example(VIDEO_MAX)
def test_it_holds_both_rules_and_all_limits(size):
    plan = chunk_plan(size)
    assert plan.total_chunk_count == size // plan.chunk_size
    assert plan.chunk_size == size // plan.total_chunk_count
    assert plan.total_chunk_count <= CHUNKS_MAX
    if plan.total_chunk_count == 1:
        assert plan.chunk_size == size <= CHUNK_MAX
    else:
        assert CHUNK_MIN <= plan.chunk_size <= CHUNK_MAX
        first, last = list(plan.ranges())[-1]
        assert last - first + 1 <= LAST_CHUNK_MAX


@given(st.integers(1, VIDEO_MAX))
def test_it_covers_every_byte_once(size):
    expected = 0
    for first, last in chunk_plan(size).ranges():
        assert first == expected
        expected = last + 1
    assert expected == size


@given(st.integers(64_000_001, VIDEO_MAX), st.data())
def test_it_reads_a_progress_in_both_conventions(size, data):
    plan = chunk_plan(size)
    index = data.draw(st.integers(0, plan.total_chunk_count - 1))
    boundary = list(plan.ranges())[index][1] + 1
    assert plan.boundary_for(boundary) == plan.boundary_for(boundary - 1) == boundary
    assert plan.boundary_for(boundary - 1000) is None


def test_it_starts_from_nothing():
    assert ChunkPlan(10, 5, 2).boundary_for(0) == 0


@pytest.mark.parametrize("size", [0, -1, VIDEO_MAX + 1])
def test_it_refuses_sizes_that_tiktok_does(size):
    with pytest.raises(ValueError, match="bytes"):
        chunk_plan(size)
