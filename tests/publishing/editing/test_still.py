"""The still of an edit: what a preview shows is what the edit will make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from publishing.editing.brand import Logo
from publishing.editing.ffmpeg import FfmpegFailed, ffmpeg_path, render, still
from publishing.editing.subtitles import Cue, SubtitleStyle
from tests.publishing.editing.conftest import make

WIDTH = 360
LINE = (Cue(0, 1000, "Mañana, medialunas con ñandú"),)
WIDE, UPRIGHT = "testsrc2=s=640x360:r=30", "testsrc2=s=540x960:r=30"
STRONG = {"brightness": 0.1, "contrast": 1.4, "saturation": 2.0, "temperature": 0.8}


def pixels(path: Path, *seek: str, height: int = 0) -> bytes:
    """RGB of one picture, `WIDTH` wide, as a player would show it."""
    shape = f"scale={WIDTH}:{height or -2}"
    argv = [ffmpeg_path(), "-v", "error", *seek, "-i", str(path), "-frames:v", "1", "-vf", shape]
    return subprocess.run(
        [*argv, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=60
    ).stdout


def difference(one: bytes, other: bytes) -> float:
    """The mean of what the channels differ by, of 255."""
    assert len(one) == len(other) > 0
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def drawn(spec, folder: Path, ms: int) -> bytes:
    picture = folder / "preview.jpg"
    picture.write_bytes(still(spec, ms, WIDTH))
    return pixels(picture)


@pytest.fixture
def logo(tmp_path) -> Logo:
    path = make(tmp_path / "logo.png", "-f", "lavfi", "-i", "color=c=red:s=200x100", "-frames:v", "1")
    return Logo(path=path, sha256="0" * 64, width_percent=40, opacity=1)


@pytest.mark.parametrize("fit", ["blur", "crop", "pad", "keep"])
@pytest.mark.parametrize("picture", [WIDE, UPRIGHT])
def test_it_is_the_frame_of_the_edit(edit, clip, logo, tmp_path, fit, picture):
    style = SubtitleStyle(size=120, color="#FFEE00", outline_color="#3300AA", box=True, position="middle")
    spec = edit(clip(picture=picture, seconds=1), cues=LINE, fit=fit, logo=logo, subtitles=style, **STRONG)
    edited = pixels(render(spec), "-ss", "0.5")
    assert difference(drawn(spec, tmp_path, 500), edited) < 4


def test_it_differs_when_the_pattern_does(edit, clip, tmp_path):
    """What the tolerance above is worth: any one change of it is seen."""
    source = clip(picture=UPRIGHT, seconds=1)
    plain = drawn(edit(source), tmp_path, 500)
    for changed in ({"temperature": 0.8}, {"brightness": 0.1}, {"saturation": 0.2}):
        assert difference(drawn(edit(source, **changed), tmp_path, 500), plain) > 4, changed
    assert difference(drawn(edit(source, cues=LINE), tmp_path, 500), plain) > 1


def test_it_needs_no_sound(edit, clip, tmp_path):
    """Music and loudness of the pattern leave no trace in a picture, and nothing unconnected in its graph."""
    spec = edit(clip(picture=UPRIGHT, seconds=1), loudness_lufs=-14, volume_db=3, brightness=0.1)
    assert drawn(spec, tmp_path, 0)


def test_it_says_when_there_is_nothing_to_draw(edit, clip, tmp_path):
    spec = edit(clip(picture=UPRIGHT, seconds=1))
    with pytest.raises(FfmpegFailed):
        still(spec, 3_600_000)
