"""Small source videos, each with a picture of its own; every third is noise, so that its edit takes several parts."""

from __future__ import annotations

import subprocess
from pathlib import Path

from publishing.editing.ffmpeg import ffmpeg_path

CLIP_SECONDS = 60
PLAIN = "testsrc2=s=360x640:r=30:d=1.5,hue=h={turn}"
#: Noise does not compress: a second and a half is some 20 MB when it is edited, three parts of the smallest size.
NOISY = "testsrc2=s=540x960:r=30:d=1.5,hue=h={turn},noise=alls=60:allf=t:all_seed={turn}"
NOISY_EVERY = 3


def make_sources(folder: Path, *, count: int) -> list[Path]:
    """Write `count` clips of a second and a half into `folder`; their contents differ."""
    return [_clip(folder / f"source-{index:02}.mp4", index) for index in range(count)]


def _clip(path: Path, index: int) -> Path:
    picture = NOISY if index % NOISY_EVERY == NOISY_EVERY - 1 else PLAIN
    turn = 7 + 37 * index
    # fmt: off
    subprocess.run([
        ffmpeg_path(), "-nostdin", "-y", "-v", "error",
        "-f", "lavfi", "-i", picture.format(turn=turn), "-f", "lavfi", "-i", f"sine=f={220 + 20 * index}:d=1.5",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-pix_fmt", "yuv420p", "-c:a", "aac",
        "-shortest", str(path),
    ], timeout=CLIP_SECONDS, check=True)
    # fmt: on
    return path
