"""An edit as data: what to do to a video, the command line that does it, and the key that names the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from publishing.editing.fonts import FONTS
from publishing.editing.probe import MediaInfo
from publishing.editing.subtitles import Cue, SubtitleStyle, to_ass

#: Raise it when the command line changes in a way that changes the result.
VERSION = 2
WIDTH, HEIGHT = 1080, 1920
SIDE_MIN, SIDE_MAX = 360, 4096
FPS_MIN, FPS_MAX = 23.0, 60.0
SHAPE_TOLERANCE = 0.01
STANDARD_FPS = (24, 25, 30, 50, 60)
AUDIO_BITRATE = 128_000
#: Below this a picture of 1080×1920 falls apart: then the file may be larger than the target.
VIDEO_BITRATE_FLOOR = 1_200_000
VIDEO_BITRATE_CEILING = 12_000_000
PAD = {
    "top_left": "{m}:{m}",
    "top_right": "W-w-{m}:{m}",
    "bottom_left": "{m}:H-h-{m}",
    "bottom_right": "W-w-{m}:H-h-{m}",
}
HDR = {"smpte2084", "arib-std-b67", "16", "18"}
DEMUXERS = {"mp4": "mov", "mov": "mov", "webm": "matroska", "matroska": "matroska"}


def clamp(value: float, low: float, high: float) -> float:
    return min(high, max(low, float(value)))


@dataclass(frozen=True, kw_only=True)
class Logo:
    path: Path
    sha256: str
    position: str = "top_right"
    width_percent: int = 18
    opacity: float = 0.9


@dataclass(frozen=True, kw_only=True)
class Music:
    path: Path
    sha256: str
    volume_db: float = -18


@dataclass(frozen=True, kw_only=True)
class Brand:
    """How videos look and sound. The defaults change nothing but the shape."""

    fit: str = "blur"
    brightness: float = 0
    contrast: float = 1
    saturation: float = 1
    temperature: float = 0
    logo: Logo | None = None
    loudness_lufs: float | None = None
    volume_db: float = 0
    music: Music | None = None
    subtitles: SubtitleStyle = field(default_factory=SubtitleStyle)

    @property
    def has_colour(self) -> bool:
        return (self.brightness, self.contrast, self.saturation, self.temperature) != (0, 1, 1, 0)

    @property
    def has_sound(self) -> bool:
        return self.loudness_lufs is not None or self.volume_db != 0 or self.music is not None


@dataclass(frozen=True, kw_only=True)
class EditSpec:
    """One edit: `argv` is a pure function of it."""

    source: MediaInfo
    source_path: Path
    output_path: Path
    brand: Brand
    cues: tuple[Cue, ...] = ()
    target_bytes: int = 64_000_000

    def at(self, output_path: Path) -> Self:
        return replace(self, output_path=output_path)

    @property
    def size(self) -> tuple[int, int]:
        """The output's width and height."""
        video = self.source.video
        if self.brand.fit != "keep":
            return WIDTH, HEIGHT
        return _bounded(video.display_width, video.display_height)

    @property
    def is_noop(self) -> bool:
        """Nothing to change, and the file already is what TikTok recommends: it is copied, not encoded.

        Its size does not matter then: the target is for what we encode, and a copy loses no quality.
        """
        brand, video, audio = self.brand, self.source.video, self.source.audio
        picture = video.codec == "h264" and video.pix_fmt == "yuv420p" and not video.variable_fps
        sound = audio is None or (audio.codec == "aac" and audio.channels <= 2)
        plain = not (brand.has_colour or brand.has_sound or brand.logo or self.cues)
        steady = FPS_MIN <= video.fps <= FPS_MAX and self.source.container in {"mp4", "mov"}
        return self._has_shape and picture and sound and plain and steady

    @property
    def _has_shape(self) -> bool:
        """Upright, within TikTok's sides, and 9:16 unless the shape is to be kept."""
        video = self.source.video
        low, high = sorted((video.display_width, video.display_height))
        vertical = abs(video.display_width / video.display_height * HEIGHT / WIDTH - 1) < SHAPE_TOLERANCE
        square_pixels = (video.width, video.height) == (video.display_width, video.display_height)
        fits = low >= SIDE_MIN and high <= SIDE_MAX and square_pixels and video.rotation == 0
        return fits and (vertical or self.brand.fit == "keep")

    @property
    def fps(self) -> float:
        """Constant frames a second between 23 and 60."""
        fps = self.source.video.fps
        if self.source.video.variable_fps or not FPS_MIN <= fps <= FPS_MAX:
            return min(STANDARD_FPS[2:] if fps < FPS_MIN else STANDARD_FPS, key=lambda each: abs(each - fps))
        return fps

    @property
    def video_bitrate(self) -> int:
        """Bits a second at most, so that the file stays below the target where quality allows."""
        seconds = max(0.1, self.source.duration_ms / 1000)
        room = self.target_bytes * 8 * 0.95 / seconds - AUDIO_BITRATE
        return int(clamp(room, VIDEO_BITRATE_FLOOR, VIDEO_BITRATE_CEILING))

    def key(self, source_sha256: str, ffmpeg_version: str) -> str:
        """The name of the result: the same source, edit and ffmpeg give the same key on any host."""
        brand = asdict(self.brand)
        for part in ("logo", "music"):
            if brand[part]:
                del brand[part]["path"]
        if not self.cues:
            del brand["subtitles"]
        told: dict[str, Any] = {
            "version": VERSION,
            "source": source_sha256,
            "brand": brand,
            "cues": [asdict(cue) for cue in self.cues],
            "target_bytes": self.target_bytes,
            "ffmpeg": ffmpeg_version,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def write_subtitles(self, folder: Path) -> Path | None:
        """The ASS file that `argv` burns, beside the output; None without cues."""
        if not self.cues:
            return None
        path = folder / "subtitles.ass"
        path.write_text(to_ass(self.cues, self.brand.subtitles, *self.size), encoding="utf-8")
        return path

    def argv(self, *, output: Path, ass: Path | None) -> list[str]:
        """ffmpeg's arguments, without the program."""
        head = ["-nostdin", "-hide_banner", "-y", "-v", "error", *self._inputs()]
        tail = ["-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart", "-f", "mp4", str(output)]
        if self.is_noop:
            return [*head, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", *tail]
        return [*head, *self._graph(ass), *self._encoders(), *tail]

    def _inputs(self) -> list[str]:
        whitelist = ["-protocol_whitelist", "file,pipe"]
        inputs = [*whitelist, "-f", DEMUXERS[self.source.container], "-i", str(self.source_path)]
        if self.brand.logo:
            inputs += [*whitelist, "-i", str(self.brand.logo.path)]
        if self.brand.music:
            inputs += [*whitelist, "-stream_loop", "-1", "-i", str(self.brand.music.path)]
        return inputs

    def _graph(self, ass: Path | None) -> list[str]:
        chains = [*self._picture(ass)]
        maps = ["-map", "[v]"]
        sound = self._sound()
        if sound:
            chains.append(sound)
            maps += ["-map", "[a]"]
        elif self.source.audio:
            maps += ["-map", "0:a:0"]
        return ["-filter_complex", ";".join(chains), *maps]

    def _picture(self, ass: Path | None) -> list[str]:
        chains = [self._shape(), ",".join(["[shaped]setsar=1", *self._colour(), f"fps={self.fps:g}[coloured]"])]
        last = "coloured"
        if self.brand.logo:
            chains += self._logo(self.brand.logo, last)
            last = "marked"
        burn = f"ass=filename={_quote(ass)}:fontsdir={_quote(FONTS)}," if ass else ""
        return [*chains, f"[{last}]{burn}format=yuv420p[v]"]

    def _shape(self) -> str:
        width, height = self.size
        start = f"[0:v:0]{self._depth()}"
        inside = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        filling = f"scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
        match self.brand.fit:
            case "crop":
                return f"{start}{filling}[shaped]"
            case "pad":
                return f"{start}{inside},pad={width}:{height}:(ow-iw)/2:(oh-ih)/2[shaped]"
            case "blur":
                low, tall = width // 4, height // 4
                small = f"scale={low}:{tall}:force_original_aspect_ratio=increase,crop={low}:{tall}"
                return (
                    f"{start}split[front][back];[back]{small},boxblur=8:2,scale={width}:{height}[soft];"
                    f"[front]{inside}[sharp];[soft][sharp]overlay=(W-w)/2:(H-h)/2[shaped]"
                )
            case _:
                return f"{start}scale={width}:{height}[shaped]"

    def _depth(self) -> str:
        """HDR is mapped to what phones without HDR show; other deep colour is only converted."""
        if self.source.video.transfer in HDR:
            return (
                "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
                "zscale=t=bt709:m=bt709:r=tv,format=yuv420p,"
            )
        return "format=yuv420p,"

    def _colour(self) -> list[str]:
        brand = self.brand
        if not brand.has_colour:
            return []
        eq = (
            f"eq=brightness={clamp(brand.brightness, -0.5, 0.5):.3f}:contrast={clamp(brand.contrast, 0.5, 2):.3f}"
            f":saturation={clamp(brand.saturation, 0, 3):.3f}"
        )
        kelvin = 6500 - clamp(brand.temperature, -1, 1) * 2500
        return [eq, f"colortemperature=temperature={kelvin:.0f}"] if brand.temperature else [eq]

    def _logo(self, logo: Logo, last: str) -> list[str]:
        width = int(self.size[0] * clamp(logo.width_percent, 5, 50) / 100) // 2 * 2
        place = PAD.get(logo.position, PAD["top_right"]).format(m=self.size[0] // 24)
        alpha = f"format=rgba,colorchannelmixer=aa={clamp(logo.opacity, 0.1, 1):.2f}"
        return [f"[1:v]scale={width}:-1,{alpha}[logo]", f"[{last}][logo]overlay={place}[marked]"]

    def _sound(self) -> str:
        brand, has_audio = self.brand, self.source.audio is not None
        if not has_audio and brand.music is None:
            return ""
        stereo = "aresample=48000,aformat=channel_layouts=stereo"
        finish = self._loudness()
        if brand.music is None:
            return f"[0:a:0]{stereo}{finish}[a]" if has_audio else ""
        index = 2 if brand.logo else 1
        music = f"[{index}:a:0]{stereo},volume={clamp(brand.music.volume_db, -40, 0):.1f}dB"
        seconds = self.source.duration_ms / 1000
        if not has_audio:
            return f"{music},atrim=duration={seconds:.3f}{finish}[a]"
        return (
            f"[0:a:0]{stereo}[voice];{music}[music];[voice][music]amix=inputs=2:duration=first:normalize=0{finish}[a]"
        )

    def _loudness(self) -> str:
        chain = ""
        if self.brand.volume_db:
            chain += f",volume={clamp(self.brand.volume_db, -30, 12):.1f}dB"
        if self.brand.loudness_lufs is not None:
            chain += f",loudnorm=I={clamp(self.brand.loudness_lufs, -30, -8):.1f}:TP=-1.5:LRA=11,aresample=48000"
        return chain + ",alimiter=limit=0.95" if chain or self.brand.music else chain

    def _encoders(self) -> list[str]:
        rate = self.video_bitrate
        return [
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-profile:v", "high", "-maxrate", str(rate),
            "-bufsize", str(rate * 2), "-g", str(round(self.fps * 2)), "-c:a", "aac", "-b:a", str(AUDIO_BITRATE),
            "-ar", "48000", "-ac", "2", "-t", f"{self.source.duration_ms / 1000:.3f}",
        ]  # fmt: skip


def _bounded(width: int, height: int) -> tuple[int, int]:
    """Even sides within TikTok's limits, the shape kept."""
    scale = min(1.0, SIDE_MAX / max(width, height, 1))
    scale = max(scale, SIDE_MIN / max(1, min(width, height)))
    return tuple(min(SIDE_MAX, max(SIDE_MIN, round(side * scale / 2) * 2)) for side in (width, height))  # type: ignore[return-value]


def _quote(path: Path | None) -> str:
    """A path inside a filter: escaped for the option, then for the graph."""
    text = str(path).replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\:")
    return (
        text.replace("\\", "\\\\")
        .replace("'", "\\'")
        .replace(",", "\\,")
        .replace(";", "\\;")
        .replace("[", "\\[")
        .replace("]", "\\]")
    )
