"""An edit as data: what to do to a video, the command line that does it, and the key that names the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from publishing.editing.brand import Brand, Logo, Music, clamp
from publishing.editing.geometry import Size, canvas, has_legal_sides, is_upright
from publishing.editing.graph import FPS_MAX, FPS_MIN, constant_fps, filter_graph
from publishing.editing.probe import MediaInfo
from publishing.editing.subtitles import Cue, to_ass

__all__ = ["Brand", "EditSpec", "Logo", "Music"]

DEMUXERS = {"mp4": "mov", "mov": "mov", "webm": "matroska", "matroska": "matroska"}
#: Decoder, filters and encoder each: what memory the edit takes does not depend on the host's cores.
THREADS = "4"
PIXELS_MAX = 4096 * 4096
AUDIO_BITRATE = 128_000
#: Below this 1080×1920 falls apart: then the file may be larger than the target.
VIDEO_BITRATE_FLOOR = 1_200_000
VIDEO_BITRATE_CEILING = 12_000_000
BUFFER_SECONDS = 2
CONTAINER_SHARE = 0.97


@dataclass(frozen=True, kw_only=True)
class EditSpec:
    """One edit. `argv` is a function of it and of the first bytes of the brand's files.

    ffmpeg runs in a folder that has `subtitles` as graph.SUBTITLES and the fonts (fonts.lay_out).
    """

    source: MediaInfo
    source_path: Path
    output_path: Path
    brand: Brand
    cues: tuple[Cue, ...] = ()
    target_bytes: int = 64_000_000

    def at(self, output_path: Path) -> Self:
        """The same edit with another place for the result."""
        return replace(self, output_path=output_path)

    @property
    def part_path(self) -> Path:
        """Where ffmpeg writes; renamed to `output_path` when it is whole."""
        return self.output_path.absolute().with_name(self.output_path.name + ".part")

    @property
    def size(self) -> Size:
        """The output's width and height."""
        return canvas(self.source.video, self.brand.fit)

    @property
    def subtitles(self) -> str:
        """The ASS text that is burnt in; empty without cues."""
        return to_ass(self.cues, self.brand.subtitles, *self.size) if self.cues else ""

    @property
    def is_noop(self) -> bool:
        """Nothing to change, and the file already is what TikTok recommends: it is copied, not encoded."""
        brand = self.brand
        plain = not (brand.has_colour or brand.has_sound or brand.logo or self.cues)
        return plain and self._has_good_picture and self._has_good_sound and self.source.container in {"mp4", "mov"}

    @property
    def _has_good_picture(self) -> bool:
        video = self.source.video
        shape = self.brand.fit == "keep" or is_upright(video)
        still = video.rotation == 0 and (video.width, video.height) == (video.display_width, video.display_height)
        pace = FPS_MIN <= video.fps <= FPS_MAX and not video.variable_fps and not video.interlaced
        coding = video.codec == "h264" and video.pix_fmt == "yuv420p" and not video.full_range
        return shape and still and pace and coding and has_legal_sides(video)

    @property
    def _has_good_sound(self) -> bool:
        audio = self.source.audio
        return audio is None or (audio.codec == "aac" and audio.channels <= 2 and audio.sample_rate <= 48_000)

    @property
    def video_bitrate(self) -> int:
        """Bits a second at most, so that the file stays below `target_bytes` where quality allows."""
        room = self.target_bytes * 8 * CONTAINER_SHARE - AUDIO_BITRATE * self._seconds
        return int(clamp(room / (self._seconds + BUFFER_SECONDS), VIDEO_BITRATE_FLOOR, VIDEO_BITRATE_CEILING))

    @property
    def _seconds(self) -> float:
        return max(0.1, self.source.duration_ms / 1000)

    def key(self, source_sha256: str, ffmpeg_version: str) -> str:
        """The name of the result: the very command line, with contents in the place of paths.

        So whatever changes the result changes the key, and where the files lie does not.
        """
        contents = {_url(self.source_path): source_sha256, _url(self.part_path): "output"}
        for part in (self.brand.logo, self.brand.music):
            if part:
                contents[_url(part.path)] = part.sha256
        told = {
            "argv": [contents.get(word, word) for word in self.argv()],
            "subtitles": self.subtitles,
            "ffmpeg": ffmpeg_version,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def argv(self) -> list[str]:
        """ffmpeg's arguments, without the program. Raises MediaRefused when a brand file is not what it should be."""
        tail = ["-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart", "-f", "mp4"]
        work = self._copy() if self.is_noop else self._edit()
        return ["-nostdin", "-hide_banner", "-v", "error", "-y", *work, *tail, _url(self.part_path)]

    @property
    def silent(self) -> Self:
        """The same picture without any sound: all that a still shows."""
        brand = replace(self.brand, music=None, loudness_lufs=None, volume_db=0)
        return replace(self, source=replace(self.source, audio=None), brand=brand)

    def still_argv(self, ms: int, width: int) -> list[str]:
        """ffmpeg's arguments for one picture of the edit at `ms`, as JPEG of that width: the edit's own graph.

        The cues are drawn as they stand at the beginning. Raises MediaRefused as `argv` does.
        """
        mute = self.silent
        graph, _maps = filter_graph(mute.source, mute.brand, mute.size, burn=bool(self.cues))
        # A JPEG is always BT.601 at full range: told in other words, the same colours.
        jpeg = f"[v]scale={width}:-2:out_color_matrix=smpte170m:out_range=full,format=yuvj420p[still]"
        filters = ["-filter_complex_threads", THREADS, "-filter_complex", f"{graph};{jpeg}", "-map", "[still]"]
        end = ["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2", _url(self.output_path)]
        seek = ["-ss", f"{ms / 1000:.3f}"]
        head = ["-nostdin", "-hide_banner", "-v", "error", "-y"]
        return [*head, *seek, *mute._source(), *mute._brand_files(), *filters, *end]

    def _copy(self) -> list[str]:
        audio = self.source.audio
        sound = ["-map", f"0:{audio.index}"] if audio else []
        return [*self._source(), "-map", f"0:{self.source.video.index}", *sound, "-c", "copy"]

    def _edit(self) -> list[str]:
        graph, maps = filter_graph(self.source, self.brand, self.size, burn=bool(self.cues))
        filters = ["-filter_complex_threads", THREADS, "-filter_complex", graph]
        return [*self._source(), *self._brand_files(), *filters, *maps, *self._encoders()]

    def _source(self) -> list[str]:
        return read_argv(self.source_path, DEMUXERS[self.source.container])

    def _brand_files(self) -> list[str]:
        logo, music = self.brand.logo, self.brand.music
        inputs = read_argv(logo.path, logo.demuxer) if logo else []
        if music:
            inputs += ["-stream_loop", "-1", *read_argv(music.path, music.demuxer)]
        return inputs

    def _encoders(self) -> list[str]:
        rate, fps = self.video_bitrate, constant_fps(self.source.video)
        return [
            "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-crf", "21", "-threads", THREADS,
            "-maxrate", str(rate), "-bufsize", str(rate * BUFFER_SECONDS), "-g", str(round(fps * 2)), "-r", str(fps),
            "-c:a", "aac", "-b:a", str(AUDIO_BITRATE), "-ar", "48000", "-ac", "2", "-t", f"{self._seconds:.3f}",
        ]  # fmt: skip


def read_argv(path: Path, demuxer: str) -> list[str]:
    """An input that can be nothing but that file in that format."""
    limits = ["-protocol_whitelist", "file,pipe", "-max_pixels", str(PIXELS_MAX), "-threads", THREADS]
    return [*limits, "-f", demuxer, "-i", _url(path)]


def _url(path: Path) -> str:
    """With its protocol, a path cannot be taken for an option or for another protocol."""
    return f"file:{path.absolute()}"
