"""Pocketsphinx (English) in a child process: its C code reads untrusted sound. `python -m` is the child's side."""

from __future__ import annotations

import re
import unicodedata
import wave
from pathlib import Path
from typing import Any

from publishing.editing.children import Limits, answer, ask

#: Seconds that it may take, on top of the sound's own length (a word by word alignment takes a tenth of it).
PATIENCE = 60
MEMORY = 3 << 30
FRAME_MS = 10
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: Letters → phones, for words that the dictionary does not have: a rough guess is enough to place a word in time.
LETTERS = {
    "tion": "SH AH N", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "qu": "K W", "oo": "UW", "ee": "IY",
    "ou": "AW", "ll": "L", "a": "AA", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH",
    "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "OW", "p": "P", "q": "K", "r": "R", "s": "S",
    "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LETTER = re.compile("|".join(sorted(LETTERS, key=len, reverse=True)))

#: (word, start, end) in milliseconds
Word = tuple[str, int, int]


def spoken_words(text: str) -> list[str]:
    """What a text sounds like in the dictionary's spelling: lower case, no accents, digits as words."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("&", " and ").replace("\u2019", "'"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", plain)
    return [word for word in (each.strip("'") for each in re.findall(r"[a-z']+", plain)) if word]


def align(wav: Path, words: list[str], *, duration_ms: int) -> list[Word]:
    """When each of `words` is said. Raises ChildFailed when it cannot tell."""
    return _ask({"wav": str(wav.absolute()), "words": words}, duration_ms)


def transcribe(wav: Path, *, duration_ms: int) -> list[Word]:
    """A rough guess of what is said. Raises ChildFailed."""
    return _ask({"wav": str(wav.absolute()), "words": None}, duration_ms)


def _ask(question: dict[str, Any], duration_ms: int) -> list[Word]:
    timeout = PATIENCE + duration_ms / 1000
    limits = Limits(cpu_s=int(timeout) + 1, memory_bytes=MEMORY, file_bytes=0, files=64)
    told = ask("publishing.editing.sphinx", question, timeout=timeout, limits=limits)
    return [(word, start, end) for word, start, end in told]


def _reply(question: Any) -> list[Word]:
    from pocketsphinx import Decoder  # only the child loads it

    words = question["words"]
    with wave.open(question["wav"]) as sound:
        samples = sound.readframes(sound.getnframes())
    if words is None:
        decoder = Decoder(samprate=16000, loglevel="FATAL")
    else:
        decoder = Decoder(lm=None, samprate=16000, loglevel="FATAL")
        _teach(decoder, words)
        decoder.set_align_text(" ".join(words))
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    heard = [
        (re.sub(r"\(\d+\)$", "", part.word), part.start_frame * FRAME_MS, (part.end_frame + 1) * FRAME_MS)
        for part in decoder.seg()
        if not part.word.startswith(("<", "[", "+"))
    ]
    if words is not None and [word for word, _start, _end in heard] != words:
        raise ValueError("not every word was found")
    return heard


def _teach(decoder: Any, words: list[str]) -> None:
    for word in set(words):
        if decoder.lookup_word(word) is None:
            phones = " ".join(LETTERS[letters] for letters in _LETTER.findall(word))
            decoder.add_word(word, phones or "AH", True)


if __name__ == "__main__":
    answer(_reply)
