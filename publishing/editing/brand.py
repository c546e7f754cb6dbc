"""How a client's videos look and sound, as data. Every number is clamped where it enters the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from publishing.editing.containers import MediaRefused
from publishing.editing.pictures import picture_of
from publishing.editing.subtitles import SubtitleStyle

#: First bytes → the demuxer to force. Whatever else a brand's sound may be, it is not opened.
SOUNDS = {
    b"ID3": "mp3", b"\xff\xfb": "mp3", b"\xff\xf3": "mp3", b"\xff\xf2": "mp3", b"\xff\xf1": "aac", b"\xff\xf9": "aac",
    b"RIFF": "wav", b"OggS": "ogg", b"fLaC": "flac",
}  # fmt: skip


def clamp(value: float, low: float, high: float) -> float:
    """The nearest number within the range; not-a-number becomes `low`."""
    return min(high, max(low, float(value)))


@dataclass(frozen=True, kw_only=True)
class Logo:
    """A PNG or JPEG laid over the picture; percentages of the picture's width, opacity 0.1 to 1."""

    path: Path
    sha256: str
    position: str = "top_right"
    width_percent: float = 18
    opacity: float = 0.9
    margin_percent: float = 4

    @property
    def demuxer(self) -> str:
        """The demuxer to force. Raises MediaRefused `wrong_kind` or `too_many_pixels`: it is about to be decoded."""
        return picture_of(self.path).demuxer


@dataclass(frozen=True, kw_only=True)
class Music:
    """MP3, M4A, AAC, WAV, Ogg or FLAC, repeated as long as the video lasts."""

    path: Path
    sha256: str
    volume_db: float = -18

    @property
    def demuxer(self) -> str:
        """The demuxer to force. Raises MediaRefused `wrong_kind`."""
        return sound_demuxer(self.path)


def sound_demuxer(path: Path) -> str:
    """The demuxer for a sound, by its first bytes. Raises MediaRefused `wrong_kind`."""
    with path.open("rb") as file:
        head = file.read(16)
    for magic, demuxer in SOUNDS.items():
        if head.startswith(magic):
            return demuxer
    if head[4:8] == b"ftyp":
        return "mov"
    raise MediaRefused("wrong_kind", {"name": path.name})


@dataclass(frozen=True, kw_only=True)
class Brand:
    """The defaults change nothing but the shape.

    `fit` is how another shape becomes 9:16: crop, blur, pad or keep. `temperature` goes from -1 (cold) to 1 (warm).
    `volume_db` is for the video's own sound; `loudness_lufs` is what the mix is brought to, None to leave it.
    """

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
        """Whether it changes colours."""
        return (self.brightness, self.contrast, self.saturation, self.temperature) != (0, 1, 1, 0)

    @property
    def has_sound(self) -> bool:
        """Whether it changes the sound."""
        return self.loudness_lufs is not None or self.volume_db != 0 or self.music is not None
