"""What a file is, and which files are refused before they can do harm."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import pytest

from publishing.editing.children import ChildFailed, Limits, ask
from publishing.editing.probe import MediaInfo, MediaLimits, MediaRefused, probe, probe_isolated
from tests.publishing.editing.conftest import X264, make

FASTSTART = (*X264, "-movflags", "+faststart")


def refused(path: Path, **limits: int) -> tuple[str, dict]:
    with pytest.raises(MediaRefused) as caught:
        probe(path, limits=MediaLimits(**limits))
    return caught.value.code, caught.value.detail


def written(tmp_path: Path, data: bytes, name: str = "file.mp4") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_it_describes_a_common_file(clip):
    path = clip("plain.mp4", picture="testsrc2=s=320x180:r=30", seconds=1, video=FASTSTART)
    info = probe(path)
    assert (info.container, info.size, info.faststart) == ("mp4", path.stat().st_size, True)
    assert abs(info.duration_ms - 1000) < 60
    video = info.video
    assert (video.codec, video.width, video.height, video.rotation) == ("h264", 320, 180, 0)
    assert (video.fps, video.variable_fps, video.pix_fmt, video.bit_depth) == (30.0, False, "yuv420p", 8)
    assert (info.audio.codec, info.audio.channels, info.audio.sample_rate) == ("aac", 1, 44100)
    assert not probe(clip(seconds=1)).faststart


def test_it_survives_a_trip_through_json(clip):
    info = probe(clip())
    assert MediaInfo.from_json(json.loads(json.dumps(info.to_json()))) == info
    silent = probe(clip(sound=None))
    assert MediaInfo.from_json(json.loads(json.dumps(silent.to_json()))) == silent


def test_it_reads_what_an_older_release_stored(clip):
    stored = probe(clip()).to_json()
    for added in ("matrix", "full_range", "interlaced", "duration_ms", "index"):
        del stored["video"][added]
    assert MediaInfo.from_json(stored).video.interlaced is False


@pytest.mark.parametrize(
    ("turn", "rotation", "shown"), [(90, 270, (180, 320)), (-90, 90, (180, 320)), (180, 180, (320, 180))]
)
def test_it_tells_the_shown_size_from_the_coded_one(clip, tmp_path, turn, rotation, shown):
    plain = clip(picture="testsrc2=s=320x180:r=30")
    video = probe(
        make(tmp_path / "turned.mp4", "-display_rotation", str(turn), "-i", f"file:{plain}", "-c", "copy")
    ).video
    assert (video.width, video.height, video.rotation) == (320, 180, rotation)
    assert (video.display_width, video.display_height) == shown


def test_it_counts_wide_pixels(clip):
    video = probe(clip("wide.mp4", picture="testsrc2=s=160x240:r=30,setsar=2")).video
    assert (video.width, video.display_width, video.display_height) == (160, 320, 240)


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_it_sees_a_variable_pace(clip, name):
    uneven = ("-vf", "select='lt(n,15)+not(mod(n,4))'", "-fps_mode", "vfr", *X264)
    assert probe(clip(name, seconds=2, video=uneven)).video.variable_fps
    assert not probe(clip(name, seconds=1)).video.variable_fps


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "50", "60", "120"])
@pytest.mark.parametrize("name", ["rate.mp4", "rate.webm"])
def test_it_measures_a_constant_pace(clip, name, rate):
    coding = X264 if name.endswith("mp4") else ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
    video = probe(clip(name, picture=f"testsrc2=s=64x64:r={rate}", seconds=1, sound=None, video=coding)).video
    assert not video.variable_fps
    assert abs(video.fps - eval(rate)) < 0.05


def test_it_knows_deep_and_hdr_pictures(clip):
    hdr = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params",
           "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc")  # fmt: skip
    video = probe(clip("hdr.mp4", video=hdr)).video
    assert (video.codec, video.bit_depth, video.transfer, video.matrix) == ("hevc", 10, "smpte2084", "bt2020nc")


def test_it_knows_interlaced_pictures(clip):
    fields = ("-vf", "setfield=tff", "-flags", "+ilme+ildct", *X264)
    assert probe(clip("fields.mp4", video=fields)).video.interlaced
    assert not probe(clip()).video.interlaced


def test_it_prefers_the_film_to_its_cover(clip, tmp_path):
    cover = make(tmp_path / "cover.png", "-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", "-update", "1")
    inputs = ["-i", f"file:{cover}", "-i", f"file:{clip()}", "-map", "0", "-map", "1"]
    both = make(tmp_path / "both.mp4", *inputs, "-c", "copy", "-disposition:v:0", "attached_pic")
    info = probe(both)
    assert (info.video.width, info.video.codec) == (320, "h264")


def test_it_measures_a_recording_that_declares_no_length(clip, tmp_path):
    """Browsers' MediaRecorder writes WebM without a duration."""
    source = clip("rec.webm", seconds=1, video=("-c:v", "libvpx", "-deadline", "realtime"), audio=("-c:a", "libopus"))
    live = make(tmp_path / "live.webm", "-i", f"file:{source}", "-c", "copy", "-live", "1", "-f", "webm")
    assert abs(probe(live).duration_ms - 1000) < 80


def test_it_accepts_a_long_sound_over_a_short_picture(clip, tmp_path):
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=1", "-f", "lavfi", "-i", "sine=d=6"]
    info = probe(make(tmp_path / "uneven.mp4", *inputs, *X264, "-c:a", "aac"))
    assert abs(info.duration_ms - 6000) < 100
    assert abs(info.video.duration_ms - 1000) < 100


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("empty_file", b""),
        ("not_a_video", b"Hola, esto es texto.\n" * 50),
        ("not_a_video", b"\x00" * 5000),
        ("not_a_video", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100),
        ("not_a_video", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 64),
        ("playlist", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        ("playlist", b"\xef\xbb\xbf\n  #EXTM3U\nhttp://127.0.0.1/x.ts\n"),
        ("playlist", b"ffconcat version 1.0\nfile '/etc/passwd'\n"),
        ("playlist", b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>"),
        ("playlist", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
        ("playlist", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n"),
        ("truncated", b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x08free"),
        ("unreadable", b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x01\x00moov" + b"\xff" * 248),
        ("unreadable", b"\x1a\x45\xdf\xa3" + bytes(random.Random(7).randbytes(3000))),
    ],
)  # fmt: skip
def test_it_refuses_what_is_no_video(tmp_path, code, data):
    assert refused(written(tmp_path, data))[0] == code


def test_it_refuses_an_archive_with_a_videos_name(tmp_path):
    path = tmp_path / "zip.mp4"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a" * 1000)
    assert refused(path)[0] == "not_a_video"


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["index at the end", "index at the front", "webm"])
def test_it_refuses_a_file_that_was_cut(clip, tmp_path, kind, share):
    coding = {"index at the end": X264, "index at the front": FASTSTART}
    vp8 = ("-c:v", "libvpx", "-deadline", "realtime")
    path = clip("a.webm", video=vp8, audio=("-c:a", "libopus")) if kind == "webm" else clip(video=coding[kind])
    data = path.read_bytes()
    cut = written(tmp_path, data[: int(len(data) * share)], path.name)
    assert refused(cut)[0] == "truncated"


def test_it_refuses_a_live_recording_that_ends_long_before_it_says(clip, tmp_path):
    """A header without a length in bytes hides the cut; the packets do not."""
    source = clip("long.mkv", picture="testsrc2=s=64x64:r=30", seconds=10)
    data = bytearray(source.read_bytes())
    at = data.index(b"\x18\x53\x80\x67") + 4
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    code, detail = refused(written(tmp_path, bytes(data[: len(data) // 2]), "cut.mkv"))
    assert code == "truncated"
    assert detail["found_ms"] < detail["duration_ms"] - 2000


def test_it_refuses_sound_alone(clip, tmp_path):
    path = make(tmp_path / "sound.mp4", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac")
    assert refused(path)[0] == "no_video_stream"


def test_it_refuses_a_foreign_codec_and_names_it(clip):
    assert refused(clip("odd.mkv", video=("-c:v", "ffv1"))) == ("unsupported_codec", {"codec": "ffv1"})


def test_it_says_what_it_measured_and_the_limit(clip):
    path = clip(seconds=1)
    size, duration = path.stat().st_size, probe(path).duration_ms
    assert refused(path, max_bytes=1000) == ("too_large", {"size": size, "max_bytes": 1000})
    assert refused(path, max_duration_ms=500) == ("too_long", {"duration_ms": duration, "max_ms": 500})
    assert refused(path, min_duration_ms=5000) == ("too_short", {"duration_ms": duration, "min_ms": 5000})
    pixels = {"width": 320, "height": 240}
    assert refused(path, max_side=300) == ("too_many_pixels", {**pixels, "max_side": 300})
    assert refused(path, max_pixels=1000)[0] == "too_many_pixels"


def test_it_refuses_a_thin_giant(clip):
    giant = clip("giant.mp4", picture="color=blue:s=4100x16:r=30", seconds=0.4, sound=None)
    assert refused(giant)[0] == "too_many_pixels"


def test_it_takes_half_a_second_but_no_flash(clip):
    assert probe(clip(seconds=0.5)).duration_ms >= 480
    assert refused(clip(seconds=0.1))[0] == "too_short"


def test_it_takes_awkward_names(clip, tmp_path):
    path = tmp_path / "-i concat:ñ%d 'x' [y];,=😀.mp4"
    path.write_bytes(clip().read_bytes())
    assert probe_isolated(path) == probe(path)


def test_it_answers_the_same_from_a_child(clip, tmp_path):
    assert probe_isolated(clip()) == probe(clip())
    with pytest.raises(MediaRefused) as caught:
        probe_isolated(clip(), limits=MediaLimits(max_bytes=10))
    assert (caught.value.code, caught.value.detail["max_bytes"]) == ("too_large", 10)


def test_it_refuses_what_hangs_the_reader(clip):
    with pytest.raises(MediaRefused) as caught:
        probe_isolated(clip(), timeout=0.01)
    assert caught.value.code == "unreadable"


def test_it_survives_the_death_of_its_child():
    with pytest.raises(ChildFailed):
        ask("publishing.editing.nothing_here", {}, timeout=20, limits=Limits())
    with pytest.raises(ChildFailed):
        ask("publishing.editing.probe", {}, timeout=20, limits=Limits(memory_bytes=20_000_000))
    with pytest.raises(ChildFailed):
        ask("this", {}, timeout=20, limits=Limits())


def test_it_lets_no_broken_file_through_as_anything_but_a_refusal(clip, tmp_path):
    """Bytes flipped at random, anywhere: a description or a refusal, never another exception."""
    source, dice = clip(seconds=0.5, video=FASTSTART).read_bytes(), random.Random(11)
    for number in range(25):
        data = bytearray(source)
        for _flip in range(20):
            data[dice.randrange(min(len(data), 4000))] = dice.randrange(256)
        path = written(tmp_path, bytes(data), f"{number}.mp4")
        try:
            assert probe(path).video.codec == "h264"
        except MediaRefused as refusal:
            assert refusal.code
        path.unlink()
