"""From sound and script to cues: a port with three engines."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from publishing.editing.alignment import PHRASE_CHARS, Phrase, Segment, lay_over, phrases, to_cues
from publishing.editing.children import ChildFailed
from publishing.editing.ffmpeg import speech_segments
from publishing.editing.sphinx import Word, align, spoken_words, transcribe
from publishing.editing.subtitles import Cue

#: A pause in which a new cue begins.
PAUSE_MS = 400


class TranscriptionUnavailable(Exception):
    """No engine here can do it; `code` says what would help: script_required, or subtitles_failed (try again)."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Transcriber(Protocol):
    """Makes cues from a 16 kHz mono WAV and, for some, the script of what is said."""

    name: str

    def available(self, language: str, has_script: bool) -> bool:
        """Whether it can do it on this host; `language` as in "es" or "es-AR"."""

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        """Cues in order; none when nothing is said. Raises TranscriptionUnavailable, FfmpegError."""


def best_engine(language: str, has_script: bool) -> Transcriber:
    """A script is aligned; without one a model is needed, or (English only) pocketsphinx makes a draft.

    Raises TranscriptionUnavailable.
    """
    engines: tuple[Transcriber, ...] = (ScriptAlign(), FasterWhisper(), PocketsphinxDraft())
    for engine in engines:
        if engine.available(language, has_script):
            return engine
    raise TranscriptionUnavailable("script_required")


def _is_english(language: str) -> bool:
    return language.lower().split("-")[0] == "en"


class ScriptAlign:
    """The script's phrases at the times they are said: word by word in English, by pauses in any other language."""

    name = "script-align"

    def available(self, language: str, has_script: bool) -> bool:
        return has_script

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        found, segments = phrases(script), speech_segments(wav)
        if not found or not segments:
            return ()
        times = _word_times(wav, found, duration_ms) if _is_english(language) else None
        return to_cues(found, times or lay_over(found, segments), duration_ms)


def _word_times(wav: Path, found: list[Phrase], duration_ms: int) -> list[Segment] | None:
    """When each phrase is said; None when the aligner fails or a phrase has no word in it."""
    said = [spoken_words(phrase.text) for phrase in found]
    if not all(said):
        return None
    try:
        words = align(wav, [word for phrase in said for word in phrase], duration_ms=duration_ms)
    except ChildFailed:
        return None
    times, at = [], 0
    for phrase in said:
        times.append((words[at][1], words[at + len(phrase) - 1][2]))
        at += len(phrase)
    return times


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
        except (OSError, ValueError, RuntimeError):  # what a missing, foreign or broken model raises
            raise TranscriptionUnavailable("script_required") from None
        parts, _info = model.transcribe(
            str(wav), language=language.lower().split("-")[0], vad_filter=True, word_timestamps=True
        )
        words = (word for part in parts for word in part.words or ())
        return grouped((word.word.strip(), round(word.start * 1000), round(word.end * 1000)) for word in words)


class PocketsphinxDraft:
    """A rough English draft that a person has to review."""

    name = "pocketsphinx-draft"

    def available(self, language: str, has_script: bool) -> bool:
        return _is_english(language)

    def cues(self, wav: Path, *, language: str, script: str, duration_ms: int) -> tuple[Cue, ...]:
        try:
            return grouped(transcribe(wav, duration_ms=duration_ms))
        except ChildFailed:
            raise TranscriptionUnavailable("subtitles_failed") from None


def grouped(words: Iterable[Word]) -> tuple[Cue, ...]:
    """Words joined to cues: a new one after a pause, after a sentence, or when the cue is full."""
    cues: list[Cue] = []
    for word, start, end in words:
        last = cues[-1] if cues else None
        is_full = last is None or len(last.text) + 1 + len(word) > PHRASE_CHARS or last.text.endswith((".", "?", "!"))
        if last is None or is_full or start - last.end_ms >= PAUSE_MS:
            cues.append(Cue(start, max(end, start + 100), word))
        else:
            cues[-1] = Cue(last.start_ms, max(end, last.end_ms), f"{last.text} {word}")
    return tuple(cues)
