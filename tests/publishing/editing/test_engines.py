"""From sound and script to cues."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.editing.alignment import PHRASE_CHARS, lay_over, phrases, to_cues
from publishing.editing.children import ChildFailed
from publishing.editing.engines import (
    FasterWhisper,
    PocketsphinxDraft,
    ScriptAlign,
    TranscriptionUnavailable,
    best_engine,
    grouped,
)
from publishing.editing.ffmpeg import extract_audio, speech_segments
from publishing.editing.probe import probe
from publishing.editing.sphinx import align, spoken_words
from tests.processes import ROOT
from tests.publishing.editing.conftest import make

ENGLISH = "Fresh bread every morning. Come and try it with a coffee."
SPANISH = (ROOT / "demo/sample.txt").read_text(encoding="utf-8").strip()


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic voice that says ENGLISH; the second sentence starts at 1.7 s of 3.5 s."""
    folder = tmp_path_factory.mktemp("english")
    return make(folder / "a.wav", "-i", f"file:{ROOT}/tests/data/english.flac", "-ar", "16000", "-ac", "1")


@pytest.fixture(scope="session")
def spanish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound of the demo's clip, which says SPANISH."""
    return extract_audio(ROOT / "demo/sample.mp4", tmp_path_factory.mktemp("spanish") / "a.wav")


@pytest.fixture
def bursts(tmp_path: Path) -> Path:
    """Two bursts of sound, from 1 to 2 s and from 4 to 6 s of 7 s."""
    gate = "volume=0:enable='lt(t,1)+between(t,2,4)+gt(t,6)'"
    return make(tmp_path / "a.wav", "-f", "lavfi", "-i", "sine=d=7", "-af", gate, "-ar", "16000", "-ac", "1")


def test_it_extracts_sound_as_engines_want_it(spanish):
    header = spanish.read_bytes()[:44]
    assert header[:4] == b"RIFF"
    assert (int.from_bytes(header[22:24], "little"), int.from_bytes(header[24:28], "little")) == (1, 16000)


def test_it_finds_the_speech_between_the_silences(bursts):
    segments = speech_segments(bursts)
    assert [tuple(round(edge / 100) for edge in segment) for segment in segments] == [(10, 20), (40, 60)]


@pytest.mark.parametrize("volume", ["0.02", "1", "3"])
def test_it_finds_speech_however_loud_it_is(bursts, tmp_path, volume):
    other = make(tmp_path / "b.wav", "-i", f"file:{bursts}", "-af", f"volume={volume}")
    assert len(speech_segments(other)) == 2


def test_it_finds_speech_over_soft_music(spanish, tmp_path):
    """The threshold follows the recording: under a constant bed of sound the pauses are still found."""
    bed = "[1]volume=-28dB[bed];[0][bed]amix=normalize=0:duration=first"
    inputs = ["-i", f"file:{spanish}", "-f", "lavfi", "-i", "sine=f=330:r=16000"]
    mixed = make(tmp_path / "b.wav", *inputs, "-filter_complex", bed)
    clean, over = speech_segments(spanish), speech_segments(mixed)
    assert abs(len(clean) - len(over)) <= 1
    assert abs(clean[0][0] - over[0][0]) < 150


def test_it_finds_no_speech_in_silence(tmp_path):
    assert speech_segments(make(tmp_path / "a.wav", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "2")) == []


def test_it_takes_a_sound_without_pauses_as_one(tmp_path):
    wav = make(tmp_path / "a.wav", "-f", "lavfi", "-i", "sine=d=2", "-ar", "16000")
    assert speech_segments(wav) == [(0, 2000)]


def test_it_splits_a_script_where_a_speaker_breathes():
    found = phrases("Hola. ¿Cómo estás hoy? Sale 3.50 en subiteya.com\n" + "una palabra, y otra más " * 6)
    assert [phrase.text for phrase in found[:3]] == ["Hola.", "¿Cómo estás hoy?", "Sale 3.50 en subiteya.com"]
    assert [phrase.ends for phrase in found[:3]] == ["sentence"] * 3
    assert all(len(phrase.text) <= PHRASE_CHARS for phrase in found)
    assert {phrase.ends for phrase in found[3:]} <= {"sentence", "comma", ""}


@given(st.text(max_size=300))
@settings(deadline=None)
def test_it_keeps_every_word_of_a_script(script):
    said = " ".join(phrase.text for phrase in phrases(script)).split()
    assert [word for word in said if any(char.isalnum() for char in word)] == [
        word for word in script.split() if any(char.isalnum() for char in word)
    ]


SEGMENTS = st.lists(st.tuples(st.integers(50, 3000), st.integers(120, 5000)), min_size=1, max_size=12)


@given(SEGMENTS, st.lists(st.sampled_from(["Hola.", "una coma,", "y algo más", "3 😀!"]), min_size=1, max_size=20))
@settings(deadline=None)
def test_it_lays_any_script_over_any_speech_in_order(gaps, words):
    at, segments = 0, []
    for silence, speech in gaps:
        segments.append((at + silence, at + silence + speech))
        at += silence + speech
    found = phrases(" ".join(words))
    times = lay_over(found, segments)
    assert len(times) == len(found)
    assert times[0][0] == segments[0][0]
    assert times[-1][1] == segments[-1][1]
    assert all(start <= end for start, end in times)
    assert all(before[1] <= after[0] for before, after in zip(times, times[1:], strict=False))
    cues = to_cues(found, times, at + 1000)
    assert all(cue.end_ms > cue.start_ms for cue in cues)


def test_it_ends_sentences_at_the_pauses_even_if_the_letters_say_otherwise():
    """Said slowly, a short sentence takes as long as a long one."""
    found = phrases("Hola a todos. Hoy les mostramos las medialunas.")
    assert lay_over(found, [(500, 2500), (3000, 5000)]) == [(500, 2500), (3000, 5000)]


def test_it_does_not_stretch_a_sentence_to_a_pause_far_away():
    found = phrases("Uno. Dos tres cuatro cinco seis siete ocho.")
    first, second = lay_over(found, [(0, 10_000), (11_000, 12_000)])
    assert first[1] < 3000
    assert second == (first[1], 12_000)


def test_it_lays_the_demos_script_over_its_speech(spanish):
    """Each sentence begins where the voice begins it: after a pause."""
    duration = probe(ROOT / "demo/sample.mp4").duration_ms
    cues = best_engine("es-AR", True).cues(spanish, language="es-AR", script=SPANISH, duration_ms=duration)
    assert " ".join(cue.text for cue in cues) == " ".join(SPANISH.split())
    starts = [start for start, _end in speech_segments(spanish)]
    for sentence in ("Las medialunas", "Son de manteca", "¡Vení"):
        at = next(cue.start_ms for cue in cues if cue.text.startswith(sentence))
        assert min(abs(at - start) for start in starts) < 60
    assert cues[-1].end_ms <= duration


def test_it_aligns_an_english_script_word_by_word(english):
    first, second = ScriptAlign().cues(english, language="en-US", script=ENGLISH, duration_ms=3495)
    assert (first.text, second.text) == ("Fresh bread every morning.", "Come and try it with a coffee.")
    assert 100 <= first.start_ms <= 200
    assert 1650 <= first.end_ms <= 1750
    assert 1660 <= second.start_ms <= 1750
    assert 3400 <= second.end_ms <= 3495


def test_it_places_words_that_the_dictionary_does_not_have(english):
    """Brands and Spanish words are guessed from their letters: here "brehd" for bread and "coffeh" for coffee."""
    words = spoken_words("Fresh brehd every morning. Come and try it with a coffeh.")
    told = align(english, words, duration_ms=3495)
    assert [word for word, _start, _end in told] == words
    assert 1600 <= next(start for word, start, _end in told if word == "come") <= 1800


def test_it_falls_back_to_the_pauses_when_words_cannot_be_aligned(english):
    script = "Fresh bread every morning.\n日本語です。\nCome and try it."
    cues = ScriptAlign().cues(english, language="en", script=script, duration_ms=3495)
    assert [cue.text for cue in cues] == ["Fresh bread every morning.", "日本語です。", "Come and try it."]
    with pytest.raises(ChildFailed):
        align(english, ["come"] * 400, duration_ms=3495)


def test_it_says_a_text_as_the_dictionary_writes_it():
    assert spoken_words("¡Café & 25 Años, don’t! 😀") == ["cafe", "and", "two", "five", "anos", "don't"]


def test_it_drafts_english_speech_without_a_script(english):
    cues = PocketsphinxDraft().cues(english, language="en", script="", duration_ms=3495)
    words = " ".join(cue.text for cue in cues).split()
    assert len({"fresh", "bread", "every", "morning", "coffee"} & set(words)) >= 3
    assert all(cue.end_ms > cue.start_ms for cue in cues)


def test_it_reports_a_broken_sound_as_a_failure(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF no sound")
    with pytest.raises(TranscriptionUnavailable, match="subtitles_failed"):
        PocketsphinxDraft().cues(tmp_path / "a.wav", language="en", script="", duration_ms=1000)


def test_it_makes_nothing_of_no_script_and_of_silence(bursts, tmp_path):
    silence = make(tmp_path / "s.wav", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "2")
    assert ScriptAlign().cues(silence, language="es", script="Hola.", duration_ms=2000) == ()
    assert ScriptAlign().cues(bursts, language="es", script=" … \n ", duration_ms=7000) == ()


def test_it_joins_words_to_cues():
    words = [("Hola.", 0, 300), ("Esto", 400, 600), ("sigue", 650, 900), ("después", 1600, 1900)]
    assert [(cue.text, cue.start_ms, cue.end_ms) for cue in grouped(words)] == [
        ("Hola.", 0, 300), ("Esto sigue", 400, 900), ("después", 1600, 1900),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "has_script", "name"),
    [
        ("es", True, "script-align"), ("en", True, "script-align"), ("pt-BR", True, "script-align"),
        ("en", False, "pocketsphinx-draft"), ("en-GB", False, "pocketsphinx-draft"), ("es", False, None),
    ],
)  # fmt: skip
def test_it_chooses_the_best_engine_there_is(monkeypatch, language, has_script, name):
    monkeypatch.delenv("SUBITEYA_WHISPER_MODEL_DIR", raising=False)
    if name:
        assert best_engine(language, has_script).name == name
        return
    with pytest.raises(TranscriptionUnavailable) as caught:
        best_engine(language, has_script)
    assert caught.value.code == "script_required"


def test_it_does_not_trip_over_a_model_folder_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("SUBITEYA_WHISPER_MODEL_DIR", str(tmp_path / "none"))
    assert not FasterWhisper().available("es", False)
    with pytest.raises(TranscriptionUnavailable):
        best_engine("es", False)
