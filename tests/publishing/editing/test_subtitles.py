"""Cues: read, corrected, escaped, wrapped; and scripts laid over speech."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.editing.engines import (
    EnglishAlign,
    PocketsphinxDraft,
    ScriptAlign,
    TranscriptionUnavailable,
    best_engine,
    speech_segments,
    split_script,
)
from publishing.editing.ffmpeg import extract_audio, ffmpeg_path
from publishing.editing.subtitles import Cue, SubtitlesInvalid, SubtitleStyle, parse, to_ass, to_srt, validate, wrap

SRT = "1\n00:00:01,000 --> 00:00:02,500\nMañana, <i>medialunas</i>\n"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.500\nMañana, medialunas\n"
ASS = to_ass([Cue(start_ms=1000, end_ms=2500, text="Mañana, medialunas")], SubtitleStyle(), 1080, 1920)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.srt", SRT.encode()),
        ("a.srt", SRT.encode("utf-8-sig")),
        ("a.srt", SRT.encode("utf-16")),
        ("a.srt", SRT.encode("cp1252")),
        ("a.srt", SRT.replace("\n", "\r\n").encode()),
        ("a.vtt", VTT.encode()),
        ("a.ass", ASS.encode()),
    ],
    ids=["srt", "bom", "utf16", "cp1252", "crlf", "vtt", "ass"],
)
def test_it_reads_the_usual_files(name, data):
    cue = parse(data, name)[0]
    assert (cue.start_ms, cue.end_ms) == (1000, 2500)
    assert cue.text.replace("\n", " ") == "Mañana, medialunas"


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"", 0), (b"just words", 1), (b"1\n\n00:00:xx -> 1\nno\n", 3)],
)
def test_it_names_the_line_of_what_it_cannot_read(data, line):
    with pytest.raises(SubtitlesInvalid) as invalid:
        parse(data, "a.srt")
    assert invalid.value.line == line


def test_it_writes_srt_that_reads_back():
    cues = (Cue(start_ms=0, end_ms=900, text="uno"), Cue(start_ms=900, end_ms=1800, text="dos\ntres"))
    assert parse(to_srt(cues).encode(), "a.srt") == cues


def test_it_orders_trims_and_drops():
    cues = [
        Cue(start_ms=900, end_ms=5000, text=" b "),
        Cue(start_ms=0, end_ms=800, text="a"),
        Cue(start_ms=2000, end_ms=3000, text="late"),
        Cue(start_ms=10, end_ms=20, text="   "),
    ]
    assert validate(cues, 1500) == (
        Cue(start_ms=0, end_ms=800, text="a"),
        Cue(start_ms=900, end_ms=1500, text="b"),
    )


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_it_never_lets_a_text_become_an_ass_command(text):
    ass = to_ass([Cue(start_ms=0, end_ms=1000, text=text)], SubtitleStyle(), 1080, 1920)
    for event in pysubs2.SSAFile.from_string(ass, format_="ass"):
        assert "{" not in event.text
        assert "\\" not in event.text.replace("\\N", "")


@given(st.text(st.characters(categories=["L", "Nd", "Zs"]), min_size=1, max_size=200), st.integers(8, 40))
@settings(max_examples=200, deadline=None)
def test_it_wraps_without_losing_a_letter(text, width):
    words = " ".join(text.split())
    lines = wrap(words, width) if words else []
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_it_answers_any_bytes_with_cues_or_a_refusal(data):
    try:
        cues = parse(data, "a.srt")
    except SubtitlesInvalid:
        return
    assert all(cue.text and cue.end_ms > cue.start_ms for cue in cues)


def test_it_shares_a_long_cue_over_its_time():
    ass = pysubs2.SSAFile.from_string(
        to_ass([Cue(start_ms=0, end_ms=9000, text="palabra " * 30)], SubtitleStyle(), 1080, 1920), format_="ass"
    )
    assert len(ass) > 2
    assert (ass[0].start, ass[-1].end) == (0, 9000)
    assert all(before.end == after.start for before, after in zip(ass[:-1], ass[1:], strict=True))
    assert all(event.text.count("\\N") <= 1 for event in ass)


def test_it_splits_a_script_where_a_speaker_breathes():
    pieces = split_script("Hola. ¿Cómo estás hoy? " + "palabra " * 30)
    assert pieces[:2] == ["Hola.", "¿Cómo estás hoy?"]
    assert all(len(piece) <= 64 for piece in pieces)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Two bursts of sound, from 1 to 2 s and from 4 to 6 s of 7 s."""
    path = tmp_path_factory.mktemp("speech") / "a.wav"
    gate = "volume=0:enable='lt(t,1)+between(t,2,4)+gt(t,6)'"
    argv = [
        ffmpeg_path(),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=d=7",
        "-af",
        gate,
        "-ar",
        "16000",
        "-ac",
        "1",
        path,
    ]
    subprocess.run(argv, check=True, timeout=30)
    return path


def test_it_finds_the_speech_between_the_silences(spoken):
    segments = speech_segments(spoken, 7000)
    assert [tuple(round(edge / 100) for edge in segment) for segment in segments] == [(10, 20), (40, 60)]


def test_it_lays_a_script_over_the_speech_in_proportion(spoken):
    cues = ScriptAlign().cues(spoken, language="es", script="Diez letra. Veinte letras, justo.", duration_ms=7000)
    assert len(cues) == 2
    assert 900 <= cues[0].start_ms <= 1100
    assert cues[0].end_ms <= 2100
    assert 3900 <= cues[1].start_ms <= 4100
    assert 5900 <= cues[1].end_ms <= 6100


def test_it_says_what_would_help_when_no_engine_can(monkeypatch):
    monkeypatch.delenv("SUBITEYA_WHISPER_MODEL_DIR", raising=False)
    with pytest.raises(TranscriptionUnavailable, match="script_required"):
        best_engine("es", False)
    assert isinstance(best_engine("es", True), ScriptAlign)
    assert isinstance(best_engine("en", True), EnglishAlign)
    assert isinstance(best_engine("en", False), PocketsphinxDraft)


def test_it_does_not_trip_over_a_model_folder_without_a_model(monkeypatch, tmp_path):
    monkeypatch.setenv("SUBITEYA_WHISPER_MODEL_DIR", str(tmp_path / "none"))
    with pytest.raises(TranscriptionUnavailable):
        best_engine("es", False)


def test_it_hears_nothing_english_in_a_tone(spoken):
    assert isinstance(PocketsphinxDraft().cues(spoken, language="en", script="", duration_ms=7000), tuple)


SCRIPT = "Fresh bread every morning. Come and try it with a coffee."


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """A synthetic voice that says SCRIPT; the second sentence starts at 1.7 s."""
    return extract_audio(Path(__file__).parents[2] / "data/english.flac", tmp_path_factory.mktemp("en") / "a.wav")


def test_it_aligns_an_english_script_to_the_words_as_they_are_said(english):
    first, second = EnglishAlign().cues(english, language="en", script=SCRIPT, duration_ms=3495)
    assert (first.text, second.text) == ("Fresh bread every morning.", "Come and try it with a coffee.")
    assert 100 <= first.start_ms <= 200
    assert 1650 <= first.end_ms <= 1720
    assert 1660 <= second.start_ms <= 1750
    assert 3400 <= second.end_ms <= 3500


def test_it_lays_an_english_script_with_unknown_words_over_the_speech(english):
    cues = EnglishAlign().cues(english, language="en", script="Fresh Xyzzybrot. Come and try it.", duration_ms=3495)
    assert [cue.text for cue in cues] == ["Fresh Xyzzybrot.", "Come and try it."]


def test_it_drafts_english_speech_without_a_script(english):
    cues = PocketsphinxDraft().cues(english, language="en", script="", duration_ms=3495)
    words = " ".join(cue.text for cue in cues).split()
    assert {"fresh", "bread", "coffee"} & set(words)
    assert all(cue.end_ms > cue.start_ms for cue in cues)
