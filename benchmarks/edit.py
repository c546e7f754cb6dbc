"""Our edit against the very same ffmpeg command by hand, and what an edit does not do twice.

The sample is 10 s of 1080×1920 with sound, made here; the edit has a brand (colours, loudness, shape) and subtitles.
"By hand" is the same argument list, folder, environment and priority, without limits, progress or isolation. "render"
is our wrapper around it; "job" is the whole run of the edit job: claim, database, render, probe, hashes, store.
"""

from __future__ import annotations

import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import imageio_ffmpeg

from benchmarks._media import environment, fresh, template
from benchmarks.harness import ROOT, Figure, progress
from subiteya.lib.redis_server import find_redis_server, redis_argv
from tests.processes import free_port, running, wait_for

EDITOR = [sys.executable, "-m", "benchmarks._editor"]
SECONDS = 10


def run(*, quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="subiteya-bench-") as name:
        folder = Path(name)
        _sample(folder / "sample.mp4", 2 if quick else SECONDS)
        database = template(folder)
        repeats = "1" if quick else "5"
        with _redis(folder):
            return _figures(folder, database, repeats)


def _figures(folder: Path, database: Path, repeats: str) -> list[Figure]:
    progress("an edit against ffmpeg by hand")
    full = _asked("full", folder, database, BENCH_REPEATS=repeats)
    progress("an edit with nothing to change")
    copied = _asked("copied", folder, database, BENCH_REPEATS=repeats)
    progress("processes and rows")
    counted = _counted(folder, database)
    progress("a retry after the last step")
    retried = _retried(folder, database)
    progress("two at once")
    two = _two(folder, database, 1 if repeats == "1" else 3)
    return [*_against_hand(full), *_copies(copied, full), *counted, *retried, *two]


def _against_hand(full: dict[str, list[float]]) -> list[Figure]:
    hand = statistics.median(full["hand"])
    return [
        Figure(
            name=f"{level} against ffmpeg by hand",
            measured=round(statistics.median(full[level]) / hand, 3), goal=1.05,
            detail={f"{each}_s": _rounded(full[each]) for each in ("hand", level)},
        )
        for level in ("render", "job")
    ]  # fmt: skip


def _copies(copied: dict[str, list[float]], full: dict[str, list[float]]) -> list[Figure]:
    job, whole = statistics.median(copied["job"]), statistics.median(full["job"])
    detail = {f"{name}_s": _rounded(values) for name, values in copied.items()}
    return [
        Figure(name="an edit that changes nothing, against a full one", measured=round(job / whole, 3), detail=detail)
    ]


def _counted(folder: Path, database: Path) -> list[Figure]:
    """ffmpeg's processes, counted by a program that stands in its place and then becomes it."""
    log, stand_in = folder / "ffmpeg.log", folder / "ffmpeg"
    real = shlex.quote(imageio_ffmpeg.get_ffmpeg_exe())
    stand_in.write_text(f'#!/bin/sh\necho "$*" >> {shlex.quote(str(log))}\nexec {real} "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    figures = []
    for what, name in (("one", "one edit"), ("shared", "five accounts with equal edits")):
        log.write_text("", encoding="utf-8")
        told = _asked(what, folder, database, SUBITEYA_FFMPEG=str(stand_in))
        passes = sum("-progress" in line for line in log.read_text(encoding="utf-8").splitlines())
        figures.append(Figure(name=f"{name}: runs of ffmpeg", measured=passes, goal=1, detail=told))
    shared = figures[-1].detail
    figures.append(Figure(name="five accounts with equal edits: renders", measured=shared["renders"], goal=1))
    return figures


def _retried(folder: Path, database: Path) -> list[Figure]:
    """The bucket's server is stopped while nothing needs it, and is back for the retry."""
    port = free_port()
    env = _environment(folder, database, BENCH_S3=f"http://127.0.0.1:{port}", AWS_MAX_ATTEMPTS="1")
    with subprocess.Popen(
        [*EDITOR, "retried"], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as editor:  # fmt: skip
        assert editor.stdin and editor.stdout
        with _bucket(port, folder / "s3.log"):
            _until(editor, "stop the server")
        editor.stdin.write("\n")
        editor.stdin.flush()
        _until(editor, "start the server")
        with _bucket(port, folder / "s3.log"):
            editor.stdin.write("\n")
            editor.stdin.flush()
            told = json.loads(_until(editor, "{"))
    share = round(told["retry"] / told["whole"], 3)
    detail = {f"{name}_s": round(value, 3) for name, value in told.items()}
    return [Figure(name="retry after a failed store, against a whole edit", measured=share, goal=0.25, detail=detail)]


@contextmanager
def _redis(folder: Path) -> Iterator[None]:
    """For the bells: without one, each would wait in vain."""
    socket = folder / "redis.sock"
    argv = redis_argv(server=find_redis_server(), socket=socket, folder=folder)
    with running(argv, log=folder / "redis.log"):
        wait_for(socket.exists)
        yield


@contextmanager
def _bucket(port: int, log: Path) -> Iterator[None]:
    log.unlink(missing_ok=True)
    with running([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], log=log):
        wait_for(lambda: b"Running on" in log.read_bytes(), seconds=60)
        keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **keys).create_bucket(Bucket="bench")
        yield


def _two(folder: Path, database: Path, times: int) -> list[Figure]:
    """Two workers, one after the other and at once, in turns; each with a database, one bucket."""
    editors = [
        subprocess.Popen(
            [*EDITOR, "serve"], cwd=ROOT, env=_environment(folder, database, name), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for name in ("one", "other")
    ]  # fmt: skip
    try:
        for editor in editors:
            _until(editor, "ready")
        apart, together = [], []
        for turn in range(times + 1):
            one, other = sum(_edited([editor]) for editor in editors), _edited(editors)
            if turn:
                apart.append(one)
                together.append(other)
    finally:
        for editor in editors:
            editor.kill()
            editor.communicate()
    share = round(statistics.median(together) / statistics.median(apart), 3)
    detail = {"one_after_the_other_s": _rounded(apart), "at_once_s": _rounded(together)}
    return [Figure(name="two edits at once, against one after the other", measured=share, goal=1.0, detail=detail)]


def _edited(editors: list[subprocess.Popen[str]]) -> float:
    """Seconds until all of them have made one edit, begun at once."""
    started = time.perf_counter()
    for editor in editors:
        assert editor.stdin
        editor.stdin.write("\n")
        editor.stdin.flush()
    for editor in editors:
        assert editor.stdout
        editor.stdout.readline()
    seconds = time.perf_counter() - started
    for editor in editors:
        _until(editor, "ready")
    return seconds


def _asked(what: str, folder: Path, database: Path, **more: str) -> dict[str, Any]:
    env = _environment(folder, database, **more)
    done = subprocess.run([*EDITOR, what], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=400)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _environment(folder: Path, database: Path, run: str = "run", **more: str) -> dict[str, str]:
    redis = f"unix://{folder / 'redis.sock'}"
    return environment(fresh(database, run), BENCH_FOLDER=str(folder), REDIS_URL=redis, **more)


def _until(editor: subprocess.Popen[str], word: str) -> str:
    """The next line that begins so. Raises RuntimeError when it ends before."""
    assert editor.stdout
    for line in editor.stdout:
        if line.startswith(word):
            return line
    raise RuntimeError(f"the editor ended before it said {word}")


def _sample(path: Path, seconds: int) -> None:
    """Upright, with sound, in the coding that TikTok recommends: without a brand there is nothing to change."""
    colours = "c0=0xE8A04C:c1=0xC4574A:c2=0x7A3B5E:n=3:speed=0.003"
    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-f", "lavfi",
        "-i", f"gradients=s=1080x1920:r=30:d={seconds}:{colours}", "-f", "lavfi",
        "-i", f"sine=frequency=220:duration={seconds}", "-vf", "noise=alls=2:allf=t,format=yuv420p",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "22", "-c:a", "aac", "-shortest", str(path),
    ]  # fmt: skip
    subprocess.run(argv, check=True, timeout=120)


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]
