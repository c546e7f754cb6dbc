"""Edits of every kind of input: one ffmpeg pass, a file that TikTok takes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from publishing.editing import ffmpeg
from publishing.editing.ffmpeg import FfmpegFailed, FfmpegTimeout, ffmpeg_path, frame_at, render, run
from publishing.editing.probe import probe
from publishing.editing.spec import Brand, EditSpec, Logo, Music
from publishing.editing.subtitles import Cue, SubtitleStyle
from tests.publishing.editing.conftest import pixel

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def edit(source: Path, tmp_path: Path, brand: Brand | None = None, **fields) -> Path:
    spec = EditSpec(
        source=probe(source), source_path=source, output_path=tmp_path / "out.mp4", brand=brand or Brand(), **fields
    )
    return render(spec, on_progress=lambda share: None)


INPUTS = {
    "4x3": {"size": "400x300"},
    "square": {"size": "360x360"},
    "16x9": {"size": "640x360"},
    "odd": {"size": "361x641", "encode": ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p")},
    "24fps": {"fps": "24"},
    "60fps": {"fps": "60"},
    "12fps": {"fps": "12"},
    "no_audio": {"audio": None},
    "mono": {"audio": "mono"},
    "surround": {"audio": "5.1"},
    "hevc": {"encode": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")},
    "vp9": {
        "name": "a.webm",
        "encode": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
    },
    "mov": {"name": "a.mov"},
    "ten_bit": {
        "encode": (
            "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none",
        )
    },
    "half_second": {"seconds": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("kind", INPUTS)
def test_it_makes_a_vertical_file_that_tiktok_takes(make, tmp_path, kind):
    options = dict(INPUTS[kind])
    source = make(options.pop("name", "a.mp4"), **options)
    before, after = probe(source), probe(edit(source, tmp_path))
    video = after.video
    assert (video.display_width, video.display_height, video.rotation) == (1080, 1920, 0)
    assert (after.container, video.codec, video.pix_fmt) == ("mp4", "h264", "yuv420p")
    assert 23 <= video.fps <= 60
    assert after.faststart
    assert abs(after.duration_ms - before.duration_ms) < 150
    assert (after.audio is None) == (before.audio is None)
    if after.audio:
        assert (after.audio.codec, after.audio.channels, after.audio.sample_rate) == ("aac", 2, 48000)


def test_it_turns_a_video_that_was_filmed_upright(make, tmp_path):
    turned = tmp_path / "turned.mp4"
    argv = [ffmpeg_path(), "-v", "error", "-display_rotation", "90", "-i", make("wide.mp4", size="640x360")]
    subprocess.run([*argv, "-c", "copy", turned], check=True, timeout=30)
    video = probe(edit(turned, tmp_path, Brand(fit="keep"))).video
    assert (video.width, video.height, video.rotation) == (360, 640, 0)


def test_it_makes_a_variable_frame_rate_constant(make, tmp_path):
    odd = ("-vf", "select='not(mod(n,3))+lt(n,20)'", "-fps_mode", "vfr", *X264)
    source = make("vfr.mkv", seconds=2, encode=odd)
    after = probe(edit(source, tmp_path)).video
    assert not after.variable_fps
    assert 23 <= after.fps <= 60


@pytest.mark.integration
def test_it_edits_twelve_minutes(make, tmp_path):
    source = make("long.mp4", size="320x180", fps="24", seconds=720, source="color=c=blue")
    brand = Brand(fit="keep", brightness=0.1)
    after = probe(edit(source, tmp_path, brand))
    assert abs(after.duration_ms - 720_000) < 1500
    assert after.size < 64_000_000


def test_it_copies_a_file_that_needs_nothing(make, tmp_path):
    source = make("ready.mp4", size="1080x1920", source="color=c=red")
    out = edit(source, tmp_path, Brand(loudness_lufs=None))
    assert packets(source) == packets(out)
    assert probe(out).faststart


def packets(path: Path) -> str:
    argv = [ffmpeg_path(), "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "framemd5", "-"]
    lines = subprocess.run(argv, capture_output=True, check=True, timeout=30).stdout.decode().splitlines()
    return json.dumps([line.split(",")[-1] for line in lines if not line.startswith("#")])


def test_it_runs_ffmpeg_once_for_everything(make, tmp_path, monkeypatch):
    counter = tmp_path / "count"
    wrapper = tmp_path / "ffmpeg"
    wrapper.write_text(f'#!/bin/sh\necho run >> {counter}\nexec {ffmpeg_path()} "$@"\n')
    wrapper.chmod(0o755)
    source, logo = make("a.mp4"), picture(tmp_path)
    ffmpeg_path.cache_clear()
    monkeypatch.setenv("SUBITEYA_FFMPEG", str(wrapper))
    try:
        edit(source, tmp_path, full_brand(logo, source), cues=(Cue(start_ms=0, end_ms=900, text="Hola"),))
    finally:
        monkeypatch.undo()
        ffmpeg_path.cache_clear()
    assert counter.read_text().count("run") == 1


def picture(folder: Path) -> Path:
    path = folder / "logo.png"
    argv = [
        ffmpeg_path(),
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "color=c=#00ff00:s=100x100",
        "-frames:v",
        "1",
        path,
    ]
    subprocess.run(argv, check=True, timeout=30)
    return path


def full_brand(logo: Path, music: Path) -> Brand:
    return Brand(
        brightness=0.1, contrast=1.1, saturation=1.2, temperature=0.3, logo=Logo(path=logo, sha256="1"), volume_db=-3,
        loudness_lufs=-16, music=Music(path=music, sha256="2"),
    )  # fmt: skip


def test_it_puts_the_logo_where_it_belongs_and_nowhere_else(make, tmp_path):
    source = make("grey.mp4", source="color=c=#404040", size="270x480")
    brand = Brand(logo=Logo(path=picture(tmp_path), sha256="1", position="top_right", width_percent=20, opacity=1))
    out = edit(source, tmp_path, brand)
    red, green, blue = pixel(out, 500, "100:100:900:80")
    assert green > 200 > 60 > max(red, blue)
    assert max(pixel(out, 500, "100:100:80:80")) < 90


@pytest.mark.parametrize(
    ("brand", "check"),
    [
        (Brand(brightness=0.3), lambda before, after: sum(after) > sum(before) + 90),
        (Brand(temperature=1), lambda before, after: after[0] - after[2] > before[0] - before[2] + 20),
        (Brand(temperature=-1), lambda before, after: after[2] - after[0] > before[2] - before[0] + 10),
        (Brand(saturation=0), lambda before, after: max(after) - min(after) < 6),
    ],
    ids=["brightness", "warm", "cold", "grey"],
)
def test_it_changes_the_colour_as_told(make, tmp_path, brand, check):
    source = make("skin.mp4", source="color=c=#a07060", size="270x480")
    before = pixel(source, 500, "100:100:80:80")
    after = pixel(edit(source, tmp_path, brand), 500, "100:100:400:900")
    assert check(before, after), (before, after)


def loudness(path: Path) -> float:
    argv = [ffmpeg_path(), "-hide_banner", "-i", path, "-af", "ebur128", "-f", "null", "-"]
    log = subprocess.run(argv, capture_output=True, timeout=60, check=True).stderr.decode()
    return float(log.rsplit("I:", 1)[1].split("LUFS")[0])


def test_it_brings_the_sound_to_the_loudness_asked_for(make, tmp_path):
    source = make("tone.mp4", seconds=4, size="160x284")
    assert abs(loudness(edit(source, tmp_path, Brand(loudness_lufs=-14, fit="keep"))) + 14) < 2
    assert abs(loudness(edit(source, tmp_path, Brand(loudness_lufs=-24, fit="keep"))) + 24) < 2


def test_it_adds_music_to_a_silent_video_for_as_long_as_it_lasts(make, tmp_path):
    source, music = make("mute.mp4", audio=None, seconds=2), make("music.mp4", seconds=1)
    after = probe(edit(source, tmp_path, Brand(music=Music(path=music, sha256="m"))))
    assert after.audio is not None
    assert abs(after.duration_ms - 2000) < 150


TEXTS = {
    "accents": "¿Mañana? ¡Sí, ñandú, pingüino!",
    "emoji": "😀🥐☕",
    "long": "palabra " * 40,
    "injection": r"{\pos(0,0)}{\fs400}\N\h C:\new 'a' : , ; [v] %{n}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_it_draws_the_text_where_subtitles_stand_and_nowhere_else(make, tmp_path, text):
    source = make("dark.mp4", source="color=c=#101010", size="270x480")
    plain = edit(source, tmp_path, Brand(fit="crop"))
    plain = plain.rename(tmp_path / "plain.mp4")
    burned = edit(source, tmp_path, Brand(fit="crop"), cues=(Cue(start_ms=0, end_ms=900, text=text),))
    stands = "900:260:90:1240"
    assert sum(pixel(burned, 300, stands)) > sum(pixel(plain, 300, stands)) + 6
    assert pixel(burned, 300, "1080:900:0:0") == pixel(plain, 300, "1080:900:0:0")


def test_it_draws_each_letter_of_another_alphabet_as_itself(make, tmp_path):
    """Boxes for unknown letters would all look alike."""
    source = make("dark.mp4", source="color=c=#101010", size="270x480")
    seen = set()
    for text in ("ñ", "é", "😀", "☕"):
        out = edit(
            source,
            tmp_path,
            Brand(fit="crop", subtitles=SubtitleStyle(size=140)),
            cues=(Cue(start_ms=0, end_ms=900, text=text),),
        )
        seen.add(hashlib.sha256(frame_at(out, 300)).hexdigest())
    assert len(seen) == 4


def spec_of(make, **fields) -> EditSpec:
    source = make("a.mp4")
    return EditSpec(
        source=probe(source), source_path=source, output_path=Path("x.mp4"), **({"brand": Brand()} | fields)
    )


def test_it_names_equal_edits_equally_wherever_the_files_lie(make):
    here = spec_of(make, brand=Brand(logo=Logo(path=Path("/a/logo.png"), sha256="s")))
    there = spec_of(make, brand=Brand(logo=Logo(path=Path("/b/other.png"), sha256="s"))).at(Path("y.mp4"))
    assert here.key("src", "9") == there.key("src", "9")


def test_it_names_different_edits_differently(make):
    specs = [
        spec_of(make),
        spec_of(make, brand=Brand(brightness=0.1)),
        spec_of(make, brand=Brand(logo=Logo(path=Path("a"), sha256="s"))),
        spec_of(make, cues=(Cue(start_ms=0, end_ms=1, text="a"),)),
    ]
    keys = {spec.key("src", "9") for spec in specs} | {specs[0].key("other", "9"), specs[0].key("src", "8")}
    assert len(keys) == 6


@pytest.mark.parametrize("minutes", [1, 5, 10, 60])
def test_it_aims_below_the_target_size(make, minutes):
    spec = spec_of(make)
    long = EditSpec(
        **{**spec.__dict__, "source": type(spec.source)(**{**spec.source.__dict__, "duration_ms": minutes * 60_000})}
    )
    expected = (long.video_bitrate + 128_000) / 8 * minutes * 60
    assert expected <= 64_000_000 or long.video_bitrate == 1_200_000


def test_it_shows_growing_progress_up_to_the_end(make, tmp_path):
    source, seen = make("a.mp4", seconds=3), []
    spec = EditSpec(
        source=probe(source), source_path=source, output_path=tmp_path / "o.mp4", brand=Brand(brightness=0.1)
    )
    render(spec, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


class Interrupted(BaseException):
    pass


def test_it_leaves_no_process_and_no_file_when_it_is_interrupted(make, tmp_path):
    def stop(share: float) -> None:
        raise Interrupted

    source = make("a.mp4", seconds=3)
    spec = EditSpec(
        source=probe(source), source_path=source, output_path=tmp_path / "o.mp4", brand=Brand(brightness=0.1)
    )
    with pytest.raises(Interrupted):
        render(spec, on_progress=stop)
    assert not [path.name for path in tmp_path.iterdir() if path.suffix in {".mp4", ".part"}]
    running = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False).stdout
    assert running == b""


def test_it_stops_an_edit_that_takes_too_long(make):
    endless = [ffmpeg_path(), "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2", "-f", "null", "-"]
    with pytest.raises(FfmpegTimeout, match="too slow"):
        run(endless, timeout=1)


def test_it_stops_an_edit_that_makes_no_progress(tmp_path):
    silent = tmp_path / "ffmpeg"
    silent.write_text("#!/bin/sh\nexec sleep 30\n")
    silent.chmod(0o755)
    with pytest.raises(FfmpegTimeout, match="no progress"):
        run([str(silent)], timeout=20, stall=0.5)


def test_it_quotes_the_end_of_what_ffmpeg_said(tmp_path):
    with pytest.raises(FfmpegFailed, match="No such file"):
        run([ffmpeg_path(), "-v", "error", "-i", str(tmp_path / "none.mp4"), "-f", "null", "-"])


def test_it_gives_ffmpeg_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "planted")
    assert "planted" not in json.dumps(ffmpeg._environment())


def test_it_takes_a_frame_as_a_picture(make):
    assert frame_at(make("a.mp4"), 500, width=200).startswith(b"\xff\xd8\xff")
