"""Cues: read from files, corrected, written as the ASS that ffmpeg burns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pysubs2

FILE_MAX = 2_000_000
CUES_MAX = 5_000
TEXT_MAX = 500
LINES = 2
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")
ALIGNMENT = {"bottom": 2, "middle": 5, "top": 8}
#: Distance from the edge in shares of the height: below it TikTok's own buttons and captions lie.
MARGIN_SHARE = {"bottom": 0.22, "middle": 0.0, "top": 0.14}


class SubtitlesInvalid(Exception):
    """The text is not subtitles; `line` is where, 0 when there is no such place."""

    def __init__(self, code: str, *, line: int = 0, detail: dict[str, Any] | None = None) -> None:
        self.code, self.line, self.detail = code, line, detail or {}
        super().__init__(f"{code} at line {line}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One text and when it stands, in milliseconds from the start."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, kw_only=True)
class SubtitleStyle:
    """Sizes in pixels of a 1080×1920 picture, colours as #RRGGBB."""

    size: int = 64
    color: str = "#FFFFFF"
    outline_color: str = "#000000"
    box: bool = False
    bold: bool = True
    uppercase: bool = False
    position: str = "bottom"


def parse(data: bytes, name: str) -> tuple[Cue, ...]:
    """Read SRT, VTT or ASS. Raises SubtitlesInvalid."""
    if len(data) > FILE_MAX:
        raise SubtitlesInvalid("too_large", detail={"size": len(data), "max_bytes": FILE_MAX})
    text = _decode(data)
    if not text.strip():
        raise SubtitlesInvalid("empty")
    try:
        file = pysubs2.SSAFile.from_string(text, format_=_format(text, name))
    except (pysubs2.Pysubs2Error, ValueError, IndexError, KeyError, AttributeError) as error:
        raise SubtitlesInvalid("invalid", line=_first_bad_line(text)) from error
    cues = [Cue(start_ms=line.start, end_ms=line.end, text=line.plaintext) for line in file if not line.is_comment]
    if not cues:
        raise SubtitlesInvalid("invalid", line=_first_bad_line(text))
    return validate(cues, None)


def _decode(data: bytes) -> str:
    utf16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ENCODINGS:
        if encoding == "utf-16" and not utf16:
            continue
        try:
            return data.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise SubtitlesInvalid("invalid", line=1)


def _format(text: str, name: str) -> str:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    if "[Script Info]" in text[:2000] or name.lower().endswith((".ass", ".ssa")):
        return "ass"
    return "srt"


def _first_bad_line(text: str) -> int:
    """The first line with an arrow that is no time, else the first line."""
    clock = re.compile(r"\d{1,2}:\d{2}(:\d{2})?[.,]\d{1,3}\s*-->\s*\d{1,2}:\d{2}(:\d{2})?[.,]\d{1,3}")
    for number, line in enumerate(text.splitlines(), start=1):
        if "->" in line and not clock.search(line):
            return number
    return 1


def validate(cues: Iterable[Cue], duration_ms: int | None) -> tuple[Cue, ...]:
    """Ordered, trimmed cues without empty ones; those after the end of the video are cut or dropped."""
    kept = []
    for number, cue in enumerate(cues, start=1):
        if number > CUES_MAX:
            raise SubtitlesInvalid("invalid", line=number, detail={"max": CUES_MAX})
        text = clean(cue.text)
        end = min(cue.end_ms, duration_ms) if duration_ms else cue.end_ms
        if not text or (duration_ms and cue.start_ms >= duration_ms):
            continue
        if cue.start_ms < 0 or end <= cue.start_ms:
            raise SubtitlesInvalid("invalid", line=number)
        kept.append(Cue(start_ms=cue.start_ms, end_ms=end, text=text))
    return tuple(sorted(kept, key=lambda cue: (cue.start_ms, cue.end_ms)))


def clean(text: str) -> str:
    """Text only: no override tags, no mark-up, no control characters."""
    text = re.sub(r"<[^>\n]{0,80}>", "", re.sub(r"\{[^}\n]*\}", "", text.replace("\\N", "\n")))
    lines = (
        re.sub(r"\s+", " ", "".join(char for char in line if char.isprintable())).strip() for line in text.split("\n")
    )
    return "\n".join(line for line in lines if line)[:TEXT_MAX]


def to_srt(cues: Iterable[Cue]) -> str:
    """The cues as an SRT file."""
    file = pysubs2.SSAFile()
    for cue in cues:
        file.append(pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=cue.text.replace("\n", "\\N")))
    return file.to_string("srt")


def to_ass(cues: Iterable[Cue], style: SubtitleStyle, width: int, height: int) -> str:
    """The cues as ASS for a picture of that size; long texts are wrapped and shared over time."""
    file = pysubs2.SSAFile()
    file.info |= {"PlayResX": str(width), "PlayResY": str(height), "WrapStyle": "2", "ScaledBorderAndShadow": "yes"}
    size = max(12, round(style.size * width / 1080))
    file.styles["Default"] = pysubs2.SSAStyle(
        fontname="Inter", fontsize=size, bold=style.bold, primarycolor=_color(style.color),
        outlinecolor=_color(style.outline_color), backcolor=_color(style.outline_color),
        borderstyle=3 if style.box else 1, outline=max(2, size / 12), shadow=0,
        alignment=pysubs2.Alignment(ALIGNMENT.get(style.position, 2)), marginl=width // 14, marginr=width // 14,
        marginv=round(height * MARGIN_SHARE.get(style.position, 0.22)),
    )  # fmt: skip
    per_line = max(8, int(width * 0.86 / (size * 0.58)))
    for cue in cues:
        for piece in _pieces(cue, per_line, style.uppercase):
            file.append(pysubs2.SSAEvent(start=piece.start_ms, end=piece.end_ms, text=_escape(piece.text)))
    return file.to_string("ass")


def _pieces(cue: Cue, per_line: int, uppercase: bool) -> Iterator[Cue]:
    """At most two balanced lines at a time; more text takes turns, each as long as its share of the letters."""
    text = " ".join(cue.text.split())
    lines = wrap(text.upper() if uppercase else text, per_line)
    screens = [lines[i : i + LINES] for i in range(0, len(lines), LINES)]
    letters = sum(len(line) for line in lines) or 1
    start = cue.start_ms
    for screen in screens:
        share = sum(len(line) for line in screen) / letters
        end = cue.end_ms if screen is screens[-1] else start + round((cue.end_ms - cue.start_ms) * share)
        yield Cue(start_ms=start, end_ms=end, text="\n".join(screen))
        start = end


def wrap(text: str, per_line: int) -> list[str]:
    """Lines of at most `per_line` letters, balanced where two suffice; a word longer than a line is cut."""
    lines = textwrap.wrap(text, per_line, break_long_words=True, break_on_hyphens=False) or [text]
    if len(lines) == LINES:
        for width in range(len(text) // 2, per_line + 1):
            balanced = textwrap.wrap(text, max(1, width), break_long_words=False, break_on_hyphens=False)
            if len(balanced) == LINES and all(len(line) <= per_line for line in balanced):
                return balanced
    return lines


def _escape(text: str) -> str:
    """Text that libass draws as it is: braces would open an override, a backslash an escape."""
    safe = text.replace("\\", "\u2216").replace("{", "(").replace("}", ")")
    return safe.replace("\n", "\\N")


def _color(value: str) -> pysubs2.Color:
    match = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", value)
    red, green, blue = (int(part, 16) for part in match.groups()) if match else (255, 255, 255)
    return pysubs2.Color(red, green, blue)
