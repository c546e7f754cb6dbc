"""Running ffmpeg: progress, limits, time-outs, and never a process left behind."""

from __future__ import annotations

import errno
import os
import re
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg

from publishing.editing import fonts
from publishing.editing.brand import clamp
from publishing.editing.children import READ_BYTES, Limits, has_ended, started
from publishing.editing.containers import MediaRefused, layout_of
from publishing.editing.graph import SUBTITLES
from publishing.editing.isolation import IsolationMissing
from publishing.editing.spec import EditSpec, read_argv
from subiteya.lib.durable import rename_durably

TAIL_BYTES = 4000
#: Enough for the pauses of an hour's talk.
FINDINGS_BYTES = 4_000_000
STALL_SECONDS = 120.0
FRAME_SECONDS = 30.0
#: Seconds of CPU that an edit may use for each second of its time-out: more threads than that never run.
CPU_SHARE = 16
FRAME_WIDTHS = (16, 1920)
SILENCE_SECONDS = 0.2
#: Speech shorter than this is a click.
SPEECH_MS = 120
#: What `extract_audio` writes: part of the name under which it is kept.
AUDIO_FORMAT = "s16le-16000-mono"
AUDIO_BYTES_PER_SECOND = 32_000
#: Below the mean volume (dB) lie the pauses; a recording without any such pause is asked again, less strictly.
PAUSES_BELOW_MEAN = (8, 3)
THRESHOLDS = (-60, -12)
NO_SOUND_DB = -70

Report = Callable[[float], None]


class FfmpegError(Exception):
    """ffmpeg did not do it; the text is the tail of what it said."""


class FfmpegFailed(FfmpegError):
    """It ended with an error, or without the whole of the work. `errno` is ENOSPC or EDQUOT for want of room."""

    def __init__(self, returncode: int, tail: str) -> None:
        self.returncode, self.tail = returncode, tail
        self.errno = next((number for number in (errno.ENOSPC, errno.EDQUOT) if os.strerror(number) in tail), None)
        super().__init__(f"ffmpeg ended with {returncode}: {tail[-500:]}")


class FfmpegTimeout(FfmpegError):
    """It took longer than allowed."""


class FfmpegStalled(FfmpegTimeout):
    """It stopped making progress."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run left: the last of its messages, and how far it got in milliseconds of output."""

    tail: str
    reached_ms: int


@lru_cache(maxsize=1)
def ffmpeg_path() -> str:
    """SUBITEYA_FFMPEG, else the binary of the imageio-ffmpeg wheel."""
    return os.environ.get("SUBITEYA_FFMPEG") or str(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg_version() -> str:
    """The first line's version: part of an edit's key, since another ffmpeg makes other bytes."""
    found = Path(shutil.which(ffmpeg_path()) or ffmpeg_path()).stat()
    return _version(found.st_ino, found.st_mtime_ns)


@lru_cache(maxsize=1)
def _version(inode: int, changed: int) -> str:
    """Asked once as long as the file is the same: a worker hears of a new ffmpeg without being started again."""
    out = subprocess.run([ffmpeg_path(), "-version"], capture_output=True, timeout=FRAME_SECONDS, check=True)
    return out.stdout.decode().split()[2]


def edit_timeout(duration_ms: int) -> float:
    """Seconds that an edit may take: far more than the slowest machine needs, never for ever."""
    return 300 + duration_ms / 1000 * 30


def render(
    spec: EditSpec, *, on_progress: Report | None = None, timeout_s: float | None = None,
    stall_s: float = STALL_SECONDS,
) -> Path:  # fmt: skip
    """Make `spec.output_path` with one ffmpeg: written beside it under another name, synced, then renamed.

    `on_progress` gets shares from 0 to 1, never falling; 1 only when the file is there. Raises FfmpegError, and
    MediaRefused when a brand file is not what it should be; then no output is left.
    """
    part, duration_ms = spec.part_path, spec.source.duration_ms
    timeout_s = edit_timeout(duration_ms) if timeout_s is None else timeout_s
    limits = Limits(cpu_s=int(timeout_s * CPU_SHARE) + 1)
    with tempfile.TemporaryDirectory(prefix=".edit-", dir=part.parent) as name:
        work = Path(name)
        _lay_out(work, spec)
        try:
            part.unlink(missing_ok=True)
            ended = run(
                spec.argv(), duration_ms=duration_ms, on_progress=on_progress, timeout_s=timeout_s, stall_s=stall_s,
                cwd=work, limits=limits,
            )  # fmt: skip
            if ended.reached_ms < duration_ms * 0.9 - 1500:
                raise FfmpegFailed(0, f"only {ended.reached_ms} of {duration_ms} ms came out; {ended.tail}")
            rename_durably(part, spec.output_path)
        finally:
            part.unlink(missing_ok=True)
    if on_progress:
        on_progress(1.0)
    return spec.output_path


def _lay_out(work: Path, spec: EditSpec) -> None:
    if spec.cues:
        fonts.lay_out(work)
        (work / SUBTITLES).write_text(spec.subtitles, encoding="utf-8")


def run(
    argv: Sequence[str], *, timeout_s: float, duration_ms: int = 0, on_progress: Report | None = None,
    stall_s: float = STALL_SECONDS, cwd: Path | None = None, limits: Limits | None = None,
    tail_bytes: int = TAIL_BYTES,
) -> Ended:  # fmt: skip
    """Run ffmpeg with `argv` (without the program) in `cwd`. Raises FfmpegFailed, FfmpegTimeout, FfmpegStalled.

    The process dies with the calling thread (PR_SET_PDEATHSIG), and its group is killed however this ends.
    """
    progress = _Progress(duration_ms, on_progress)
    deadline = time.monotonic() + timeout_s
    command = [ffmpeg_path(), "-progress", "pipe:1", "-nostats", *argv]
    try:
        with started(
            command, limits=limits or Limits(), cwd=cwd, env=_environment(cwd), stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            tail = _watch(process, progress, deadline=deadline, stall_s=stall_s, tail_bytes=tail_bytes)
            if not has_ended(process):
                raise FfmpegTimeout("ffmpeg did not end")
    except (IsolationMissing, subprocess.SubprocessError) as error:
        raise FfmpegError(f"ffmpeg could not be started: {error}") from error
    text = tail.decode(errors="replace")
    if process.returncode:
        raise FfmpegFailed(process.returncode, text)
    return Ended(text, progress.reached_ms)


class _Progress:
    """What `-progress` says, line by line; a line may come in two reads."""

    def __init__(self, duration_ms: int, on_progress: Report | None) -> None:
        self._duration_ms, self._report = duration_ms, on_progress
        self._rest, self._state, self._shown = b"", {b"": b""}, 0.0
        self.reached_ms = 0
        self.moved_at = time.monotonic()

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for name, _eq, value in (line.partition(b"=") for line in lines):
            if name in {b"frame", b"total_size", b"out_time_us"} and self._state.get(name) != value:
                self._state[name] = value
                self.moved_at = time.monotonic()
                if name == b"out_time_us" and value.isdigit():
                    self._reach(int(value) // 1000)

    def _reach(self, ms: int) -> None:
        self.reached_ms = max(self.reached_ms, ms)
        share = min(0.999, self.reached_ms / self._duration_ms) if self._duration_ms else 0.0
        if self._report and share > self._shown:
            self._shown = share
            self._report(share)


def _watch(
    process: subprocess.Popen[bytes], progress: _Progress, *, deadline: float, stall_s: float, tail_bytes: int
) -> bytes:
    """Read both pipes until they close; the last bytes of stderr."""
    assert process.stdout and process.stderr
    tail = b""
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select(timeout=0.5):
                data = os.read(key.fd, READ_BYTES)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    tail = (tail + data)[-tail_bytes:]
                else:
                    progress.feed(data)
            now = time.monotonic()
            if now > deadline:
                raise FfmpegTimeout("it took too long")
            if now - progress.moved_at > stall_s:
                raise FfmpegStalled(f"no progress after {progress.reached_ms} ms")
    return tail


def _environment(cwd: Path | None) -> dict[str, str]:
    """Nothing of ours but the fonts that were laid out in `cwd`."""
    home = str(cwd or "/nonexistent")
    return {
        "PATH": "/usr/bin:/bin", "HOME": home, "XDG_CACHE_HOME": home, "FONTCONFIG_FILE": f"{home}/{fonts.CONFIG}",
        "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip


def frame_at(path: Path, ms: int, width: int = 360) -> bytes:
    """The picture at `ms` (the last one when that is past the end) as JPEG, `width` pixels wide.

    Raises FfmpegError.
    """
    try:
        return _jpeg(path, ["-ss", f"{max(0, ms) / 1000:.3f}"], width, ["-frames:v", "1"])
    except FfmpegFailed:
        return _jpeg(path, ["-sseof", "-1"], width, ["-update", "1"])


def still(spec: EditSpec, ms: int, width: int = 360, *, timeout_s: float = FRAME_SECONDS) -> bytes:
    """The edit's picture at `ms` as JPEG, `width` pixels wide, without making the edit.

    Raises FfmpegError, and MediaRefused when the logo is not what it should be.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _lay_out(work, spec)
        output = work / "still.jpg"
        argv = spec.at(output).still_argv(ms, int(clamp(width, *FRAME_WIDTHS)))
        ended = run(argv, timeout_s=timeout_s, cwd=work, limits=Limits(cpu_s=60, file_bytes=50_000_000))
        if not output.exists():
            raise FfmpegFailed(0, ended.tail)
        return output.read_bytes()


def colour_bars(output: Path, *, seconds: int) -> Path:
    """A small clip with colour bars, 16:9, for whoever has no video yet. Raises FfmpegError."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=25:d={seconds}"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "mp4", f"file:{output}"]
    run(["-nostdin", "-v", "error", "-y", *picture, *coding], timeout_s=FRAME_SECONDS)
    return output


def thumbnail(path: Path, width: int = 360) -> bytes:
    """The most telling picture of the beginning as JPEG: not the black one that so many videos start with."""
    return _jpeg(path, [], width, ["-frames:v", "1"], pick="thumbnail=60,")


def _jpeg(path: Path, seek: list[str], width: int, end: list[str], *, pick: str = "") -> bytes:
    shape = f"{pick}scale=trunc(iw*sar/2)*2:ih,setsar=1,scale={int(clamp(width, *FRAME_WIDTHS))}:-2:out_range=full"
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / "frame.jpg"
        argv = [
            "-nostdin", "-v", "error", *seek, *_input(path), "-map", "0:v:0", "-vf", shape,
            *end, "-q:v", "4", "-c:v", "mjpeg", "-f", "image2", f"file:{output}",
        ]  # fmt: skip
        ended = run(argv, timeout_s=FRAME_SECONDS, limits=Limits(cpu_s=60, file_bytes=50_000_000))
        if not output.exists():
            raise FfmpegFailed(0, ended.tail)
        return output.read_bytes()


def extract_audio(path: Path, output: Path) -> Path:
    """A video's sound as 16 kHz mono WAV, as speech engines want it. Raises FfmpegError."""
    sound = ["-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", "-f", "wav", f"file:{output.absolute()}"]
    run(["-nostdin", "-v", "error", "-y", *_input(path), *sound], timeout_s=600)
    return output


def _input(path: Path) -> list[str]:
    """A video as the input, by its own demuxer; what is none fails as ffmpeg itself would."""
    try:
        return read_argv(path, layout_of(path).demuxer)
    except MediaRefused as refusal:
        raise FfmpegFailed(0, f"not opened: {refusal.code}") from None


def speech_segments(wav: Path) -> list[tuple[int, int]]:
    """(start, end) of speech in milliseconds, by the pauses between; empty when there is no sound.

    The threshold follows the recording: pauses are what lies well below its mean volume, be it whispered or loud.
    """
    mean = _mean_volume(wav)
    if mean < NO_SOUND_DB:
        return []
    segments: list[tuple[int, int]] = []
    for below in PAUSES_BELOW_MEAN:
        ended = _analyse(wav, f"silencedetect=noise={clamp(mean - below, *THRESHOLDS):.1f}dB:d={SILENCE_SECONDS}")
        segments = _between_silences(ended.tail, ended.reached_ms)
        if len(segments) > 1:
            break
    return segments


def _mean_volume(wav: Path) -> float:
    found = re.search(r"mean_volume: (-?[\d.]+) dB", _analyse(wav, "volumedetect").tail)
    return float(found[1]) if found else -100.0


def _analyse(wav: Path, filters: str) -> Ended:
    source = ["-protocol_whitelist", "file,pipe", "-f", "wav", "-i", f"file:{wav.absolute()}"]
    argv = ["-nostdin", "-hide_banner", "-v", "info", *source, "-af", filters, "-f", "null", "-"]
    return run(argv, timeout_s=600, tail_bytes=FINDINGS_BYTES)


def _between_silences(log: str, end_ms: int) -> list[tuple[int, int]]:
    silences = [(at, False) for at in _times(log, "silence_start")] + [(at, True) for at in _times(log, "silence_end")]
    edges = sorted(silences)
    segments: list[tuple[int, int]] = []
    speaks_from: int | None = 0 if not edges or not edges[0][1] else None
    for at, speaks in [*edges, (end_ms, False)]:
        if speaks:
            speaks_from = at
        elif speaks_from is not None:
            segments.append((speaks_from, at))
            speaks_from = None
    return [(start, end) for start, end in segments if end - start >= SPEECH_MS]


def _times(log: str, name: str) -> list[int]:
    return [max(0, round(float(value) * 1000)) for value in re.findall(rf"{name}: (-?[\d.]+)", log)]
