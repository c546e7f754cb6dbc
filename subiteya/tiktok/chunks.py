"""The chunk plan of an upload (content-posting-api-media-transfer-guide). MB are decimal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK_MIN = 5_000_000
CHUNK_MAX = 64_000_000
LAST_CHUNK_MAX = 128_000_000
CHUNKS_MAX = 1000
VIDEO_MAX = 4_000_000_000


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """How a file is cut: every part has `chunk_size` bytes, the last one takes the remainder too."""

    video_size: int
    chunk_size: int
    total_chunk_count: int

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Inclusive (first, last) byte of each part, in order."""
        for index in range(self.total_chunk_count):
            first = index * self.chunk_size
            is_last = index == self.total_chunk_count - 1
            yield first, self.video_size - 1 if is_last else first + self.chunk_size - 1

    def boundary_for(self, reported: int) -> int | None:
        """The offset that a reported progress means, or None when it fits no boundary.

        TikTok's pages leave open whether the figure is a count or a last index: parts are atomic, so a value
        within one byte of a boundary means that boundary.
        """
        ends = [0, *(last + 1 for _first, last in self.ranges())]
        return next((end for end in ends if abs(reported - end) <= 1), None)


def chunk_plan(video_size: int, *, single_max: int = CHUNK_MAX, target: int = 32_000_000) -> ChunkPlan:
    """Cut `video_size` bytes so that both published rules hold.

    `count = floor(size / chunk)` and `chunk = floor(size / count)`. Up to `single_max` bytes go whole, more in parts
    of at most `target` bytes. Raises ValueError outside of TikTok's limits.
    """
    if not 0 < video_size <= VIDEO_MAX:
        raise ValueError(f"a video has 1 to {VIDEO_MAX} bytes, not {video_size}")
    if not 0 < single_max <= CHUNK_MAX or not 2 * CHUNK_MIN <= target <= CHUNK_MAX:
        raise ValueError("whole files have at most 64 MB, parts 10 to 64 MB")
    # Below 5 MB a file must go whole, whatever `single_max` says. From there on a target of 10 MB or more never
    # cuts a part shorter than 5 MB, and 4 GB make at most 400 parts: TikTok's other limits hold by themselves.
    whole = video_size <= max(single_max, CHUNK_MIN)
    count = 1 if whole else math.ceil(video_size / target)
    return ChunkPlan(video_size, video_size // count, count)
