"""Sizes of the picture that goes out and of the parts it is made of: plain numbers, ffmpeg decides nothing."""

from __future__ import annotations

from publishing.editing.brand import clamp
from publishing.editing.probe import VideoInfo

Size = tuple[int, int]

#: TikTok: each side 360 to 4096 pixels (Content Posting API, media transfer guide).
SIDE_MIN, SIDE_MAX = 360, 4096
CANVASES: tuple[Size, ...] = ((1080, 1920), (720, 1280))
SHAPE = 9 / 16
#: A picture this near to 9:16 counts as 9:16; what is over is cropped.
SHAPE_TOLERANCE = 0.01
ENLARGEMENT_MAX = 2.0
#: TikTok shows no more; a kept shape is made smaller down to this longest side.
KEPT_SIDE_MAX = 1920


def is_upright(video: VideoInfo) -> bool:
    """Whether it is 9:16 already, or so near that nobody sees the difference."""
    return abs(video.display_width / video.display_height / SHAPE - 1) <= SHAPE_TOLERANCE


def has_legal_sides(video: VideoInfo) -> bool:
    """Whether TikTok takes pictures of this size."""
    return all(SIDE_MIN <= side <= SIDE_MAX for side in (video.display_width, video.display_height))


def canvas(video: VideoInfo, fit: str) -> Size:
    """The output's size: 1080×1920, a size smaller when that would enlarge more than twice; `keep` keeps the shape."""
    wide, tall = video.display_width, video.display_height
    if fit == "keep" and not is_upright(video):
        return kept(wide, tall)
    for width, height in CANVASES:
        shares = (width / wide, height / tall)
        if (max(shares) if fit == "crop" else min(shares)) <= ENLARGEMENT_MAX:
            return width, height
    return CANVASES[-1]


def kept(wide: int, tall: int) -> Size:
    """The same shape within TikTok's limits, with even sides; very long pictures end up on a wider one."""
    scale = min(1.0, KEPT_SIDE_MAX / max(wide, tall))
    scale = min(max(scale, SIDE_MIN / min(wide, tall)), SIDE_MAX / max(wide, tall))
    width, height = (int(clamp(even(side * scale), SIDE_MIN, SIDE_MAX)) for side in (wide, tall))
    return width, height


def inside(video: VideoInfo, size: Size) -> Size:
    """The largest picture of the video's shape that fits into `size`."""
    scale = min(size[0] / video.display_width, size[1] / video.display_height)
    return _sides(video.display_width * scale, video.display_height * scale, size)


def cut(video: VideoInfo, size: Size) -> Size:
    """The part of the decoded, turned picture that has the shape of `size`: what remains of it after a crop."""
    wide, tall = turned(video)
    shape = size[0] / size[1] * (wide / tall) / (video.display_width / video.display_height)
    return _sides(min(wide, tall * shape), min(tall, wide / shape), (wide, tall))


def turned(video: VideoInfo) -> Size:
    """The decoded picture's size after its rotation, in its own pixels."""
    return (video.height, video.width) if video.rotation % 180 else (video.width, video.height)


def even(value: float) -> int:
    """The nearest even number."""
    return round(value / 2) * 2


def _sides(width: float, height: float, most: Size) -> Size:
    return min(most[0], max(2, even(width))), min(most[1], max(2, even(height)))
