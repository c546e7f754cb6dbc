"""Running ffmpeg: how it ends, and that it always does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from publishing.editing.children import Limits
from publishing.editing.ffmpeg import (
    FfmpegFailed,
    FfmpegStalled,
    FfmpegTimeout,
    edit_timeout,
    ffmpeg_path,
    ffmpeg_version,
    frame_at,
    render,
    run,
    thumbnail,
)
from tests.processes import ROOT, alive, descendants, wait_for
from tests.publishing.editing.conftest import make

ENDLESS = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-f", "null", "-"]
CHANGED = {"brightness": 0.1}


def encoders() -> list[psutil.Process]:
    return [child for child in descendants(os.getpid()) if "ffmpeg" in child.name()]


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def long(clip) -> Path:
    """So long that an edit of it takes a second or more."""
    return clip(picture="testsrc2=s=320x240:r=30", seconds=4)


def test_it_shows_growing_progress_and_1_only_at_the_end(edit, long, tmp_path):
    shown: list[tuple[float, bool]] = []
    render(edit(long, **CHANGED), on_progress=lambda share: shown.append((share, (tmp_path / "out.mp4").exists())))
    shares = [share for share, _there in shown]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert 0 <= shares[0] < 1
    assert shown[-1] == (1.0, True)
    assert all(share < 1 and not there for share, there in shown[:-1])


def test_it_runs_ffmpeg_once_whatever_the_edit(edit, long, tmp_path, monkeypatch):
    real, count, wrapper = ffmpeg_path(), tmp_path / "count", tmp_path / "counted"
    wrapper.write_text(f'#!/bin/sh\necho x >> {count}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    spec = edit(long, **CHANGED)
    monkeypatch.setenv("SUBITEYA_FFMPEG", str(wrapper))
    ffmpeg_path.cache_clear()
    try:
        render(spec)
    finally:
        ffmpeg_path.cache_clear()
    assert count.read_text() == "x\n"


class Stop(BaseException):
    """Like a worker's time-out, no Exception."""


@pytest.mark.parametrize("kind", [Stop, ValueError])
def test_it_leaves_neither_process_nor_file_when_it_is_interrupted(edit, long, tmp_path, kind):
    def stop(share: float) -> None:
        assert encoders()
        raise kind

    with pytest.raises(kind):
        render(edit(long, **CHANGED), on_progress=stop)
    assert not encoders()
    assert left(tmp_path) == set()


def test_it_keeps_what_was_there_when_it_fails(edit, long, tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"earlier")
    with pytest.raises(FfmpegTimeout):
        render(edit(long, **CHANGED), timeout_s=0.2)
    assert (tmp_path / "out.mp4").read_bytes() == b"earlier"
    assert left(tmp_path) == {"out.mp4"}
    assert not encoders()


def test_it_replaces_a_link_instead_of_following_it(edit, clip, tmp_path):
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "out.mp4.part").symlink_to(tmp_path / "victim")
    (tmp_path / "out.mp4").symlink_to(tmp_path / "victim")
    render(edit(clip()))
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert not (tmp_path / "out.mp4").is_symlink()


def test_it_dies_with_its_worker(long, tmp_path):
    """SIGKILL gives the worker no chance to clean up; the kernel does it."""
    script = (
        "import sys; from pathlib import Path; from publishing.editing.ffmpeg import run\n"
        "run(['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=s=64x64', '-f', 'null', '-'], timeout_s=60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        children = wait_for(lambda: [each for each in descendants(worker.pid) if "ffmpeg" in each.name()])
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
    wait_for(lambda: not any(alive(child) for child in children))


def test_it_stops_what_takes_too_long():
    with pytest.raises(FfmpegTimeout) as caught:
        run(ENDLESS, timeout_s=0.5)
    assert not isinstance(caught.value, FfmpegStalled)
    assert not encoders()


def test_it_stops_what_no_longer_moves(tmp_path):
    """A pipe that nobody writes to: ffmpeg waits, and says so twice a second."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FfmpegStalled):
        run(["-f", "mov", "-i", f"file:{tmp_path}/pipe", "-f", "null", "-"], timeout_s=60, stall_s=1)
    assert not encoders()


@pytest.mark.parametrize(
    ("limits", "argv"),
    [
        (Limits(cpu_s=1), ENDLESS),
        (Limits(file_bytes=20_000), [*ENDLESS[:-3], "-t", "5", "-c:v", "mpeg4", "-f", "avi", "file:out.avi"]),
        (Limits(memory_bytes=30_000_000), ENDLESS),
    ],
    ids=["cpu", "file", "memory"],
)
def test_it_keeps_ffmpeg_within_its_limits(tmp_path, limits, argv):
    with pytest.raises(FfmpegFailed):
        run(argv, timeout_s=60, cwd=tmp_path, limits=limits)
    assert all(path.stat().st_size <= 20_000 for path in tmp_path.iterdir())


def test_it_quotes_the_end_of_what_ffmpeg_said(tmp_path):
    with pytest.raises(FfmpegFailed) as caught:
        run(["-v", "error", "-i", f"file:{tmp_path}/none.mp4", "-f", "null", "-"], timeout_s=20)
    assert caught.value.returncode
    assert "No such file" in caught.value.tail
    assert len(caught.value.tail) <= 4000


def test_it_bounds_what_it_keeps_of_a_talkative_run():
    argv = ["-v", "debug", "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-f", "null", "-"]
    assert len(run(argv, timeout_s=20).tail) == 4000


def test_it_gives_ffmpeg_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "planted")
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\n")
    spy.chmod(0o755)
    monkeypatch.setenv("SUBITEYA_FFMPEG", str(spy))
    ffmpeg_path.cache_clear()
    try:
        run([], timeout_s=20)
    finally:
        ffmpeg_path.cache_clear()
    told = (tmp_path / "env").read_text()
    assert "FONTCONFIG_FILE" in told
    assert "planted" not in told


def test_it_notices_an_edit_that_came_out_short(edit, clip, tmp_path):
    """ffmpeg may end with success and half of the video, when the rest cannot be decoded."""
    source = clip(picture="testsrc2=s=64x64:r=30", seconds=6, sound=None)
    spec = edit(source, brightness=0.1)
    whole = clip(picture="testsrc2=s=64x64:r=30", seconds=2, sound=None)
    shorter = type(spec)(**{**vars(spec), "source_path": whole})
    with pytest.raises(FfmpegFailed, match="only"):
        render(shorter)
    assert left(tmp_path) == set()


def test_it_allows_more_time_for_more_video():
    assert edit_timeout(0) == 300
    assert edit_timeout(60_000) == 2100


def test_it_knows_its_version():
    assert ffmpeg_version()
    assert " " not in ffmpeg_version()


@pytest.mark.parametrize("ms", [0, 400, 500, 5_000_000, -3])
def test_it_cuts_a_frame_anywhere_even_past_the_end(clip, ms):
    assert frame_at(clip(), ms, 100).startswith(b"\xff\xd8\xff")


def test_it_cuts_frames_in_the_shape_that_is_seen(clip, tmp_path, look):
    wide = clip("wide.mp4", picture="testsrc2=s=160x240:r=30,setsar=2")
    (tmp_path / "frame.jpg").write_bytes(frame_at(wide, 0, 160))
    picture = look(tmp_path / "frame.jpg", None)
    assert (picture.width, picture.height) == (160, 120)


def test_it_prefers_a_telling_thumbnail_to_the_first_frame(clip, tmp_path, look):
    dark = clip("dark.mp4", picture="testsrc2=s=160x120:r=30,fade=in:0:30", seconds=2)
    (tmp_path / "thumb.jpg").write_bytes(thumbnail(dark, 160))
    (tmp_path / "first.jpg").write_bytes(frame_at(dark, 0, 160))
    assert max(look(tmp_path / "first.jpg", None).at(0.5, 0.5)) < 20
    assert max(look(tmp_path / "thumb.jpg", None).at(0.5, 0.5)) > 100


@pytest.mark.parametrize("data", [b"#EXTM3U\nfile:///etc/passwd\n", b"words", b""])
def test_it_cuts_no_frame_of_what_is_no_video(tmp_path, data):
    path = tmp_path / "x.mp4"
    path.write_bytes(data)
    with pytest.raises(FfmpegFailed):
        frame_at(path, 0)


def test_it_works_in_folders_with_awkward_names(clip, edit, tmp_path):
    folder = tmp_path / "it's [a]: %d,;=\\ ñ"
    folder.mkdir()
    source = folder / "-in.mp4"
    source.write_bytes(clip().read_bytes())
    assert render(edit(source, name=f"{folder.name}/out.mp4", brightness=0.1)).stat().st_size > 1000
    assert make(folder / "again.mp4", "-i", f"file:{source}", "-c", "copy").exists()


def test_it_never_writes_through_a_link(edit, clip, tmp_path):
    """Whoever could plant a link at the output's name, or at that of its half, would choose what is overwritten."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "out.mp4").symlink_to(victim)
    (tmp_path / "out.mp4.part").symlink_to(victim)
    made = render(edit(clip(), **CHANGED))
    assert victim.read_bytes() == b"precious"
    assert not made.is_symlink()
    assert made.stat().st_size > 1000
