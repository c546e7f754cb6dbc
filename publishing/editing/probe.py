"""What a video file is. PyAV reads untrusted bytes in-process, so workers call `probe_isolated`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from publishing.editing.children import ChildFailed, Limits, answer, ask, standing_by
from publishing.editing.containers import Layout, MediaRefused, layout_of
from publishing.editing.structure import Claims, claims_of

__all__ = [
    "AudioInfo",
    "MediaInfo",
    "MediaLimits",
    "MediaRefused",
    "VideoInfo",
    "probe",
    "probe_ahead",
    "probe_isolated",
]

CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "prores"})
DECODERS = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9"}
#: H.273 numbers of what the edit has to know.
TRANSFERS = {16: "smpte2084", 18: "arib-std-b67"}
MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
FULL_RANGE = 2
STREAMS_MAX = 32
#: Of the sound: channels, and samples a second.
CHANNELS_MAX, SAMPLES_MAX = 16, 192_000
#: Packets read to find a frame that decodes, and to see how even the frames are when there is no index.
PACKETS = 300
MODULE = "publishing.editing.probe"
CHILD = Limits(cpu_s=60, memory_bytes=3 << 30, file_bytes=0, files=64)


@dataclass(frozen=True, kw_only=True)
class MediaLimits:
    """What is taken: bytes, milliseconds, pixels a side and in all, frames a second.

    Half a second passes, a flash does not. Phones film at up to 240 frames a second.
    """

    max_bytes: int = 4_000_000_000
    max_duration_ms: int = 3_600_000
    min_duration_ms: int = 300
    max_side: int = 4096
    max_pixels: int = 4096 * 4096
    max_fps: int = 250


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """The picture. `display_*` is what a viewer sees, after rotation (degrees clockwise) and sample aspect.

    `transfer` and `matrix` are ffmpeg's names, empty when the file does not say; `duration_ms` is the end of the
    last picture, 0 when unknown.
    """

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
    matrix: str = ""
    full_range: bool = False
    interlaced: bool = False
    duration_ms: int = 0
    index: int = 0


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """The sound that is used: the first that can be decoded. `index` is the stream's number in the file."""

    codec: str
    channels: int
    sample_rate: int
    index: int = 1


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
        """Plain values that `from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From what `to_json` gave, also an older release's: newer fields then have their defaults."""
        audio = data.get("audio")
        values = {name: data[name] for name in ("container", "duration_ms", "size", "faststart")}
        return cls(**values, video=VideoInfo(**data["video"]), audio=AudioInfo(**audio) if audio else None)


def probe(path: Path, *, limits: MediaLimits | None = None) -> MediaInfo:
    """Read what the file is, cheapest checks first: nothing is decoded before all that its headers claim is allowed.

    Raises MediaRefused. Codes: empty_file, too_large, not_a_video, playlist, truncated, no_video_stream,
    unsupported_codec, too_many_pixels, too_many_frames, too_long, too_short, unreadable.
    """
    limits = limits or MediaLimits()
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise MediaRefused("too_large", {"size": size, "max_bytes": limits.max_bytes})
    layout = layout_of(path)
    if layout.demuxer == "mov":
        _check_claims(claims_of(path), limits)
    options = {"protocol_whitelist": "file", "max_streams": str(STREAMS_MAX + 1)}
    try:
        with av.open(f"file:{path}", format=layout.demuxer, options=options, metadata_errors="replace") as container:
            return _read(container, layout, size, limits)
    except FFmpegError as error:
        raise MediaRefused("unreadable") from error


def _check_claims(claims: Claims, limits: MediaLimits) -> None:
    _check_streams(claims.tracks)
    for width, height in claims.sides:
        _check_sides(width, height, limits)


def _check_streams(count: int) -> None:
    if count > STREAMS_MAX:
        raise MediaRefused("unreadable", {"streams": count, "max_streams": STREAMS_MAX})


def _check_sides(width: int, height: int, limits: MediaLimits) -> None:
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        raise MediaRefused("too_many_pixels", {"width": width, "height": height, "max_side": limits.max_side})


def _read(container: InputContainer, layout: Layout, size: int, limits: MediaLimits) -> MediaInfo:
    if not container.streams:
        raise MediaRefused("unreadable", {"streams": 0})
    _check_streams(len(container.streams))
    stream = _picture_stream(container)
    _check_picture(stream, limits)
    audio = _audio(container)
    declared = round((container.duration or 0) / 1000)
    if declared > limits.max_duration_ms:
        raise MediaRefused("too_long", {"duration_ms": declared, "max_ms": limits.max_duration_ms})
    fps, variable = _rate(container, stream)
    if fps > limits.max_fps:
        raise MediaRefused("too_many_frames", {"fps": fps, "max_fps": limits.max_fps})
    video_end, end = _ends(container, stream, declared)
    duration = declared or end
    _check_duration(duration, end, limits)
    container.seek(0)
    frame = _first_frame(container, stream)
    video = replace(_video(stream, frame), fps=fps, variable_fps=variable, duration_ms=video_end)
    return MediaInfo(
        container=layout.container, duration_ms=duration, size=size, faststart=layout.faststart, video=video,
        audio=audio,
    )  # fmt: skip


def _picture_stream(container: InputContainer) -> VideoStream:
    """The first moving picture; a cover image is a video stream, too."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise MediaRefused("no_video_stream")


def _check_picture(stream: VideoStream, limits: MediaLimits) -> None:
    """Before a frame is decoded: a codec that we know, and a picture that fits into memory."""
    codec = _codec(stream)
    if codec not in CODECS:
        raise MediaRefused("unsupported_codec", {"codec": codec})
    _check_sides(stream.codec_context.width, stream.codec_context.height, limits)


def _codec(stream: Any) -> str:
    context = stream.codec_context
    if context is None or context.name is None:
        return "?"
    return DECODERS.get(context.name, str(context.name))


def _audio(container: InputContainer) -> AudioInfo | None:
    """The first sound that we can decode. A file whose every sound is foreign is refused: it would go out silent."""
    streams = container.streams.audio
    for stream in streams:
        context = stream.codec_context
        if context is not None and context.sample_rate and context.channels:
            _check_sound(_codec(stream), context.channels, context.sample_rate)
            return AudioInfo(
                codec=_codec(stream), channels=context.channels, sample_rate=context.sample_rate, index=stream.index
            )
    if streams:
        raise MediaRefused("unsupported_codec", {"codec": _codec(streams[0])})
    return None


def _check_sound(codec: str, channels: int, sample_rate: int) -> None:
    if channels > CHANNELS_MAX or sample_rate > SAMPLES_MAX:
        raise MediaRefused("unsupported_codec", {"codec": f"{codec}, {channels} × {sample_rate} Hz"})


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    """Rotation, field order and colour are known only from a decoded frame."""
    for count, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            assert isinstance(frame, VideoFrame)
            container.seek(0)
            return frame
        if count > PACKETS:
            break
    raise MediaRefused("unreadable")


def _video(stream: VideoStream, frame: VideoFrame) -> VideoInfo:
    context = stream.codec_context
    rotation = int(-frame.rotation) % 360
    wide = max(1, round(context.width * (stream.sample_aspect_ratio or 1)))
    turned = rotation % 180 != 0
    return VideoInfo(
        codec=_codec(stream), profile=str(stream.profile or ""), width=context.width, height=context.height,
        display_width=context.height if turned else wide, display_height=wide if turned else context.height,
        rotation=rotation, fps=0, variable_fps=False, pix_fmt=frame.format.name,
        bit_depth=max(part.bits for part in frame.format.components), index=stream.index,
        transfer=TRANSFERS.get(int(frame.color_trc), ""), matrix=MATRICES.get(int(frame.colorspace), ""),
        full_range=int(frame.color_range) == FULL_RANGE, interlaced=bool(frame.interlaced_frame),
    )  # fmt: skip


def _rate(container: InputContainer, stream: VideoStream) -> tuple[float, bool]:
    """Frames a second, and whether they are uneven: more than one gap in twenty differs from the usual one."""
    times, tick = _times(container, stream), float(stream.time_base or 0)
    average = float(stream.average_rate or stream.guessed_rate or 0)
    gaps = sorted(b - a for a, b in zip(times, times[1:], strict=False))
    if not gaps or times[-1] <= times[0]:
        return round(average, 3), False
    measured = len(gaps) / ((times[-1] - times[0]) * tick)
    usual = gaps[len(gaps) // 2]
    uneven = sum(abs(gap - usual) > max(1, usual * 0.1) for gap in gaps)
    fps = average if abs(average - measured) < measured * 0.01 else measured
    return round(fps, 3), uneven > len(gaps) * 0.05


def _times(container: InputContainer, stream: VideoStream) -> list[int]:
    """When frames are shown, in ticks, in order: all of an MP4 from its index, else the first ones read."""
    if container.format.name.startswith("mov"):
        times = [entry.timestamp for entry in stream.index_entries]
        if len(times) > 1:
            return sorted(times)
    times = []
    for packet in container.demux(stream):
        if packet.pts is not None:
            times.append(packet.pts)
        if len(times) > PACKETS:
            break
    container.seek(0)
    return sorted(times)


def _ends(container: InputContainer, stream: VideoStream, declared_ms: int) -> tuple[int, int]:
    """Where the last picture and the last packet of any kind end, in milliseconds from the start of the file.

    Reads from shortly before the declared end; a recording that declares none (browsers' WebM) is read whole.
    """
    if declared_ms > 2000:
        container.seek((declared_ms - 2000) * 1000 + (container.start_time or 0), backward=True)
    ends = {True: 0.0, False: 0.0}
    for packet in container.demux():
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or not packet.size or not packet.time_base:
            continue
        end = float((time + (packet.duration or 0)) * packet.time_base)
        mine = packet.stream.index == stream.index
        ends[mine] = max(ends[mine], end)
    start = (container.start_time or 0) / 1_000_000
    video, other = (max(0, round((end - start) * 1000)) for end in (ends[True], ends[False]))
    return video, max(video, other)


def _check_duration(duration_ms: int, end_ms: int, limits: MediaLimits) -> None:
    if duration_ms > limits.max_duration_ms:
        raise MediaRefused("too_long", {"duration_ms": duration_ms, "max_ms": limits.max_duration_ms})
    if end_ms < duration_ms * 0.9 - 1500:
        raise MediaRefused("truncated", {"duration_ms": duration_ms, "found_ms": end_ms})
    if duration_ms < limits.min_duration_ms:
        raise MediaRefused("too_short", {"duration_ms": duration_ms, "min_ms": limits.min_duration_ms})


def probe_isolated(path: Path, *, limits: MediaLimits | None = None, timeout: float = 60) -> MediaInfo:
    """`probe` in a child process: a file that crashes or hangs the reader is refused as unreadable.

    `timeout` is in seconds of wall-clock time. Raises MediaRefused.
    """
    return _understood(partial(ask, MODULE, limits=CHILD), path, limits, timeout)


@contextmanager
def probe_ahead(*, timeout: float = 60) -> Iterator[Callable[[Path], MediaInfo]]:
    """`probe_isolated` of one file that is still being made: its child loads the libraries meanwhile."""
    with standing_by(MODULE, limits=CHILD) as child:
        yield lambda path: _understood(child.ask, path, None, timeout)


def _understood(asked: Callable[..., Any], path: Path, limits: MediaLimits | None, timeout: float) -> MediaInfo:
    question = {"path": str(path.absolute()), "limits": asdict(limits or MediaLimits())}
    try:
        told = asked(question, timeout=timeout)
    except ChildFailed as error:
        raise MediaRefused("unreadable", {"why": str(error)}) from None
    if "refused" in told:
        raise MediaRefused(told["refused"], told["detail"])
    return MediaInfo.from_json(told)


def _reply(question: Any) -> dict[str, Any]:
    try:
        return probe(Path(question["path"]), limits=MediaLimits(**question["limits"])).to_json()
    except MediaRefused as refusal:
        return {"refused": refusal.code, "detail": refusal.detail}


if __name__ == "__main__":
    answer(_reply)
