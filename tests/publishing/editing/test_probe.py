"""What is taken and what is refused, and why."""

from __future__ import annotations

import subprocess
import zipfile

import pytest

from publishing.editing.ffmpeg import ffmpeg_path
from publishing.editing.probe import MediaInfo, MediaLimits, MediaRefused, probe, probe_isolated

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def refusal(path, **limits):
    with pytest.raises(MediaRefused) as refused:
        probe(path, limits=MediaLimits(**limits))
    return refused.value


def test_it_measures_a_plain_video(make):
    info = probe(make("a.mp4"))
    assert (info.container, info.video.codec, info.video.width, info.video.height) == ("mp4", "h264", 320, 568)
    assert (info.audio.codec, info.audio.channels) == ("aac", 2)
    assert 950 <= info.duration_ms <= 1100
    assert (info.video.fps, info.video.variable_fps) == (30, False)
    assert not info.faststart


def test_it_reads_back_what_it_wrote(make):
    info = probe(make("a.mp4"))
    assert MediaInfo.from_json(info.to_json()) == info


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_it_measures_what_a_viewer_sees_of_a_turned_video(make, tmp_path, degrees):
    turned = tmp_path / "turned.mp4"
    source = make("wide.mp4", size="640x360")
    subprocess.run(
        [ffmpeg_path(), "-v", "error", "-display_rotation", str(degrees), "-i", source, "-c", "copy", turned],
        check=True, timeout=30,
    )  # fmt: skip
    video = probe(turned).video
    assert video.rotation != 0
    assert (video.display_width, video.display_height) == ((640, 360) if degrees == 180 else (360, 640))


@pytest.mark.parametrize(
    ("name", "encode", "codec"),
    [
        ("a.mov", X264, "h264"),
        ("a.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"), "vp9"),
        ("hevc.mp4", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"), "hevc"),
        ("mono.mkv", X264, "h264"),
    ],
)
def test_it_takes_the_formats_that_phones_and_editors_make(make, name, encode, codec):
    assert probe(make(name, encode=encode)).video.codec == codec


def test_it_takes_half_a_second_and_no_sound(make):
    info = probe(make("short.mp4", seconds=0.5, audio=None))
    assert info.audio is None
    assert 400 <= info.duration_ms <= 600


def test_it_reads_the_depth_of_ten_bit_pictures(make):
    ten = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none")
    assert probe(make("ten.mp4", encode=ten)).video.bit_depth == 10


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("text.mp4", b"only words, many of them\n" * 50, "not_a_video"),
        ("zero.mp4", b"", "empty_file"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "playlist"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
        ("dash.mp4", b'<?xml version="1.0"?><MPD></MPD>', "playlist"),
        ("picture.mp4", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "playlist"),
        ("noise.mp4", b"\x00\x00\x00\x20ftypisom" + b"\x01\x02\x03\x04" * 500, "truncated"),
    ],
)
def test_it_refuses_what_is_no_video(tmp_path, name, data, code):
    path = tmp_path / name
    path.write_bytes(data)
    assert refusal(path).code == code


def test_it_refuses_an_archive_with_a_videos_name(tmp_path):
    path = tmp_path / "zip.mp4"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    assert refusal(path).code == "not_a_video"


def test_it_refuses_a_file_without_its_index(make, tmp_path):
    whole = make("a.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    assert refusal(path).code == "truncated"


def test_it_refuses_a_file_whose_data_ends_early(make, tmp_path):
    whole = make("fast.mp4", seconds=8, after=("-movflags", "+faststart")).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    assert refusal(path).code == "truncated"


def test_it_refuses_sound_alone(tmp_path):
    path = tmp_path / "sound.mp4"
    subprocess.run(
        [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", path], check=True, timeout=30
    )
    assert refusal(path).code == "no_video_stream"


@pytest.mark.parametrize(
    ("limits", "code", "measured"),
    [
        ({"max_duration_ms": 500}, "too_long", "duration_ms"),
        ({"min_duration_ms": 5000}, "too_short", "duration_ms"),
        ({"max_bytes": 100}, "too_large", "size"),
        ({"max_side": 400}, "too_many_pixels", "height"),
    ],
)
def test_it_quotes_what_it_measured(make, limits, code, measured):
    refused = refusal(make("a.mp4"), **limits)
    assert refused.code == code
    assert refused.detail[measured] > 0


def test_it_says_the_same_from_a_child_process(make, tmp_path):
    path = make("a.mp4")
    assert probe_isolated(path) == probe(path)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"#EXTM3U\n")
    with pytest.raises(MediaRefused, match="playlist"):
        probe_isolated(bad)


def test_it_gives_a_hanging_reader_up(make):
    with pytest.raises(MediaRefused, match="unreadable"):
        probe_isolated(make("a.mp4"), timeout=0.01)
