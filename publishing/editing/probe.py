"""What a file is. PyAV decodes untrusted bytes in-process, so workers call `probe_isolated`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av

CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "prores"})
CONTAINERS = {"mov": "mp4", "matroska": "matroska"}
HEAD_BYTES = 64
PROBE_CPU_SECONDS = 60
PROBE_MEMORY = 3 << 30


class MediaRefused(Exception):
    """Not a video that we take; `code` is the catalogue's, `detail` holds what was measured."""

    def __init__(self, code: str, detail: dict[str, Any] | None = None) -> None:
        self.code, self.detail = code, detail or {}
        super().__init__(code)


@dataclass(frozen=True, kw_only=True)
class MediaLimits:
    """What is taken: bytes, milliseconds, pixels a side."""

    max_bytes: int = 4_000_000_000
    max_duration_ms: int = 3_600_000
    min_duration_ms: int = 300
    max_side: int = 8192
    max_pixels: int = 8192 * 4320


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """The picture. `display_*` is what a viewer sees, after rotation and sample aspect."""

    codec: str
    profile: str
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int
    fps: float
    variable_fps: bool
    pix_fmt: str
    bit_depth: int
    transfer: str = ""


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    codec: str
    channels: int
    sample_rate: int


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """A readable video file; durations in milliseconds, sizes in bytes."""

    container: str
    duration_ms: int
    size: int
    faststart: bool
    video: VideoInfo
    audio: AudioInfo | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        audio = data.get("audio")
        values = {name: data[name] for name in ("container", "duration_ms", "size", "faststart")}
        return cls(**values, video=VideoInfo(**data["video"]), audio=AudioInfo(**audio) if audio else None)


def probe(path: Path, *, limits: MediaLimits | None = None) -> MediaInfo:
    """Read what the file is, cheapest checks first. Raises MediaRefused."""
    limits = limits or MediaLimits()
    size = path.stat().st_size
    demuxer = _demuxer(path, size, limits)
    try:
        with av.open(str(path), format=demuxer, options={"protocol_whitelist": "file"}) as container:
            info = _describe(container, path, size, demuxer)
            _check(info, limits)
            _check_whole(container, info)
    except av.error.FFmpegError as error:
        raise _unreadable(path, demuxer) from error
    return info


def _demuxer(path: Path, size: int, limits: MediaLimits) -> str:
    """The demuxer to force, by the first bytes: a playlist or a script never reaches ffmpeg's guesswork."""
    if size == 0:
        raise MediaRefused("empty_file")
    if size > limits.max_bytes:
        raise MediaRefused("too_large", {"size": size, "max_bytes": limits.max_bytes})
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.lstrip().startswith((b"#EXTM3U", b"ffconcat", b"<MPD", b"<?xml", b"<svg")):
        raise MediaRefused("playlist")
    raise MediaRefused("not_a_video")


def _unreadable(path: Path, demuxer: str) -> MediaRefused:
    """A container that cannot be opened: without its index it was cut; otherwise it is broken."""
    if demuxer == "mov" and "moov" not in dict(_boxes(path)):
        return MediaRefused("truncated")
    return MediaRefused("unreadable")


def _boxes(path: Path) -> list[tuple[str, int]]:
    """The top-level boxes of an ISO file: (type, offset)."""
    boxes: list[tuple[str, int]] = []
    offset, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while offset + 8 <= size and len(boxes) < 10_000:
            file.seek(offset)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            boxes.append((header[4:8].decode("latin-1"), offset))
            if length < 8:
                break
            offset += length
    return boxes


def _describe(container: Any, path: Path, size: int, demuxer: str) -> MediaInfo:
    pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not pictures:
        raise MediaRefused("no_video_stream")
    boxes = dict(_boxes(path)) if demuxer == "mov" else {}
    return MediaInfo(
        container=_container(path, demuxer),
        duration_ms=_duration_ms(container, pictures[0]),
        size=size,
        faststart=boxes.get("moov", size) < boxes.get("mdat", 0),
        video=_video(pictures[0]),
        audio=_audio(container),
    )


def _container(path: Path, demuxer: str) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if demuxer == "mov":
        return "mov" if head[8:12] == b"qt  " or head[4:8] != b"ftyp" else "mp4"
    return "webm" if b"webm" in head else "matroska"


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _duration_ms(container: Any, stream: Any) -> int:
    if container.duration:
        return round(container.duration / 1000)
    return round(float(stream.duration * stream.time_base) * 1000) if stream.duration else 0


def _video(stream: Any) -> VideoInfo:
    context = stream.codec_context
    if stream.codec_context is None or context.name is None:
        raise MediaRefused("unsupported_codec", {"codec": "?"})
    if (context.codec.name if context.codec else context.name) is None:
        raise MediaRefused("unsupported_codec", {"codec": "?"})
    rotation = _rotation(stream)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    wide = round(context.width * aspect)
    turned = rotation % 180 != 0
    fps, variable = _fps(stream)
    return VideoInfo(
        codec=_codec(context), profile=str(stream.profile or ""), width=context.width, height=context.height,
        display_width=context.height if turned else wide, display_height=wide if turned else context.height,
        rotation=rotation, fps=fps, variable_fps=variable, pix_fmt=str(context.pix_fmt or ""),
        bit_depth=_bit_depth(context), transfer=str(getattr(context, "color_trc", "") or ""),
    )  # fmt: skip


def _codec(context: Any) -> str:
    name = context.codec.canonical_name if hasattr(context.codec, "canonical_name") else context.name
    return str({"libdav1d": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}.get(name, name))


def _rotation(stream: Any) -> int:
    """Degrees clockwise, 0 to 270, from the first frame's display matrix."""
    for packet in stream.container.demux(stream):
        for frame in packet.decode():
            stream.container.seek(0)
            return int(-frame.rotation) % 360
    return 0


def _fps(stream: Any) -> tuple[float, bool]:
    average, base = stream.average_rate, stream.base_rate
    fps = float(average or base or 0)
    return round(fps, 3), bool(average and base and abs(float(average) - float(base)) > 0.5)


def _bit_depth(context: Any) -> int:
    return int(context.format.components[0].bits) if context.format and context.format.components else 8


def _audio(container: Any) -> AudioInfo | None:
    for stream in container.streams.audio:
        context = stream.codec_context
        if context is not None:
            return AudioInfo(codec=str(context.name), channels=context.channels, sample_rate=context.sample_rate)
    return None


def _check(info: MediaInfo, limits: MediaLimits) -> None:
    if info.video.codec not in CODECS:
        raise MediaRefused("unsupported_codec", {"codec": info.video.codec})
    size = {"width": info.video.width, "height": info.video.height}
    if max(size.values()) > limits.max_side or info.video.width * info.video.height > limits.max_pixels:
        raise MediaRefused("too_many_pixels", size | {"max_side": limits.max_side})
    if info.duration_ms > limits.max_duration_ms:
        raise MediaRefused("too_long", {"duration_ms": info.duration_ms, "max_ms": limits.max_duration_ms})
    if info.duration_ms < limits.min_duration_ms:
        raise MediaRefused("too_short", {"duration_ms": info.duration_ms, "min_ms": limits.min_duration_ms})


def _check_whole(container: Any, info: MediaInfo) -> None:
    """The last packets must be there: a file cut in the middle of its data still has a fine header."""
    stream = container.streams.video[0]
    container.seek(max(0, (info.duration_ms - 2000) * 1000), backward=True)
    last = 0.0
    for packet in container.demux(stream):
        if packet.pts is not None and packet.size:
            last = max(last, float(packet.pts * stream.time_base))
    if last * 1000 < info.duration_ms * 0.9 - 1500:
        raise MediaRefused("truncated", {"duration_ms": info.duration_ms, "found_ms": round(last * 1000)})


def probe_isolated(path: Path, *, limits: MediaLimits | None = None, timeout: float = 60) -> MediaInfo:
    """`probe` in a child process with limits of its own: a file that crashes or hangs the reader takes only that."""
    argv = [sys.executable, "-m", "publishing.editing.probe", str(path), json.dumps(asdict(limits or MediaLimits()))]
    root = Path(__file__).resolve().parents[2]
    try:
        run = subprocess.run(
            argv, capture_output=True, timeout=timeout, check=False, cwd=root, preexec_fn=_limit_self,
            env={"PATH": "", "PYTHONPATH": str(root)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        answer = json.loads(run.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise MediaRefused("unreadable") from None
    if "refused" in answer:
        raise MediaRefused(answer["refused"], answer["detail"])
    return MediaInfo.from_json(answer)


def _limit_self() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (PROBE_CPU_SECONDS, PROBE_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (PROBE_MEMORY, PROBE_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(path: str, limits: str) -> None:
    try:
        answer = probe(Path(path), limits=MediaLimits(**json.loads(limits))).to_json()
    except MediaRefused as refusal:
        answer = {"refused": refusal.code, "detail": refusal.detail}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
