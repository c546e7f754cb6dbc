"""A brand's music before an edit uses it, read in a child: one sound of a kind that we know, of a bearable length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from publishing.editing.brand import sound_demuxer
from publishing.editing.children import ChildFailed, Limits, answer, ask
from publishing.editing.containers import MediaRefused
from publishing.editing.probe import CHANNELS_MAX, SAMPLES_MAX

CODECS = frozenset({"mp3", "mp3float", "aac", "vorbis", "opus", "libopus", "libvorbis", "flac", "alac"})
#: Any width of sample that WAV files have.
RAW = ("pcm_s", "pcm_f", "pcm_u8")
#: A cover image is a stream, too.
STREAMS_MAX = 4
DURATION_MAX_MS = 3_600_000
CHILD = Limits(cpu_s=20, memory_bytes=2 << 30, file_bytes=0, files=64)


def check_sound(path: Path, *, timeout: float = 30) -> None:
    """Raises MediaRefused `wrong_kind` for anything but music that an edit can mix, `too_long` for hours of it."""
    sound_demuxer(path)
    try:
        told = ask("publishing.editing.sounds", str(path.absolute()), timeout=timeout, limits=CHILD)
    except ChildFailed as error:
        raise MediaRefused("wrong_kind", {"why": str(error)}) from None
    if told["refused"]:
        raise MediaRefused(told["refused"], told["detail"])


def _look(path: Path) -> None:
    options = {"protocol_whitelist": "file", "max_streams": str(STREAMS_MAX + 1)}
    try:
        with av.open(f"file:{path}", format=sound_demuxer(path), options=options, metadata_errors="replace") as file:
            if len(file.streams) > STREAMS_MAX or not file.streams.audio:
                raise MediaRefused("wrong_kind", {"streams": len(file.streams)})
            _check(file.streams.audio[0])
            duration_ms = round((file.duration or 0) / 1000)
    except FFmpegError as error:
        raise MediaRefused("wrong_kind") from error
    if duration_ms > DURATION_MAX_MS:
        raise MediaRefused("too_long", {"duration_ms": duration_ms, "max_ms": DURATION_MAX_MS})


def _check(stream: Any) -> None:
    context = stream.codec_context
    codec = "" if context is None else str(context.name)
    known = codec in CODECS or codec.startswith(RAW)
    if not known or not 0 < context.channels <= CHANNELS_MAX or not 0 < context.sample_rate <= SAMPLES_MAX:
        raise MediaRefused("wrong_kind", {"codec": codec})


def _reply(path: Any) -> dict[str, Any]:
    try:
        _look(Path(path))
    except MediaRefused as refusal:
        return {"refused": refusal.code, "detail": refusal.detail}
    return {"refused": "", "detail": {}}


if __name__ == "__main__":
    answer(_reply)
