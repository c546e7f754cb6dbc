"""The edit as data: what it decides, the command line that follows, and the key that names the result."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing.editing.geometry import SHAPE, canvas, cut, inside, is_upright, turned
from publishing.editing.graph import constant_fps
from publishing.editing.probe import AudioInfo, MediaInfo, MediaRefused, VideoInfo
from publishing.editing.spec import Brand, EditSpec, Logo, Music
from publishing.editing.subtitles import Cue, SubtitleStyle
from tests.publishing.editing.bombs import png

PNG, MP3 = png(20, 10), b"ID3\x04"


def video(width: int = 1080, height: int = 1920, **fields: object) -> VideoInfo:
    plain = {
        "codec": "h264", "profile": "High", "width": width, "height": height, "display_width": width,
        "display_height": height, "rotation": 0, "fps": 30.0, "variable_fps": False, "pix_fmt": "yuv420p",
        "bit_depth": 8,
    }  # fmt: skip
    return VideoInfo(**(plain | fields))


def spec(
    picture: VideoInfo | None = None, *, seconds: float = 10, cues: tuple[Cue, ...] = (), **fields: object
) -> EditSpec:
    source = {
        "container": "mp4", "duration_ms": round(seconds * 1000), "size": 5_000_000, "faststart": True,
        "video": picture or video(), "audio": AudioInfo(codec="aac", channels=2, sample_rate=48000),
    }  # fmt: skip
    source |= {name: fields.pop(name) for name in list(fields) if name in source}
    return EditSpec(
        source=MediaInfo(**source), source_path=Path("/in/a.mp4"), output_path=Path("/out/b.mp4"),
        brand=Brand(**fields), cues=cues,
    )  # fmt: skip


@pytest.fixture
def logo(tmp_path: Path) -> Logo:
    (tmp_path / "logo.png").write_bytes(PNG)
    return Logo(path=tmp_path / "logo.png", sha256="l")


@pytest.fixture
def music(tmp_path: Path) -> Music:
    (tmp_path / "tune.mp3").write_bytes(MP3)
    return Music(path=tmp_path / "tune.mp3", sha256="m")


CONFORMING = {
    "as it is": spec(),
    "small": spec(video(540, 960)),
    "nearly 9:16": spec(video(1080, 1918)),
    "silent": spec(audio=None),
    "mov": spec(container="mov"),
    "large": spec(size=900_000_000),
    "another shape, kept": spec(video(1280, 720), fit="keep"),
    "film pace": spec(video(fps=23.976)),
}
FOREIGN = {
    "container": spec(container="webm"),
    "codec": spec(video(codec="hevc")),
    "ten bit": spec(video(pix_fmt="yuv420p10le", bit_depth=10)),
    "full range": spec(video(full_range=True)),
    "interlaced": spec(video(interlaced=True)),
    "slow": spec(video(fps=15.0)),
    "fast": spec(video(fps=120.0)),
    "uneven": spec(video(variable_fps=True)),
    "turned": spec(video(rotation=180)),
    "wide pixels": spec(video(540, 1920, display_width=1080)),
    "another shape": spec(video(1280, 720)),
    "too small": spec(video(270, 480)),
    "too large, kept": spec(video(5000, 2000), fit="keep"),
    "surround": spec(audio=AudioInfo(codec="aac", channels=6, sample_rate=48000)),
    "sound codec": spec(audio=AudioInfo(codec="opus", channels=2, sample_rate=48000)),
    "colour": spec(contrast=1.1),
    "loudness": spec(loudness_lufs=-14),
    "volume": spec(volume_db=3),
    "subtitles": spec(cues=(Cue(0, 100, "a"),)),
}


@pytest.mark.parametrize("edit", CONFORMING.values(), ids=CONFORMING)
def test_it_copies_what_tiktok_takes_as_it_is(edit):
    assert edit.is_noop
    assert "copy" in edit.argv()
    assert "libx264" not in edit.argv()


@pytest.mark.parametrize("edit", FOREIGN.values(), ids=FOREIGN)
def test_it_encodes_anything_else(edit):
    assert not edit.is_noop
    assert "libx264" in edit.argv()
    assert "copy" not in edit.argv()


def test_it_encodes_for_a_logo_or_music(logo, music):
    assert not spec(logo=logo).is_noop
    assert not spec(music=music).is_noop


@pytest.mark.parametrize(
    ("fps", "variable", "expected"),
    [
        (12, False, 30), (22.9, False, 30), (23.976, False, Fraction(24000, 1001)), (24, False, 24), (25, False, 25),
        (29.97, False, Fraction(30000, 1001)), (48, False, 48), (60, False, 60), (120, False, 60),
        (27.3, True, 25), (28.9, True, 30), (57, True, 60), (240, True, 60), (7, True, 30), (0, False, 30),
    ],
)  # fmt: skip
def test_it_chooses_a_constant_pace(fps, variable, expected):
    assert constant_fps(video(fps=fps, variable_fps=variable)) == expected


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        ((1920, 1080), "blur", (1080, 1920)), ((1280, 720), "blur", (1080, 1920)), ((640, 360), "blur", (1080, 1920)),
        ((480, 270), "blur", (720, 1280)), ((1280, 720), "crop", (720, 1280)), ((1920, 1080), "crop", (1080, 1920)),
        ((540, 960), "pad", (1080, 1920)), ((160, 120), "pad", (720, 1280)), ((2160, 3840), "keep", (1080, 1920)),
        ((1280, 720), "keep", (1280, 720)), ((3840, 2160), "keep", (1920, 1080)), ((321, 241), "keep", (480, 360)),
        ((4096, 4), "keep", (4096, 360)), ((101, 4096), "keep", (360, 4096)),
    ],
)  # fmt: skip
def test_it_chooses_the_size_that_goes_out(size, fit, expected):
    assert canvas(video(*size), fit) == expected


@given(st.integers(1, 4096), st.integers(1, 4096), st.sampled_from(["crop", "blur", "pad", "keep"]))
def test_it_never_leaves_tiktoks_sizes(width, height, fit):
    picture = video(width, height)
    size = canvas(picture, fit)
    assert all(360 <= side <= 4096 and side % 2 == 0 for side in size)
    assert all(part <= side for part, side in zip(inside(picture, size), size, strict=True))
    assert all(1 <= part <= side for part, side in zip(cut(picture, size), turned(picture), strict=True))
    if fit != "keep":
        assert size[0] / size[1] == SHAPE


def test_it_cuts_wide_pixels_and_turned_pictures_by_what_is_seen():
    assert cut(video(160, 240, display_width=320), (1080, 1920)) == (68, 240)
    assert cut(video(1280, 720, rotation=90, display_width=720, display_height=1280), (1080, 1920)) == (720, 1280)
    assert is_upright(video(1280, 720, rotation=90, display_width=720, display_height=1280))


@pytest.mark.parametrize("seconds", [1, 30, 60, 300, 600, 3600])
def test_it_aims_below_the_target_size_unless_the_picture_would_fall_apart(seconds):
    edit = spec(video(1280, 720), seconds=seconds)
    largest = (edit.video_bitrate * (seconds + 2) + 128_000 * seconds) / 8
    assert largest <= edit.target_bytes or edit.video_bitrate == 1_200_000
    assert 1_200_000 <= edit.video_bitrate <= 12_000_000


def test_it_opens_nothing_but_files_in_the_format_that_they_have(logo, music):
    argv = spec(logo=logo, music=music).argv()
    inputs = [number for number, word in enumerate(argv) if word == "-i"]
    assert len(inputs) == 3
    for number in inputs:
        assert argv[number + 1].startswith("file:/")
        assert argv[number - 2] == "-f"
        assert argv[number - 8 : number - 6] == ["-protocol_whitelist", "file,pipe"]
    assert argv[argv.index("-f", inputs[-1]) + 1] == "mp4"
    assert {"-nostdin", "-hide_banner"} <= set(argv)


@pytest.mark.parametrize("data", [b"<svg/>", b"#EXTM3U\n", b"ffconcat version 1.0", b"", b"PK\x03\x04"])
def test_it_refuses_brand_files_that_are_something_else(tmp_path, data):
    path = tmp_path / "logo.png"
    path.write_bytes(data)
    for brand in ({"logo": Logo(path=path, sha256="x")}, {"music": Music(path=path, sha256="x")}):
        with pytest.raises(MediaRefused) as caught:
            spec(**brand).argv()
        assert caught.value.code == "wrong_kind"


WILD = st.floats(allow_nan=True, allow_infinity=True)


@given(WILD, WILD, WILD, WILD, WILD, st.none() | WILD, st.text(max_size=8), st.text(max_size=20))
def test_it_lets_only_numbers_in_range_into_a_filter(bright, contrast, saturation, warm, volume, loudness, fit, text):
    """A structural allowlist: whatever comes in, the graph is made of our own words and of numbers."""
    text = f"§{text}§"
    edit = spec(
        video(1280, 720), fit=f"{fit}§", brightness=bright, contrast=contrast, saturation=saturation, temperature=warm,
        volume_db=volume, loudness_lufs=loudness, cues=(Cue(0, 500, text),),
        subtitles=SubtitleStyle(color=text, outline_color=text, position=text),
    )  # fmt: skip
    graph = edit.argv()[edit.argv().index("-filter_complex") + 1]
    assert re.fullmatch(r"[A-Za-z0-9\[\]:;,=()/.*+_|-]+", graph)
    assert not re.search(r"=-?(nan|inf)", graph)


def test_it_clamps_to_the_documented_ranges():
    graph = " ".join(spec(video(1280, 720), brightness=9, contrast=-4, saturation=math.inf, volume_db=99).argv())
    assert "brightness=0.500:contrast=0.500:saturation=3.000" in graph
    assert "volume=12.0dB" in graph


def test_it_gives_an_equal_edit_an_equal_key_wherever_the_files_lie(logo, music, tmp_path):
    here = spec(logo=logo, music=music, cues=(Cue(0, 900, "Hola"),))
    (tmp_path / "copy").mkdir()
    moved = Logo(path=tmp_path / "copy/other.png", sha256="l")
    moved.path.write_bytes(PNG)
    there = replace(here, brand=replace(here.brand, logo=moved), source_path=Path("/elsewhere.mp4")).at(Path("/c.mp4"))
    assert here.key("s", "9") == there.key("s", "9")
    assert re.fullmatch(r"[0-9a-f]{64}", here.key("s", "9"))


def test_it_gives_any_other_edit_another_key(logo, music):
    cues = (Cue(0, 900, "Hola"),)
    base = spec(cues=cues, logo=logo, music=music)
    style = SubtitleStyle(uppercase=True)
    others = [
        spec(cues=cues, logo=logo),
        spec(cues=cues, music=music),
        spec(cues=cues, logo=replace(logo, sha256="other"), music=music),
        spec(cues=cues, logo=replace(logo, opacity=0.5), music=music),
        spec(cues=cues, logo=logo, music=replace(music, sha256="other")),
        spec(cues=(Cue(0, 950, "Hola"),), logo=logo, music=music),
        spec(cues=(Cue(0, 900, "Chau"),), logo=logo, music=music),
        spec(cues=cues, logo=logo, music=music, subtitles=style),
        spec(cues=cues, logo=logo, music=music, temperature=0.1),
        replace(spec(cues=cues, logo=logo, music=music), target_bytes=5_000_000),
    ]
    keys = [base.key("s", "9"), base.key("t", "9"), base.key("s", "8"), *(each.key("s", "9") for each in others)]
    assert len(set(keys)) == len(keys)


def test_it_keeps_its_key_when_nothing_of_the_result_changes():
    assert spec().key("s", "9") == spec(subtitles=SubtitleStyle(size=90)).key("s", "9")
    assert spec(brightness=0.5).key("s", "9") == spec(brightness=7).key("s", "9")
    assert spec(brightness=0.5).key("s", "9") == replace(spec(brightness=0.5), target_bytes=10**9).key("s", "9")
