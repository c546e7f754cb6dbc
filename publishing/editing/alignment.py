"""A script laid over speech: phrases in proportion to their syllables, sentences ending where the speaker pauses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from publishing.editing.subtitles import Cue

Segment = tuple[int, int]

#: A phrase fills two lines of a subtitle of the usual size, and no more.
PHRASE_CHARS = 44
#: How far (ms of speech) a boundary may be moved to meet a pause, by what ends there.
REACH = {"sentence": 2500, "comma": 900}
#: A long pause is a better place than a short one: this much of the cost of not meeting any, at a second's pause.
PAUSE_WORTH = 0.5
#: A text stands a moment longer than it is heard, where there is room.
LINGER_MS = 250
CUE_MIN_MS = 300


@dataclass(frozen=True, slots=True)
class Phrase:
    """A cue's text; `ends` is what closes it: sentence, comma or nothing."""

    text: str
    ends: str

    @property
    def weight(self) -> int:
        """Roughly how long it takes to say: syllables of Latin script, digits as words, else letters."""
        vowels = len(re.findall(r"[aeiouyáéíóúüàèìòùâêîôûäëïöãõ]+", self.text.lower()))
        digits = sum(2 for char in self.text if char.isdigit())
        foreign = sum(char.isalpha() and ord(char) > 0x24F for char in self.text)
        return max(1, vowels + digits + foreign)


def phrases(script: str) -> list[Phrase]:
    """The script in pieces for one cue each, broken where a speaker would breathe."""
    sentences = re.split(r"(?<=[.!?…;:])[\"'»”’)\]]*\s+|\n+", script)
    found: list[Phrase] = []
    for sentence in (" ".join(each.split()) for each in sentences):
        pieces = _pieces(sentence) if re.search(r"\w", sentence) else []
        ends = ["comma" if piece.endswith(",") else "" for piece in pieces[:-1]] + ["sentence"]
        found += [Phrase(piece, end) for piece, end in zip(pieces, ends, strict=False)]
    return found


def _pieces(text: str) -> list[str]:
    """Halved, preferably after a comma and near the middle, until each piece is short enough."""
    spaces = [match.start() for match in re.finditer(" ", text)]
    if len(text) <= PHRASE_CHARS or not spaces:
        return [text]
    at = min(spaces, key=lambda space: abs(space / len(text) - 0.5) - (0.2 if text[space - 1] == "," else 0))
    return [*_pieces(text[:at]), *_pieces(text[at + 1 :])]


def lay_over(found: Sequence[Phrase], segments: Sequence[Segment]) -> list[Segment]:
    """(start, end) in milliseconds of each phrase, given where there is speech."""
    lengths = [end - start for start, end in segments]
    spoken, weights = sum(lengths), [phrase.weight for phrase in found]
    share = [spoken * part / sum(weights) for part in _sums(weights)]
    pauses = _sums(lengths)[:-1]
    silent = [after[0] - before[1] for before, after in zip(segments, segments[1:], strict=False)]
    bounds = [(at, REACH.get(phrase.ends, 0)) for at, phrase in zip(share[:-1], found, strict=False)]
    edges = _between(share, _meet(bounds, pauses, silent), spoken)
    return [
        (_clock(segments, start, at_end=False), _clock(segments, end, at_end=True))
        for start, end in zip([0.0, *edges], edges, strict=False)
    ]


def _sums(values: Sequence[float]) -> list[float]:
    total, sums = 0.0, []
    for value in values:
        total += value
        sums.append(total)
    return sums


def _meet(bounds: list[tuple[float, int]], pauses: list[float], silent: list[int]) -> dict[int, float]:
    """Which boundary goes to which pause: the cheapest pairing that keeps both in order (dynamic programming).

    `bounds` are (place, reach); a boundary that meets no pause costs 1, one that is moved costs its share of the reach.
    """
    best: list[list[float]] = [[0.0] * (len(pauses) + 1)]
    for place, reach in bounds:
        row, before = [best[-1][0] + 1], best[-1]
        for number, pause in enumerate(pauses):
            cost = _cost(place, reach, pause, silent[number])
            row.append(min(before[number + 1] + 1, row[number], before[number] + cost))
        best.append(row)
    met, number = {}, len(pauses)
    for index in range(len(bounds), 0, -1):
        while number and best[index][number] == best[index][number - 1]:
            number -= 1
        if best[index][number] != best[index - 1][number] + 1:
            number -= 1
            met[index - 1] = pauses[number]
    return met


def _cost(place: float, reach: int, pause: float, silent_ms: int) -> float:
    moved = abs(place - pause)
    return moved / reach - PAUSE_WORTH * min(1.0, silent_ms / 1000) if moved < reach else 2.0


def _between(share: list[float], met: dict[int, float], spoken: float) -> list[float]:
    """The places of all boundaries, those that met no pause in proportion between those that did."""
    known = {-1: (0.0, 0.0), **{index: (share[index], at) for index, at in met.items()}}
    known[len(share) - 1] = (spoken, spoken)
    anchors = sorted(known)
    places = []
    for index, value in enumerate(share):
        left = max(each for each in anchors if each < index)
        right = min(each for each in anchors if each >= index)
        (from_share, from_place), (to_share, to_place) = known[left], known[right]
        part = (value - from_share) / (to_share - from_share) if to_share > from_share else 1.0
        places.append(from_place + part * (to_place - from_place))
    return places


def _clock(segments: Sequence[Segment], spoken_ms: float, *, at_end: bool) -> int:
    """The time at which `spoken_ms` of speech have passed; between two segments, the side asked for."""
    for start, end in segments:
        length = end - start
        if spoken_ms < length - 0.5 or (at_end and spoken_ms <= length + 0.5):
            return round(start + min(spoken_ms, length))
        spoken_ms -= length
    return segments[-1][1]


def to_cues(found: Sequence[Phrase], times: Sequence[Segment], duration_ms: int) -> tuple[Cue, ...]:
    """One cue a phrase, lingering into the pause, never over the next one or the end."""
    starts = [start for start, _end in times]
    cues = []
    for phrase, (start, end), following in zip(found, times, [*starts[1:], duration_ms], strict=False):
        end = min(max(end + LINGER_MS, start + CUE_MIN_MS), max(following, start + 1))
        cues.append(Cue(start, end, phrase.text))
    return tuple(cues)
