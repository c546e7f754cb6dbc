"""From sound and script to cues: a port with four engines."""

from __future__ import annotations

import importlib.util
import os
import re
import wave
from pathlib import Path
from typing import Any, Protocol

from publishing.editing.ffmpeg import INPUT, ffmpeg_path, run
from publishing.editing.subtitles import Cue

SILENCE_DB = (-30, -38, -46)
SILENCE_SECONDS = 0.25
CUE_CHARS = 64
#: A cue that would end or start this close to a pause ends or starts at it.
NEAR_MS = 150


class TranscriptionUnavailable(Exception):
    """No engine here can do it; `code` says what would help."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Transcriber(Protocol):
    """Makes cues from a 16 kHz mono WAV and, for some, the script of what is said."""

    name: str

    def available(self, language: str, has_script: bool) -> bool: ...

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]: ...


def best_engine(language: str, has_script: bool) -> Transcriber:
    """A script is aligned; without one a model is needed, or (English only) pocketsphinx makes a draft."""
    for engine in (EnglishAlign(), ScriptAlign(), FasterWhisper(), PocketsphinxDraft()):
        if engine.available(language, has_script):
            return engine
    raise TranscriptionUnavailable("script_required")


def speech_segments(wav: Path, duration_ms: int) -> list[tuple[int, int]]:
    """(start, end) of speech in milliseconds, by the silences between; the threshold falls until there is any."""
    for level in SILENCE_DB:
        log = run(
            [ffmpeg_path(), "-nostdin", "-hide_banner", "-v", "info", *INPUT, "-i", str(wav),
             "-af", f"silencedetect=noise={level}dB:d={SILENCE_SECONDS}", "-f", "null", "-"],
            timeout=600,
        ).decode(errors="replace")  # fmt: skip
        found = _between(log, duration_ms)
        if found:
            return found
    return []


def _between(log: str, duration_ms: int) -> list[tuple[int, int]]:
    starts = [round(float(value) * 1000) for value in re.findall(r"silence_start: (-?[\d.]+)", log)]
    ends = [round(float(value) * 1000) for value in re.findall(r"silence_end: (-?[\d.]+)", log)]
    edges = sorted([(max(0, at), False) for at in starts] + [(at, True) for at in ends])
    segments, opened = [], 0 if not edges or not edges[0][1] else None
    for at, speaks in edges:
        if speaks:
            opened = at
        elif opened is not None:
            segments.append((opened, at))
            opened = None
    if opened is not None:
        segments.append((opened, duration_ms))
    return [(start, end) for start, end in segments if end - start >= 120]


def split_script(script: str) -> list[str]:
    """Phrases of at most CUE_CHARS letters, ending where a speaker would breathe."""
    phrases = re.findall(r"[^.!?…\n;:]+[.!?…;:]*", script)
    pieces: list[str] = []
    for phrase in (" ".join(phrase.split()) for phrase in phrases):
        words, line = phrase.split(), ""
        for word in words:
            breathe = line.endswith(",") and len(line) > CUE_CHARS * 0.5
            if line and (len(line) + 1 + len(word) > CUE_CHARS or breathe):
                pieces.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        if line:
            pieces.append(line)
    return pieces


class ScriptAlign:
    """The script's phrases laid over the speech, in proportion to their letters."""

    name = "script-align"

    def available(self, language: str, has_script: bool) -> bool:
        return has_script

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        segments = speech_segments(wav, duration_ms)
        pieces = split_script(script)
        if not segments or not pieces:
            return ()
        spoken = sum(end - start for start, end in segments)
        letters = sum(len(piece) for piece in pieces)
        cues, said = [], 0
        for piece in pieces:
            start = _clock(segments, spoken * said / letters, at_end=False)
            said += len(piece)
            end = _clock(segments, spoken * said / letters, at_end=True)
            cues.append(Cue(start_ms=start, end_ms=max(end, start + 200), text=piece))
        return tuple(cues)


def _clock(segments: list[tuple[int, int]], spoken_ms: float, *, at_end: bool) -> int:
    """The time at which `spoken_ms` of speech have passed; near a pause, the side of it that is asked for."""
    last_end = segments[0][0]
    for start, end in segments:
        if at_end and spoken_ms <= NEAR_MS:
            return last_end
        if spoken_ms < end - start - (0 if at_end else NEAR_MS):
            return round(start + spoken_ms)
        spoken_ms = max(0.0, spoken_ms - (end - start))
        last_end = end
    return last_end


class EnglishAlign:
    """Forced alignment: each word of an English script at the time at which it is said.

    A script with words that the dictionary lacks (brands, Spanish) is laid over the speech instead.
    """

    name = "pocketsphinx-align"

    def available(self, language: str, has_script: bool) -> bool:
        return has_script and language.startswith("en")

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        pieces = split_script(script)
        spans = _align([_plain_words(piece) for piece in pieces], wav)
        if spans is None:
            return ScriptAlign().cues(wav, language=language, script=script, duration_ms=duration_ms)
        return tuple(
            Cue(start_ms=start, end_ms=max(end, start + 100), text=piece)
            for piece, (start, end) in zip(pieces, spans, strict=True)
        )


def _plain_words(text: str) -> list[str]:
    """The words as the dictionary writes them."""
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower().replace("’", "'"))


def _align(pieces: list[list[str]], wav: Path) -> list[tuple[int, int]] | None:
    """(start, end) in milliseconds of each piece's words; None when they cannot be aligned."""
    from pocketsphinx import Decoder

    decoder = Decoder(lm=None, samprate=16000, loglevel="FATAL")
    words = [word for piece in pieces for word in piece]
    if not all(pieces) or any(decoder.lookup_word(word) is None for word in words):
        return None
    try:
        decoder.set_align_text(" ".join(words))
        found = [segment for segment in _decode(decoder, wav) if not segment[0].startswith(("<", "["))]
    except RuntimeError:
        return None
    if len(found) != len(words):
        return None
    spans, position = [], 0
    for piece in pieces:
        mine = found[position : position + len(piece)]
        position += len(piece)
        spans.append((mine[0][1], mine[-1][2]))
    return spans


def _decode(decoder: Any, wav: Path) -> list[tuple[str, int, int]]:
    """(word, start, end) in milliseconds."""
    with wave.open(str(wav)) as sound:
        samples = sound.readframes(sound.getnframes())
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    return [(segment.word, segment.start_frame * 10, segment.end_frame * 10 + 10) for segment in decoder.seg() or ()]


class FasterWhisper:
    """Used when SUBITEYA_WHISPER_MODEL_DIR names a model folder and the package is there."""

    name = "faster-whisper"

    def available(self, language: str, has_script: bool) -> bool:
        folder = os.environ.get("SUBITEYA_WHISPER_MODEL_DIR", "")
        return bool(folder) and Path(folder).is_dir() and importlib.util.find_spec("faster_whisper") is not None

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        from faster_whisper import WhisperModel

        try:
            model = WhisperModel(os.environ["SUBITEYA_WHISPER_MODEL_DIR"], device="cpu", compute_type="int8")
        except (OSError, ValueError, RuntimeError) as error:
            raise TranscriptionUnavailable("script_required") from error
        segments, _info = model.transcribe(str(wav), language=language, vad_filter=True)
        return tuple(
            Cue(start_ms=round(part.start * 1000), end_ms=round(part.end * 1000), text=part.text.strip())
            for part in segments
            if part.text.strip()
        )


class PocketsphinxDraft:
    """A rough English draft that a person has to review."""

    name = "pocketsphinx-draft"

    def available(self, language: str, has_script: bool) -> bool:
        return language.startswith("en")

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        from pocketsphinx import Decoder

        return _grouped(_decode(Decoder(samprate=16000, loglevel="FATAL"), wav))


def _grouped(words: list[tuple[str, int, int]]) -> tuple[Cue, ...]:
    """Words joined to cues: a new one after a pause or when the line is full."""
    cues: list[Cue] = []
    for raw, start, end in words:
        word = re.sub(r"\(\d+\)$", "", raw)
        if word.startswith(("<", "[")):
            continue
        last = cues[-1] if cues else None
        if last and start - last.end_ms < 400 and len(last.text) + len(word) < CUE_CHARS * 0.7:
            cues[-1] = Cue(start_ms=last.start_ms, end_ms=end, text=f"{last.text} {word}")
        else:
            cues.append(Cue(start_ms=start, end_ms=max(end, start + 100), text=word))
    return tuple(cues)
