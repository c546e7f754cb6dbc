"""Media bombs: each is refused with its cause, in time, and leaves no process behind."""

from __future__ import annotations

import os
import time

import pytest

from publishing.editing.pictures import picture_of
from publishing.editing.probe import MediaRefused, probe_isolated
from publishing.editing.sounds import check_sound
from publishing.editing.structure import claims_of
from tests.processes import descendants
from tests.publishing.editing.bombs import BOMBS, PICTURES, jpeg, movie, png, track, written
from tests.publishing.editing.conftest import make

#: Far more than the slowest takes, far less than somebody who waits would call for ever.
SECONDS = 60


def readers() -> list[str]:
    return [child.name() for child in descendants(os.getpid()) if "ffmpeg" in child.name() or "probe" in child.name()]


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_it_refuses_a_bomb(name, tmp_path, clip):
    maker, codes = BOMBS[name]
    path, began = maker(tmp_path, clip), time.monotonic()
    with pytest.raises(MediaRefused) as refused:
        probe_isolated(path, timeout=SECONDS)
    assert refused.value.code in codes, refused.value.detail
    assert "did not answer" not in str(refused.value.detail)
    assert time.monotonic() - began < SECONDS
    assert not readers()


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_it_refuses_a_picture_bomb(name, tmp_path):
    data, code = PICTURES[name]
    with pytest.raises(MediaRefused) as refused:
        picture_of(written(tmp_path, data, "logo.png"))
    assert refused.value.code == code


def test_it_reads_the_size_of_a_picture_from_its_header(tmp_path):
    picture = picture_of(written(tmp_path, png(300, 200)))
    assert (picture.demuxer, picture.suffix, picture.width, picture.height) == ("png_pipe", ".png", 300, 200)
    picture = picture_of(written(tmp_path, jpeg(300, 200)))
    assert (picture.demuxer, picture.suffix, picture.width, picture.height) == ("jpeg_pipe", ".jpg", 300, 200)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_it_reads_pictures_as_programs_write_them(tmp_path, suffix):
    still = ["-f", "lavfi", "-i", "testsrc2=s=320x180", "-frames:v", "1", "-update", "1"]
    picture = picture_of(make(tmp_path / f"real.{suffix}", *still))
    assert (picture.width, picture.height) == (320, 180)


def test_it_reads_what_a_movie_claims(tmp_path, clip):
    claims = claims_of(clip())
    assert (claims.tracks, claims.sides) == (2, [(320, 240)])
    claims = claims_of(written(tmp_path, movie(track(width=640, height=360), track(kind=b"soun"))))
    assert (claims.tracks, claims.sides) == (2, [(640, 360)])


@pytest.mark.parametrize("coding", [("mp3", "libmp3lame"), ("m4a", "aac"), ("wav", "pcm_s16le"), ("ogg", "libvorbis"),
                                    ("ogg", "libopus")])  # fmt: skip
def test_it_takes_the_usual_music(tmp_path, coding):
    suffix, codec = coding
    check_sound(make(tmp_path / f"music.{suffix}", "-f", "lavfi", "-i", "sine=d=1", "-c:a", codec))


@pytest.mark.parametrize("data", [
    b"", b"ID3 la", b"RIFF\xff\xff\xff\xffWAVE", b"OggS" + bytes(100), b"#EXTM3U\nfile:///etc/passwd\n",
    b"\x00\x00\x00\x18ftypM4A " + bytes(100), b"fLaC" + b"\xff" * 200,
])  # fmt: skip
def test_it_refuses_what_is_no_music(tmp_path, data):
    with pytest.raises(MediaRefused) as refused:
        check_sound(written(tmp_path, data, "music.mp3"))
    assert refused.value.code == "wrong_kind"


def test_it_refuses_a_film_of_many_sounds_as_music(tmp_path, clip):
    many = make(tmp_path / "many.m4a", "-i", f"file:{clip()}", *["-map", "0:a"] * 9, "-c", "copy")
    with pytest.raises(MediaRefused):
        check_sound(many)
