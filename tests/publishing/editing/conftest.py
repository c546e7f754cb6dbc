"""Media made by ffmpeg at test time: small, short, one of each kind."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from publishing.editing.ffmpeg import ffmpeg_path

Maker = Callable[..., Path]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """`make("name.mp4", size=…, fps=…, seconds=…, audio=…, encode=[…])`, kept for the session by its arguments."""
    folder = tmp_path_factory.mktemp("media")
    made: dict[str, Path] = {}

    def make(
        name: str, *, size: str = "320x568", fps: str = "30", seconds: float = 1, audio: str | None = "stereo",
        encode: tuple[str, ...] = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        source: str = "testsrc2", after: tuple[str, ...] = (),
    ) -> Path:  # fmt: skip
        key = f"{name}|{size}|{fps}|{seconds}|{audio}|{encode}|{source}|{after}"
        if key not in made:
            path = folder / f"{len(made)}-{name}"
            picture = (
                f"{source}=s={size}:r={fps}:d={seconds}"
                if source == "testsrc2"
                else f"{source}:s={size}:r={fps}:d={seconds}"
            )
            argv = [ffmpeg_path(), "-v", "error", "-y", "-f", "lavfi", "-i", picture]
            if audio:
                argv += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds},aformat=channel_layouts={audio}"]
            subprocess.run([*argv, *encode, *after, "-t", str(seconds), str(path)], check=True, timeout=120)
            made[key] = path
        return made[key]

    return make


def pixel(path: Path, ms: int, crop: str) -> tuple[int, int, int]:
    """The mean colour (r, g, b) of a `w:h:x:y` part of a frame."""
    argv = [
        ffmpeg_path(), "-v", "error", "-ss", f"{ms / 1000}", "-i", str(path), "-frames:v", "1", "-vf",
        f"crop={crop},scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", "pipe:1",
    ]  # fmt: skip
    data = subprocess.run(argv, check=True, capture_output=True, timeout=30).stdout
    return data[0], data[1], data[2]
