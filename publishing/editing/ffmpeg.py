"""Running ffmpeg: progress, limits, time-outs, and never a process left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg

from publishing.editing.fonts import fontconfig_file
from publishing.editing.spec import EditSpec

TAIL = 4000
STALL_SECONDS = 120.0
PR_SET_PDEATHSIG = 1
CPU_PER_MEDIA_SECOND = 120
FILE_MAX = 6_000_000_000
#: No input may make ffmpeg open anything but files.
INPUT = ("-protocol_whitelist", "file,pipe")


class FfmpegError(Exception):
    """ffmpeg did not do it; the text is the tail of what it said."""


class FfmpegFailed(FfmpegError):
    def __init__(self, returncode: int, tail: str) -> None:
        self.returncode, self.tail = returncode, tail
        super().__init__(f"ffmpeg ended with {returncode}: {tail[-500:]}")


class FfmpegTimeout(FfmpegError):
    """It took longer than allowed, or stopped making progress."""


@lru_cache(maxsize=1)
def ffmpeg_path() -> str:
    """SUBITEYA_FFMPEG, else the binary of the imageio-ffmpeg wheel."""
    return os.environ.get("SUBITEYA_FFMPEG") or str(imageio_ffmpeg.get_ffmpeg_exe())


@lru_cache(maxsize=1)
def ffmpeg_version() -> str:
    """The first line's version: part of an edit's key, since another ffmpeg makes other bytes."""
    out = subprocess.run([ffmpeg_path(), "-version"], capture_output=True, timeout=30, check=True)
    return out.stdout.decode().split()[2]


def edit_timeout(duration_ms: int) -> float:
    """Seconds that an edit may take: far more than the slowest machine needs, never for ever."""
    return 300 + duration_ms / 1000 * 30


def render(spec: EditSpec, *, on_progress: Callable[[float], None]) -> Path:
    """Make `spec.output_path`: written beside it under another name, synced, then renamed."""
    part = spec.output_path.with_name(spec.output_path.name + ".part")
    ass = spec.write_subtitles(part.parent)
    try:
        run(
            [ffmpeg_path(), *spec.argv(output=part, ass=ass)],
            duration_ms=spec.source.duration_ms,
            on_progress=on_progress,
            timeout=edit_timeout(spec.source.duration_ms),
        )
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(spec.output_path)
    finally:
        part.unlink(missing_ok=True)
    return spec.output_path


def run(
    argv: Sequence[str], *, duration_ms: int = 0, on_progress: Callable[[float], None] | None = None,
    timeout: float = 300, stall: float = STALL_SECONDS,
) -> bytes:  # fmt: skip
    """Run one ffmpeg; return the end of its stderr. Raises FfmpegFailed, FfmpegTimeout.

    The process dies with us (PR_SET_PDEATHSIG), and its group is killed whatever happens here.
    """
    process = subprocess.Popen(
        [*argv[:1], "-progress", "pipe:1", "-nostats", *argv[1:]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=_child(os.getpid(), duration_ms), env=_environment(),
    )  # fmt: skip
    try:
        tail = _watch(process, duration_ms, on_progress, time.monotonic() + timeout, stall)
        code = process.wait(timeout=10)
    except subprocess.TimeoutExpired as error:
        raise FfmpegTimeout("ffmpeg did not end") from error
    finally:
        _kill(process)
    if code:
        raise FfmpegFailed(code, tail.decode(errors="replace"))
    return tail


def _watch(
    process: subprocess.Popen[bytes], duration_ms: int, on_progress: Callable[[float], None] | None, deadline: float,
    stall: float,
) -> bytes:  # fmt: skip
    """Read both pipes until they close; the last bytes of stderr."""
    assert process.stdout and process.stderr
    tail, alive, shown = b"", time.monotonic(), 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select(timeout=1):
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    tail = (tail + data)[-TAIL:]
                else:
                    for share in _shares(data, duration_ms):
                        alive = time.monotonic()
                        shown = max(shown, share)
                        if on_progress:
                            on_progress(shown)
            now = time.monotonic()
            if now > deadline or now - alive > stall:
                raise FfmpegTimeout("too slow" if now > deadline else "no progress")
    return tail


def _shares(data: bytes, duration_ms: int) -> Iterator[float]:
    for line in data.decode(errors="replace").splitlines():
        name, _eq, value = line.partition("=")
        if name == "progress" and value == "end":
            yield 1.0
        elif name == "out_time_us" and value.lstrip("-").isdigit() and duration_ms:
            yield min(1.0, max(0.0, int(value) / 1000 / duration_ms))


def _child(parent: int, duration_ms: int) -> Callable[[], None]:
    cpu = 600 + CPU_PER_MEDIA_SECOND * duration_ms // 1000

    def prepare() -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX, FILE_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(5)

    return prepare


def _environment() -> dict[str, str]:
    """Nothing of ours but the fonts: emoji fall back to Noto Emoji through this fontconfig file."""
    return {"FONTCONFIG_FILE": str(fontconfig_file()), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def frame_at(path: Path, ms: int, *, width: int = 360) -> bytes:
    """One frame as JPEG, `width` pixels wide."""
    argv = [
        ffmpeg_path(), "-nostdin", "-v", "error", *INPUT, "-ss", f"{max(0, ms) / 1000:.3f}", "-i", str(path),
        "-frames:v", "1", "-vf", f"scale={width}:-2", "-q:v", "4", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=30, check=False, stdin=subprocess.DEVNULL, env=_environment(),
            preexec_fn=_child(os.getpid(), 30_000),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise FfmpegTimeout("no frame in time") from error
    if done.returncode or not done.stdout:
        raise FfmpegFailed(done.returncode, done.stderr.decode(errors="replace")[-TAIL:])
    return done.stdout


def extract_audio(path: Path, output: Path) -> Path:
    """The sound as 16 kHz mono WAV, as speech engines want it."""
    run(
        [ffmpeg_path(), "-nostdin", "-y", "-v", "error", *INPUT, "-i", str(path), "-vn", "-ac", "1", "-ar", "16000",
         "-c:a", "pcm_s16le", "-f", "wav", str(output)],
        timeout=600,
    )  # fmt: skip
    return output
