"""Edits of every kind of input, and what is seen and heard in the results."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from publishing.editing.ffmpeg import render
from publishing.editing.probe import MediaInfo, probe
from publishing.editing.spec import Logo, Music
from tests.publishing.editing.conftest import TONE, X264, make

X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error")
DEEP = (*X265, "-pix_fmt", "yuv420p10le")
PQ, HLG = (
    (*X265[:5], f"log-level=error:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc", "-pix_fmt", "yuv420p10le")
    for transfer in ("smpte2084", "arib-std-b67")
)
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
FULL_COLOUR = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p")

UNEVEN = ("-vf", "select='lt(n,9)+not(mod(n,3))'", "-fps_mode", "vfr", *X264)

#: name -> how the input is made, and the frames a second that must come out
INPUTS = {
    "4:3, 24 fps": ({"picture": "testsrc2=s=320x240:r=24"}, 24),
    "square": ({"picture": "testsrc2=s=240x240:r=25"}, 25),
    "16:9": ({"picture": "testsrc2=s=320x180:r=30000/1001"}, 29.97),
    "16:9, 60 fps": ({"picture": "testsrc2=s=320x180:r=60"}, 60),
    "120 fps": ({"picture": "testsrc2=s=320x180:r=120"}, 60),
    "12 fps": ({"picture": "testsrc2=s=320x180:r=12"}, 30),
    "variable fps": ({"video": UNEVEN, "seconds": 1}, None),
    "odd sides": ({"picture": "testsrc2=s=321x243:r=30", "video": FULL_COLOUR}, 30),
    "wide pixels": ({"picture": "testsrc2=s=160x240:r=30,setsar=2"}, 30),
    "interlaced": ({"video": ("-vf", "setfield=tff", "-flags", "+ilme+ildct", *X264)}, 30),
    "no sound": ({"sound": None}, 30),
    "mono": ({"sound": f"{TONE},aformat=channel_layouts=mono"}, 30),
    "5.1": ({"sound": f"{TONE},aformat=channel_layouts=5.1"}, 30),
    "HEVC": ({"video": X265}, 30),
    "VP9 in WebM": ({"name": "a.webm", "video": VP9, "audio": ("-c:a", "libopus")}, 30),
    "Matroska": ({"name": "a.mkv", "audio": ("-c:a", "flac")}, 30),
    "MOV": ({"name": "a.mov", "audio": ("-c:a", "pcm_s16le")}, 30),
    "10 bit": ({"video": DEEP}, 30),
    "HDR10": ({"video": PQ}, 30),
    "HLG": ({"video": HLG}, 30),
    "half a second": ({"seconds": 0.5}, 30),
}  # fmt: skip


def check_tiktok_takes(info: MediaInfo) -> None:
    """What TikTok recommends (Content Posting API, media transfer guide), and what we promise on top."""
    video = info.video
    assert (info.container, video.codec, video.pix_fmt, video.rotation) == ("mp4", "h264", "yuv420p", 0)
    assert (video.width, video.height) == (video.display_width, video.display_height)
    assert 23 <= video.fps <= 60
    assert not video.variable_fps
    assert not video.interlaced
    assert info.faststart
    if info.audio:
        assert (info.audio.codec, info.audio.channels, info.audio.sample_rate) == ("aac", 2, 48000)


@pytest.mark.parametrize("kind", INPUTS)
def test_it_makes_a_vertical_video_that_tiktok_takes(clip, edit, kind):
    options, fps = INPUTS[kind]
    spec = edit(clip(**options), loudness_lufs=-14)
    info = probe(render(spec))
    check_tiktok_takes(info)
    assert (info.video.width, info.video.height) == (720, 1280) == spec.size
    assert abs(info.duration_ms - spec.source.duration_ms) <= 60
    assert (info.audio is None) == (spec.source.audio is None)
    if fps:
        assert math.isclose(info.video.fps, fps, abs_tol=0.02)


@pytest.mark.parametrize(("fit", "turn"), [("crop", 90), ("pad", -90), ("keep", 90), ("blur", -90)])
def test_it_turns_what_was_filmed_upright_and_clears_the_mark(clip, tmp_path, rendered, look, fit, turn):
    """Left half red, right half blue; turned, one of them is on top."""
    halves = clip("halves.mp4", picture="color=red:s=320x180:r=30,drawbox=x=160:w=160:h=180:color=blue:t=fill")
    phone = make(tmp_path / "phone.mp4", "-display_rotation", str(turn), "-i", f"file:{halves}", "-c", "copy")
    check_tiktok_takes(rendered(phone, fit=fit, brightness=0.01))
    picture, player = look(tmp_path / "out.mp4"), look(phone)
    for y in (0.1, 0.9):
        assert all(abs(ours - seen) < 25 for ours, seen in zip(picture.at(0.5, y), player.at(0.5, y), strict=True))
    assert picture.at(0.5, 0.1) != picture.at(0.5, 0.9)


@pytest.mark.parametrize(
    ("fit", "edge", "middle"),
    [("crop", "white", "white"), ("pad", "black", "white"), ("blur", "some", "white")],
)
def test_it_makes_another_shape_upright_as_told(clip, tmp_path, rendered, look, fit, edge, middle):
    white = clip("white.mp4", picture="color=white:s=320x180:r=30")
    rendered(white, fit=fit)
    picture = look(tmp_path / "out.mp4")
    seen = {"edge": min(picture.at(0.5, 0.05)), "middle": min(picture.at(0.5, 0.5))}
    assert seen["middle"] > 240
    assert {"white": seen["edge"] > 240, "black": seen["edge"] < 15, "some": 200 < seen["edge"] < 245}[edge]


def test_it_keeps_circles_round(clip, tmp_path, rendered, look):
    """A square of 60×60 as seen, in a file whose pixels are twice as wide as high."""
    source = clip(
        "square.mp4", picture="color=black:s=160x240:r=30,drawbox=x=65:y=90:w=30:h=60:color=white:t=fill,setsar=2"
    )
    rendered(source, fit="pad")
    picture = look(tmp_path / "out.mp4")
    half = 30 * 720 / 320
    for far, is_white in ((half * 0.85, True), (half * 1.15, False)):
        across = picture.at(0.5 + far / picture.width, 0.5)
        down = picture.at(0.5, 0.5 + far / picture.height)
        assert (min(across) > 200) == (min(down) > 200) == is_white


def test_it_drops_what_the_camera_wrote_about_its_owner(clip, edit, tmp_path):
    tags = ("-metadata", "title=secret", "-metadata", "location=+34.6-058.4/", "-metadata:s:v", "handler_name=secret")
    for picture in ("testsrc2=s=320x240:r=30", "testsrc2=s=360x640:r=30"):
        source = clip("tagged.mp4", picture=picture, video=(*X264, *tags))
        assert b"secret" in source.read_bytes()
        out = render(edit(source)).read_bytes()
        assert b"secret" not in out
        assert b"34.6" not in out


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]


def test_it_copies_a_file_that_needs_nothing(clip, edit):
    source = clip("ready.mp4", picture="testsrc2=s=360x640:r=30")
    spec = edit(source)
    assert spec.is_noop
    out = render(spec)
    assert packets(out, "video") == packets(source, "video")
    assert packets(out, "audio") == packets(source, "audio")
    assert probe(out).faststart
    assert not spec.source.faststart


def test_it_copies_twelve_minutes_at_once(clip, edit, tmp_path):
    source = clip("minute.mp4", picture="color=teal:s=360x640:r=24", seconds=10)
    long = make(tmp_path / "long.mp4", "-stream_loop", "71", "-i", f"file:{source}", "-c", "copy")
    spec = edit(long)
    assert spec.is_noop
    out = probe(render(spec))
    assert abs(out.duration_ms - 720_000) < 2000
    assert out.faststart


@pytest.mark.integration
def test_it_encodes_twelve_minutes_below_the_target(clip, edit, tmp_path):
    source = clip("minute.mp4", picture="testsrc2=s=192x108:r=24", seconds=10)
    long = make(tmp_path / "long.mp4", "-stream_loop", "71", "-i", f"file:{source}", "-c", "copy")
    spec = edit(long, fit="keep", saturation=0.5)
    info = probe(render(spec))
    check_tiktok_takes(info)
    assert abs(info.duration_ms - spec.source.duration_ms) < 200
    assert info.size <= (spec.video_bitrate + 128_000) / 8 * 725


def test_it_holds_the_last_picture_while_the_sound_goes_on(tmp_path, rendered, look):
    inputs = ["-f", "lavfi", "-i", "color=lime:s=320x240:r=30:d=0.6", "-f", "lavfi", "-i", "sine=d=1.6"]
    info = rendered(make(tmp_path / "in.mp4", *inputs, *X264, "-c:a", "aac"))
    assert abs(info.video.duration_ms - 1600) < 80
    assert look(tmp_path / "out.mp4", 1500).at(0.5, 0.5)[1] > 200


@pytest.mark.parametrize(
    ("size", "matrix"), [("320x180", None), ("1280x720", None), ("320x180", "bt709"), ("320x180", "bt470bg")]
)
def test_it_leaves_colours_alone(clip, tmp_path, rendered, look, size, matrix):
    """A player guesses BT.601 for small and BT.709 for large pictures when the file does not say."""
    tag = matrix or ("bt709" if size == "1280x720" else "smpte170m")
    drawn = f"color=0xC8503C:s={size}:r=30,format=rgb24,scale=out_color_matrix={tag}:out_range=tv,format=yuv420p"
    tags = ("-colorspace", tag) if matrix else ("-bsf:v", "h264_metadata=matrix_coefficients=2")
    rendered(clip(f"{size}-{tag}.mp4", picture=drawn, seconds=0.4, sound=None, video=(*X264, *tags)), fit="crop")
    seen = look(tmp_path / "out.mp4").at(0.5, 0.5)
    assert all(abs(ours - drawn) <= 6 for ours, drawn in zip(seen, (0xC8, 0x50, 0x3C), strict=True)), seen


def colour(clip: Callable, rendered: Callable, look: Callable, tmp_path: Path, **brand: float) -> tuple[int, int, int]:
    source = clip("skin.mp4", picture="color=0xA07060:s=320x180:r=30", seconds=0.4, sound=None)
    rendered(source, fit="keep", **brand)
    return look(tmp_path / "out.mp4").at(0.5, 0.5)


@pytest.mark.parametrize(
    ("brand", "check"),
    [
        ({"brightness": 0.2}, lambda red, green, blue: red > 0xA0 + 30 and blue > 0x60 + 30),
        ({"brightness": -0.2}, lambda red, green, blue: red < 0xA0 - 30),
        ({"contrast": 1.5}, lambda red, green, blue: red - blue > 0x40 - 5 and red != 0xA0),
        ({"saturation": 0}, lambda red, green, blue: max(red, green, blue) - min(red, green, blue) < 6),
        ({"saturation": 2}, lambda red, green, blue: red - blue > 0x40 + 30),
        ({"temperature": 1}, lambda red, green, blue: red - blue > 0x40 + 20),
        ({"temperature": -1}, lambda red, green, blue: red - blue < 0x40 - 10),
        ({"temperature": 0.01}, lambda red, green, blue: abs(red - 0xA0) + abs(green - 0x70) + abs(blue - 0x60) < 18),
    ],
    ids=["light", "dark", "contrast", "grey", "vivid", "warm", "cold", "almost nothing"],
)
def test_it_changes_colours_as_told(clip, rendered, look, tmp_path, brand, check):
    seen = colour(clip, rendered, look, tmp_path, **brand)
    assert check(*seen), seen


@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_it_maps_hdr_to_colours_that_look_right(clip, tmp_path, rendered, look, transfer):
    """Without tone mapping a mid grey comes out flat and dark, or blown out; here it stays neutral and in between."""
    rendered(
        clip("grey.mp4", picture="color=0x808080:s=320x180:r=30", seconds=0.4, sound=None, video=transfer), fit="crop"
    )
    red, green, blue = look(tmp_path / "out.mp4").at(0.5, 0.5)
    assert max(red, green, blue) - min(red, green, blue) < 8
    assert 60 < green < 230


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return make(tmp_path / "mark.png", "-f", "lavfi", "-i", "color=lime:s=100x50", "-frames:v", "1", "-update", "1")


CORNERS = {"top_left": (0.1, 0.06), "top_right": (0.9, 0.06), "bottom_left": (0.1, 0.95), "bottom_right": (0.9, 0.95)}


@pytest.mark.parametrize("position", CORNERS)
def test_it_puts_the_logo_in_its_corner_and_nowhere_else(clip, mark, rendered, look, tmp_path, position):
    source = clip("dark.mp4", picture="color=0x202020:s=320x180:r=30", seconds=0.4, sound=None)
    logo = Logo(path=mark, sha256="x", position=position, width_percent=20, opacity=1, margin_percent=2)
    rendered(source, fit="keep", logo=logo)
    picture = look(tmp_path / "out.mp4")
    for name, place in CORNERS.items():
        assert (picture.at(*place)[1] > 200) == (name == position)
    assert max(picture.at(0.5, 0.5)) < 50


def test_it_lets_the_picture_through_a_faint_logo(clip, mark, rendered, look, tmp_path):
    source = clip("dark.mp4", picture="color=0x202020:s=320x180:r=30", seconds=0.4, sound=None)
    rendered(source, fit="keep", logo=Logo(path=mark, sha256="x", position="top_left", width_percent=20, opacity=0.5))
    assert 100 < look(tmp_path / "out.mp4").at(0.12, 0.15)[1] < 190


def test_it_bounds_a_tall_logo(clip, rendered, look, tmp_path):
    tall = make(tmp_path / "tall.png", "-f", "lavfi", "-i", "color=lime:s=40x2000", "-frames:v", "1", "-update", "1")
    source = clip("dark.mp4", picture="color=0x202020:s=320x180:r=30", seconds=0.4, sound=None)
    rendered(source, fit="keep", logo=Logo(path=tall, sha256="x", position="top_left", width_percent=50, opacity=1))
    assert max(look(tmp_path / "out.mp4").at(0.05, 0.6)) < 50


#: For what is only heard.
GREY = "color=gray:s=90x160:r=24"


def loudness(listen: Callable, path: Path) -> float:
    return float(listen(path, "ebur128").rsplit("I:", 1)[1].split("LUFS")[0])


@pytest.mark.parametrize(("volume", "target"), [(0.02, -14), (0.9, -24)])
def test_it_brings_the_sound_to_the_loudness_that_was_asked_for(clip, rendered, listen, tmp_path, target, volume):
    source = clip(picture=GREY, seconds=6, sound=f"anoisesrc=c=pink:r=44100,volume={volume}")
    rendered(source, fit="keep", loudness_lufs=target)
    assert abs(loudness(listen, tmp_path / "out.mp4") - target) < 1.5


@pytest.mark.parametrize("change", [-12, 6])
def test_it_changes_the_volume_as_told_without_clipping(clip, rendered, level, tmp_path, change):
    quiet = clip(picture=GREY, sound=f"{TONE},volume=0.2", seconds=1)
    rendered(quiet, fit="keep", volume_db=change)
    assert abs(level(tmp_path / "out.mp4") - level(quiet) - change) < 1.5
    rendered(clip(picture=GREY, sound=f"{TONE},volume=7", seconds=1), fit="keep", volume_db=12)
    assert level(tmp_path / "out.mp4", what="max_volume") <= -0.5


def test_it_hears_every_channel_of_a_surround_sound(clip, rendered, level, tmp_path):
    """Speech is in the centre channel: it must be on both sides."""
    centre = f"{TONE},pan=5.1|FC=c0"
    rendered(clip("centre.mp4", picture=GREY, sound=centre), fit="keep")
    for side in ("c0=c0", "c0=c1"):
        assert level(tmp_path / "out.mp4", f"pan=mono|{side}") > -40


HEARD = "bandpass=f=1800:width_type=h:w=60"


@pytest.fixture
def tune(tmp_path: Path) -> Callable[..., Music]:
    def tune(volume_db: float = -6, name: str = "tune.mp3") -> Music:
        path = make(tmp_path / name, "-f", "lavfi", "-i", "sine=f=1800:d=0.7:r=44100,volume=6dB")
        return Music(path=path, sha256=name, volume_db=volume_db)

    return tune


@pytest.mark.parametrize("name", ["tune.mp3", "tune.m4a", "tune.wav", "tune.ogg", "tune.flac"])
def test_it_adds_music_to_a_silent_video_for_as_long_as_it_lasts(clip, rendered, level, tune, tmp_path, name):
    info = rendered(clip(picture=GREY, seconds=2, sound=None), fit="keep", music=tune(name=name))
    check_tiktok_takes(info)
    assert info.audio is not None
    assert abs(info.duration_ms - 2000) < 80
    assert level(tmp_path / "out.mp4", f"atrim=1:1.4,{HEARD}") > -35


def test_it_mixes_music_under_the_sound_and_turns_it_down_while_somebody_speaks(clip, rendered, level, tune, tmp_path):
    speech = f"{TONE},volume=6dB,volume=0:enable='gt(t,2)'"
    source = clip(picture=GREY, seconds=4, sound=speech)
    rendered(source, fit="keep", music=tune())
    assert level(tmp_path / "out.mp4", "atrim=0.5:1.5,bandpass=f=440:width_type=h:w=60") > -30
    under, alone = (level(tmp_path / "out.mp4", f"atrim={span},{HEARD}") for span in ("0.8:1.8", "3.2:3.6"))
    assert -60 < under < alone - 6
    assert alone > -35


def test_it_leaves_a_silent_sound_silent(clip, rendered, level, tmp_path):
    rendered(clip(picture=GREY, sound="anullsrc=r=44100:cl=mono", seconds=1), fit="keep", loudness_lufs=-14)
    assert level(tmp_path / "out.mp4", what="max_volume") < -60


@pytest.mark.parametrize("seconds", [0.5, 2.5])
def test_it_makes_a_short_sound_no_louder_than_a_long_one(clip, rendered, level, tmp_path, seconds):
    """A tone on both sides has -16.4 dB when its loudness is -14 LUFS, however long it lasts."""
    rendered(clip(picture=GREY, sound=f"{TONE},volume=0.1", seconds=seconds), fit="keep", loudness_lufs=-14)
    assert abs(level(tmp_path / "out.mp4") + 16.4) < 0.7
