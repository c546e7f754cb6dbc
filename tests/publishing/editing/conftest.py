"""Small videos of every kind, made once a session, and eyes and ears for the results."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from publishing.editing.ffmpeg import render, run
from publishing.editing.probe import MediaInfo, probe
from publishing.editing.spec import Brand, EditSpec
from publishing.editing.subtitles import Cue

Clip = Callable[..., Path]
Edit = Callable[..., EditSpec]

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
TONE = "sine=f=440:r=44100"


def make(output: Path, *argv: str) -> Path:
    """Run ffmpeg on `argv` with `output` at the end."""
    run(["-nostdin", "-v", "error", "-y", *argv, f"file:{output}"], timeout_s=60, cwd=output.parent)
    return output


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Make a clip, or find the one that was made of the same arguments; `sound` None leaves it out."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[tuple, Path] = {}

    def clip(
        name: str = "clip.mp4", *, picture: str = "testsrc2=s=320x240:r=30", seconds: float = 0.5,
        sound: str | None = TONE, video: tuple[str, ...] = X264, audio: tuple[str, ...] = ("-c:a", "aac"),
    ) -> Path:  # fmt: skip
        key = (name, picture, seconds, sound, video, audio)
        if key not in made:
            inputs = ["-f", "lavfi", "-i", picture, *(["-f", "lavfi", "-i", sound] if sound else [])]
            coding = [*video, *(audio if sound else ()), "-t", str(seconds)]
            made[key] = make(folder / f"{len(made)}-{name}", *inputs, *coding)
        return made[key]

    return clip


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """An edit of a file into this test's folder."""

    def edit(path: Path, *, name: str = "out.mp4", cues: tuple[Cue, ...] = (), **brand: object) -> EditSpec:
        return EditSpec(
            source=probe(path), source_path=path, output_path=tmp_path / name, brand=Brand(**brand), cues=cues
        )

    return edit


@pytest.fixture
def rendered(edit: Edit) -> Callable[..., MediaInfo]:
    """Make the edit; what came out. The file is `out.mp4` in the test's folder."""

    def rendered(path: Path, **options: object) -> MediaInfo:
        return probe(render(edit(path, **options)))

    return rendered


class Picture:
    """A frame as RGB; places are shares of its sides."""

    def __init__(self, path: Path, ms: int | None, folder: Path) -> None:
        seek = [*(["-ss", f"{ms / 1000:.3f}"] if ms else []), "-i", f"file:{path}", "-frames:v", "1"]
        raw = make(folder / "frame.ppm", *seek, "-f", "image2", "-c:v", "ppm", "-update", "1").read_bytes()
        header = re.match(rb"P6\n(\d+) (\d+)\n255\n", raw)
        assert header
        self.width, self.height = int(header[1]), int(header[2])
        self.rgb = raw[header.end() :]

    def at(self, x: float, y: float) -> tuple[int, int, int]:
        """The mean colour of a few pixels around that place."""
        left, top = round(x * (self.width - 1)), round(y * (self.height - 1))
        rows = range(max(0, top - 2), min(self.height, top + 3))
        columns = range(max(0, left - 2), min(self.width, left + 3))
        spots = [3 * (row * self.width + column) for row in rows for column in columns]
        return tuple(sum(self.rgb[spot + part] for spot in spots) // len(spots) for part in range(3))

    def changed(self, other: Picture, *, step: int = 3, by: int = 60) -> list[tuple[float, float]]:
        """The places (a grid of every `step` pixels) where the two differ by more than compression does."""
        assert (self.width, self.height) == (other.width, other.height)
        return [
            (column / self.width, row / self.height)
            for row in range(0, self.height, step)
            for column in range(0, self.width, step)
            if abs(
                self.rgb[3 * (row * self.width + column) + 1] - other.rgb[3 * (row * self.width + column) + 1]
            ) > by
        ]  # fmt: skip


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Picture]:
    """A frame of a video."""
    return lambda path, ms=200: Picture(path, ms, tmp_path)


@pytest.fixture
def listen() -> Callable[..., str]:
    """What ffmpeg's sound analysis says."""

    def listen(path: Path, filters: str) -> str:
        argv = ["-nostdin", "-hide_banner", "-v", "info", "-i", f"file:{path}", "-map", "0:a", "-af", filters]
        return run([*argv, "-f", "null", "-"], timeout_s=60).tail

    return listen


@pytest.fixture
def level(listen: Callable[..., str]) -> Callable[..., float]:
    """The mean volume in dB of what passes `filters`."""

    def level(path: Path, filters: str = "anull", what: str = "mean_volume") -> float:
        found = re.search(rf"{what}: (-?[\d.]+) dB", listen(path, f"{filters},volumedetect"))
        return float(found[1]) if found else -99.0

    return level
