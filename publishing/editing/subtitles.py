"""Cues: read from files, corrected, written as SRT and as the ASS that ffmpeg burns."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pysubs2

from publishing.editing.children import ChildFailed, Limits, answer, ask

FILE_MAX = 2_000_000
#: The reader's time grows with the square of some files' length.
CHILD = Limits(cpu_s=5, memory_bytes=1 << 30, file_bytes=0, files=64)
CUES_MAX = 5_000
TEXT_MAX = 500
#: ASS has one digit for the hours.
TIME_MAX_MS = 35_999_000
LINES = 2
ALIGNMENT = {"bottom": 2, "middle": 5, "top": 8}
#: Distance from the edge in shares of the height: beyond it lie TikTok's own buttons and captions.
MARGIN_SHARE = {"bottom": 0.22, "middle": 0.0, "top": 0.14}
SIDE_MARGIN_SHARE = 0.08
SIZES = (24, 140)
#: Widths in Inter Bold, in shares of the font size.
LETTER, CAPITAL, NARROW, BROAD, SQUARE = 0.47, 0.58, 0.3, 0.86, 1.05
NARROW_SIGNS, BROAD_SIGNS = frozenset(" ijlIftr1.,:;!¡'’|()[]{}-"), frozenset("mwMWÑÆŒ@%&—…")
#: The eye needs some time for any text: as long as for this many letters.
GLANCE = 10
#: How finely even lines are looked for.
STEPS = 12
#: They would make the rest of a line run backwards.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_ARROW_LINE = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(\s.*)?")
_DIALOGUE_LINE = re.compile(r"Dialogue:\s*(?:\d+|Marked=\d)\s*,\s*\d+:\d{2}:\d{2}[.:]\d{1,3}\s*,\s*\d+:\d{2}:\d{2}[.:]")


class SubtitlesInvalid(Exception):
    """The text is not subtitles; `line` is where (of a file) or which cue (of a list), 0 when there is no place.

    Codes: too_large, encoding, empty, syntax, times, too_long, too_many.
    """

    def __init__(self, code: str, *, line: int = 0, detail: dict[str, Any] | None = None) -> None:
        self.code, self.line, self.detail = code, line, detail or {}
        super().__init__(f"{code} at line {line}")


@dataclass(frozen=True, slots=True)
class Cue:
    """One text and when it stands, in milliseconds from the start."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, kw_only=True)
class SubtitleStyle:
    """Inter, in pixels of a picture 1080 wide, colours as #RRGGBB; a box takes the outline's colour.

    `max_line_chars` counts letters of middling width; 0 means as many as fit.
    """

    size: int = 64
    color: str = "#FFFFFF"
    outline_color: str = "#000000"
    box: bool = False
    bold: bool = True
    uppercase: bool = False
    position: str = "bottom"
    max_line_chars: int = 0


def parse(data: bytes, name: str) -> tuple[Cue, ...]:
    """Read SRT, VTT or ASS in UTF-8, UTF-16 or cp1252; styling is dropped. Raises SubtitlesInvalid."""
    if len(data) > FILE_MAX:
        raise SubtitlesInvalid("too_large", detail={"size": len(data), "max_bytes": FILE_MAX})
    text = _decode(data)
    if not text.strip():
        raise SubtitlesInvalid("empty")
    kind = _kind(text, name)
    lines = list(_cue_lines(text, kind))
    if not lines:
        raise SubtitlesInvalid("syntax", line=1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it replaces a bad margin or colour, which are dropped anyway
            file = pysubs2.SSAFile.from_string(text, format_=kind)
    except (pysubs2.Pysubs2Error, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise SubtitlesInvalid("syntax", line=1) from error
    events = [event for event in file if not event.is_comment]
    if len(events) != len(lines):
        raise SubtitlesInvalid("syntax", line=lines[min(len(events), len(lines) - 1)])
    cues = [Cue(event.start, event.end, _plain(event.text, kind)) for event in events]
    return validate(cues, None, lines=lines)


def parse_isolated(data: bytes, name: str, *, timeout: float = 20) -> tuple[Cue, ...]:
    """`parse` in a child process: a file that the reader chews on for minutes is refused. Raises SubtitlesInvalid."""
    if len(data) > FILE_MAX:
        raise SubtitlesInvalid("too_large", detail={"size": len(data), "max_bytes": FILE_MAX})
    question = {"data": base64.b64encode(data).decode(), "name": name}
    try:
        told = ask("publishing.editing.subtitles", question, timeout=timeout, limits=CHILD)
    except ChildFailed as error:
        raise SubtitlesInvalid("syntax", line=1, detail={"why": str(error)}) from None
    if "refused" in told:
        raise SubtitlesInvalid(told["refused"], line=told["line"], detail=told["detail"])
    return tuple(Cue(start, end, text) for start, end, text in told["cues"])


def _reply(question: Any) -> dict[str, Any]:
    try:
        cues = parse(base64.b64decode(question["data"]), question["name"])
    except SubtitlesInvalid as refusal:
        return {"refused": refusal.code, "line": refusal.line, "detail": refusal.detail}
    return {"cues": [[cue.start_ms, cue.end_ms, cue.text] for cue in cues]}


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    for attempt in (encoding, "cp1252"):
        try:
            text = data.decode(attempt)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise SubtitlesInvalid("encoding", line=1)


def _kind(text: str, name: str) -> str:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    is_ass = "[Script Info]" in text[:2000] or name.lower().endswith((".ass", ".ssa"))
    return "ass" if is_ass else "srt"


def _cue_lines(text: str, kind: str) -> Iterator[int]:
    """The line on which each cue has its times. Raises on one that only looks like it: it would be lost silently."""
    pattern = _DIALOGUE_LINE if kind == "ass" else _ARROW_LINE
    for number, line in enumerate(text.split("\n"), start=1):
        if pattern.match(line):
            yield number
        elif line.startswith("Dialogue:") if kind == "ass" else re.match(r"\s*\d+:\d.*->", line):
            raise SubtitlesInvalid("syntax", line=number)


def _plain(text: str, kind: str) -> str:
    """What is said, without the format's mark-up. Drawings (`{\\p1}m 0 0 …`) say nothing."""
    if kind == "ass" and re.search(r"\{[^{}]*\\p[1-9]", text):
        return ""
    text = re.sub(r"\{[^{}]*\}" if kind == "ass" else r"\{\\[^{}]*\}", "", text)
    text = re.sub(r"\\[Nn]", "\n", text).replace("\\h", " ")
    return html.unescape(re.sub(r"<[\d:.]+>", "", text)) if kind == "vtt" else text


def validate(cues: Iterable[Cue], duration_ms: int | None, *, lines: Sequence[int] = ()) -> tuple[Cue, ...]:
    """Ordered cues with clean text, without empty ones; what lies after the end of the video is cut or dropped.

    `lines` are the places that errors name, by default the cues' numbers. Raises SubtitlesInvalid.
    """
    kept = []
    for number, cue in enumerate(cues, start=1):
        place = lines[number - 1] if number <= len(lines) else number
        if number > CUES_MAX:
            raise SubtitlesInvalid("too_many", line=place, detail={"max": CUES_MAX})
        text = clean(cue.text)
        if not text or (duration_ms and cue.start_ms >= duration_ms):
            continue
        if len(text) > TEXT_MAX:
            raise SubtitlesInvalid("too_long", line=place, detail={"length": len(text), "max_length": TEXT_MAX})
        end = min(cue.end_ms, duration_ms) if duration_ms else cue.end_ms
        if not 0 <= cue.start_ms < end <= TIME_MAX_MS:
            raise SubtitlesInvalid("times", line=place, detail={"start_ms": cue.start_ms, "end_ms": cue.end_ms})
        kept.append(Cue(cue.start_ms, end, text))
    return tuple(sorted(kept, key=lambda cue: (cue.start_ms, cue.end_ms)))


def clean(text: str) -> str:
    """Lines without control characters, doubled spaces and empty lines."""
    lines = (" ".join("".join(filter(_is_text, line)).split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _is_text(char: str) -> bool:
    return char.isspace() or (unicodedata.category(char) not in {"Cc", "Cs"} and char not in BIDI_CONTROLS)


def to_srt(cues: Iterable[Cue]) -> str:
    """The cues as an SRT file."""
    blocks = (
        f"{number}\n{_srt_clock(cue.start_ms)} --> {_srt_clock(cue.end_ms)}\n{cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def _srt_clock(ms: int) -> str:
    seconds, millis = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{millis:03d}"


def to_ass(cues: Iterable[Cue], style: SubtitleStyle, width: int, height: int) -> str:
    """The cues as ASS for a picture of that size; long texts are wrapped and take turns."""
    file = pysubs2.SSAFile()
    # WrapStyle 0 is the net: a line of very wide letters is wrapped by libass, never cut at the edge.
    file.info |= {"PlayResX": str(width), "PlayResY": str(height), "WrapStyle": "0", "ScaledBorderAndShadow": "yes"}
    size = round(min(max(style.size, SIZES[0]), SIZES[1]) * min(width, height) / 1080)
    side = round(width * SIDE_MARGIN_SHARE)
    file.styles["Default"] = pysubs2.SSAStyle(
        fontname="Inter", fontsize=size, bold=style.bold, primarycolor=_color(style.color),
        outlinecolor=_color(style.outline_color), backcolor=_color(style.outline_color),
        borderstyle=3 if style.box else 1, outline=max(2, size / 12), shadow=0,
        alignment=pysubs2.Alignment(ALIGNMENT.get(style.position, 2)), marginl=side, marginr=side,
        marginv=round(height * MARGIN_SHARE.get(style.position, 0.22)),
    )  # fmt: skip
    room = (width - 2 * side) / size
    if style.max_line_chars:
        room = min(room, max(8, style.max_line_chars) * LETTER)
    for cue in cues:
        for piece in _pieces(cue, room, style.uppercase):
            file.append(pysubs2.SSAEvent(start=piece.start_ms, end=piece.end_ms, text=_escape(piece.text)))
    return file.to_string("ass")


def _pieces(cue: Cue, room: float, uppercase: bool) -> Iterator[Cue]:
    """At most two balanced lines at a time; more text takes turns, each as long as its share of the letters."""
    text = " ".join(cue.text.split())
    lines = wrap(text.upper() if uppercase else text, room)
    screens = ["\n".join(lines[i : i + LINES]) for i in range(0, len(lines), LINES)]
    weights = [len(screen) + GLANCE for screen in screens]
    shown, start = 0, cue.start_ms
    for screen, weight in zip(screens, weights, strict=True):
        shown += weight
        end = cue.start_ms + round((cue.end_ms - cue.start_ms) * shown / sum(weights))
        yield Cue(start, end, screen)
        start = end


def wrap(text: str, room: float) -> list[str]:
    """Lines no wider than `room` (in font sizes), as even as their number allows; a wider word is cut."""
    words = text.split()
    lines = _fill(words, room)
    if len(lines) < 2:
        return lines
    least = max(text_width(text) / len(lines), *(min(room, text_width(word)) for word in words))
    for step in range(STEPS):
        even = _fill(words, least + (room - least) * step / STEPS)
        if len(even) <= len(lines):
            return even
    return lines


def _fill(words: list[str], room: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for part in (part for word in words for part in _cut(word, room)):
        if line and text_width(f"{line} {part}") > room:
            lines.append(line)
            line = part
        else:
            line = f"{line} {part}".strip()
    return [*lines, line] if line else lines


def _cut(word: str, room: float) -> Iterator[str]:
    """The word in parts that fit; nearly always the word itself."""
    part = ""
    for char in word:
        if part and text_width(part + char) > room:
            yield part
            part = ""
        part += char
    yield part


def text_width(text: str) -> float:
    """About how wide Inter Bold draws it, in font sizes."""
    return sum(map(_char_width, text))


def _char_width(char: str) -> float:
    if char in NARROW_SIGNS:
        return NARROW
    if char in BROAD_SIGNS:
        return BROAD
    if unicodedata.combining(char) or unicodedata.category(char) == "Cf":
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return SQUARE
    return CAPITAL if char.isupper() or char.isdigit() else LETTER


def _escape(text: str) -> str:
    """Text that libass draws as it is: an invisible joiner keeps a backslash from starting an escape."""
    safe = text.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")
    return safe.replace("\n", "\\N")


def _color(value: str) -> pysubs2.Color:
    match = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", value)
    red, green, blue = (int(part, 16) for part in match.groups()) if match else (255, 255, 255)
    return pysubs2.Color(red, green, blue)


if __name__ == "__main__":
    answer(_reply)
