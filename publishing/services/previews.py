"""One frame as a brand pattern would make it: the edit's own filter graph, on a still."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore

from django.core.cache import cache

from publishing.editing.ffmpeg import colour_bars, ffmpeg_version, frame_at, still
from publishing.editing.probe import MediaInfo, probe
from publishing.editing.spec import Brand, EditSpec, Logo
from publishing.editing.subtitles import Cue
from publishing.models import Asset, BrandPattern
from publishing.services.brands import brand_from_pattern
from publishing.services.disk import scratch
from publishing.services.files import local_copy

WIDTH = 360
TIMEOUT_S = 15.0
#: How long a request waits for its turn before it is told to come back.
TURN_SECONDS = 8.0
LIFE = 3_600
BARS_SECONDS = 4
#: Moments are whole tenths of a second, so that few different frames exist; the very end has no frame.
STEP_MS, END_MS = 100, 300
#: Each still takes a core for a moment: people who drag sliders must not take them all.
_DRAWING = BoundedSemaphore(2)


class PreviewBusy(Exception):
    """Too many previews are being drawn; again in a moment."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What to show: a pattern (saved or not), a logo that is not stored yet, some text, a share (0 to 1) of the video.

    `source` None stands for the built-in colour bars; `before` shows the frame as it came.
    """

    pattern: BrandPattern
    source: Asset | None
    sample: str
    share: float = 0.5
    logo: bytes = b""
    before: bool = False


def preview_jpeg(ask: Ask) -> bytes:
    """The frame as JPEG, 360 wide. Raises PreviewBusy, FfmpegError, MediaRefused (the logo), StepFailed (the file)."""
    with _turn(), scratch("preview") as folder:
        brand = _brand(ask, folder)
        if ask.source is None:
            return _bars(ask, brand, folder)
        path, info = local_copy(ask.source, verify=False), MediaInfo.from_json(ask.source.probe)
        return _drawn(ask, _spec(ask, brand, path, info, folder), ask.source.sha256)


@contextmanager
def _turn() -> Iterator[None]:
    if not _DRAWING.acquire(timeout=TURN_SECONDS):
        raise PreviewBusy
    try:
        yield
    finally:
        _DRAWING.release()


def _brand(ask: Ask, folder: Path) -> Brand:
    brand = brand_from_pattern(ask.pattern)
    if not (ask.logo and ask.pattern.logo_enabled):
        return brand
    path = folder / "logo"
    path.write_bytes(ask.logo)
    logo = Logo(
        path=path, sha256=hashlib.sha256(ask.logo).hexdigest(), position=ask.pattern.logo_position,
        width_percent=ask.pattern.logo_width_percent, opacity=ask.pattern.logo_opacity,
    )  # fmt: skip
    return replace(brand, logo=logo)


def _bars(ask: Ask, brand: Brand, folder: Path) -> bytes:
    path = colour_bars(folder / "bars.mp4", seconds=BARS_SECONDS)
    return _drawn(ask, _spec(ask, brand, path, probe(path), folder), f"bars-{BARS_SECONDS}")


def _spec(ask: Ask, brand: Brand, path: Path, info: MediaInfo, folder: Path) -> EditSpec:
    cues = (Cue(0, max(info.duration_ms, 1000), ask.sample),) if ask.sample else ()
    return EditSpec(source=info, source_path=path, output_path=folder / "still.jpg", brand=brand, cues=cues).silent


def _drawn(ask: Ask, spec: EditSpec, sha256: str) -> bytes:
    """The frame, drawn once for the same content."""
    last = max(0, spec.source.duration_ms - END_MS)
    ms = int(last * min(1.0, max(0.0, ask.share))) // STEP_MS * STEP_MS
    name = sha256 if ask.before else spec.key(sha256, ffmpeg_version())
    data: bytes | None = cache.get(key := f"preview:{name}:{ms}")
    if data is None:
        data = frame_at(spec.source_path, ms, WIDTH) if ask.before else still(spec, ms, WIDTH, timeout_s=TIMEOUT_S)
        cache.set(key, data, LIFE)
    return data
