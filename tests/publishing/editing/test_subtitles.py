"""Cues: read, corrected, written, escaped and wrapped."""

from __future__ import annotations

import re

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.editing.subtitles import (
    CUES_MAX,
    FILE_MAX,
    Cue,
    SubtitlesInvalid,
    SubtitleStyle,
    clean,
    parse,
    text_width,
    to_ass,
    to_srt,
    validate,
    wrap,
)

SRT = "1\n00:00:01,000 --> 00:00:02,500\nMañana, <i>medialunas</i>\n\n2\n00:00:03,000 --> 00:00:04,000\ndos\nlíneas\n"
VTT = (
    "WEBVTT - título\n\nNOTE un comentario\n\nSTYLE\n::cue { color: red }\n\nuno\n"
    "00:01.000 --> 00:02.500 align:start\n<v Ana>Mañana, medialunas</v>\n\n00:00:03.000 --> 00:00:04.000\n"
    "<00:00:03.200><c.x>dos</c>\nlíneas\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,no\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\pos(1,2)\\fs400}Mañana,{nota} medialunas\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,dos\\Nlíneas\n"
)
BOTH = (Cue(1000, 2500, "Mañana, medialunas"), Cue(3000, 4000, "dos\nlíneas"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.srt", SRT.encode()), ("a.srt", SRT.encode("utf-8-sig")), ("a.srt", SRT.encode("utf-16")),
        ("a.srt", SRT.encode("utf-16-be").join([b"\xfe\xff", b""])), ("a.srt", SRT.encode("cp1252")),
        ("a.srt", SRT.replace("\n", "\r\n").encode()), ("a.txt", SRT.encode()), ("a.vtt", VTT.encode()),
        ("a.srt", VTT.encode()), ("a.ass", ASS.encode()), ("a.srt", ASS.encode()),
    ],
    ids=["srt", "bom", "utf-16", "utf-16-be", "cp1252", "crlf", "txt", "vtt", "vtt as srt", "ass", "ass as srt"],
)  # fmt: skip
def test_it_reads_the_usual_files(name, data):
    assert parse(data, name) == BOTH


def test_it_keeps_signs_that_only_look_like_mark_up():
    text = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}Te quiero <3 {risas} 5 > 4\n"
    assert parse(text.encode(), "a.srt") == (Cue(1000, 2000, "Te quiero <3 {risas} 5 > 4"),)
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nPan &amp; manteca &lt;3\n"
    assert parse(vtt.encode(), "a.vtt") == (Cue(1000, 2000, "Pan & manteca <3"),)


GOOD = "1\n00:00:01,000 --> 00:00:02,000\na\n\n"


@pytest.mark.parametrize(
    ("name", "data", "code", "line"),
    [
        ("a.srt", b"", "empty", 0),
        ("a.srt", b"\xef\xbb\xbf \n\n", "empty", 0),
        ("a.srt", b"just words", "syntax", 1),
        ("a.srt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "encoding", 1),
        ("a.srt", f"{GOOD}2\n00:00:03,000 -> 00:00:04,000\nb\n".encode(), "syntax", 6),
        ("a.srt", f"{GOOD}2\n00:00:xx,000 --> 00:00:04,000\nb\n".encode(), "syntax", 6),
        ("a.srt", f"{GOOD}2\n00:00:05,000 --> 00:00:04,000\nb\n".encode(), "times", 6),
        ("a.srt", f"{GOOD}2\n00:00:03,000 --> 00:00:04,000\n{'x' * 501}\n".encode(), "too_long", 6),
        ("a.vtt", b"WEBVTT\n\n00:01.000 -> 00:02.000\na\n", "syntax", 3),
        ("a.ass", ASS.replace("Dialogue: 0,0:00:03", "Dialogue: x,0:00:03").encode(), "syntax", 8),
        ("a.srt", b"a" * (FILE_MAX + 1), "too_large", 0),
    ],
)  # fmt: skip
def test_it_names_what_is_wrong_and_the_line(name, data, code, line):
    with pytest.raises(SubtitlesInvalid) as caught:
        parse(data, name)
    assert (caught.value.code, caught.value.line) == (code, line)


def test_it_refuses_more_cues_than_anybody_reads():
    with pytest.raises(SubtitlesInvalid) as caught:
        validate([Cue(0, 10, "a")] * (CUES_MAX + 1), None)
    assert (caught.value.code, caught.value.detail) == ("too_many", {"max": CUES_MAX})


@given(st.binary(max_size=400), st.sampled_from(["a.srt", "a.vtt", "a.ass"]))
@settings(deadline=None)
def test_it_answers_any_bytes_with_cues_or_a_refusal(data, name):
    prefix = {"a.vtt": b"WEBVTT\n\n", "a.ass": b"[Script Info]\n[Events]\n", "a.srt": b""}[name]
    try:
        cues = parse(prefix + data, name)
    except SubtitlesInvalid:
        return
    assert all(cue.text and 0 <= cue.start_ms < cue.end_ms for cue in cues)


def test_it_orders_trims_and_drops():
    cues = [Cue(900, 5000, " b \n\n c\tc "), Cue(0, 800, "a"), Cue(2000, 3000, "late"), Cue(10, 20, " \n ")]
    assert validate(cues, 1500) == (Cue(0, 800, "a"), Cue(900, 1500, "b\nc c"))


@pytest.mark.parametrize("cue", [Cue(-1, 100, "a"), Cue(100, 100, "a"), Cue(200, 100, "a")])
def test_it_refuses_times_that_make_no_sense(cue):
    with pytest.raises(SubtitlesInvalid) as caught:
        validate([Cue(0, 10, "fine"), cue], 1000)
    assert (caught.value.code, caught.value.line) == ("times", 2)


def test_it_drops_characters_that_do_harm_and_keeps_those_that_join():
    assert clean("a\x00b\x1b[31m\u202ec\ud800") == "ab[31mc"
    assert clean("👩\u200d🍳 à la\u00a0carte") == "👩\u200d🍳 à la carte"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
CUES = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 10**5), TEXTS), max_size=5)


@given(CUES)
@settings(deadline=None)
def test_it_writes_srt_that_reads_back(values):
    made = [Cue(start, start + length, text) for start, length, text in values]
    # A typed arrow between times, a tag or an escape is the format's own: those read back differently.
    plain = [cue for cue in made if not re.search(r"[<>\\{}&]|-->|^\s*\d+\s*$", cue.text, re.MULTILINE)]
    cues = validate(plain, None)
    if cues:
        assert parse(to_srt(cues).encode(), "a.srt") == cues


@given(TEXTS)
@settings(deadline=None)
def test_it_never_lets_a_text_become_an_ass_command(text):
    ass = to_ass(validate([Cue(0, 1000, text)], None), SubtitleStyle(), 1080, 1920)
    for event in pysubs2.SSAFile.from_string(ass, format_="ass"):
        rest = event.text.replace("\\\u2060", "").replace("\\{", "").replace("\\}", "").replace("\\N", "")
        assert not set(rest) & set("{}\\")
    assert ass.count("Dialogue:") == len(re.findall(r"^Dialogue: 0,", ass, re.MULTILINE))


@given(st.text(st.characters(categories=["L", "Nd"], include_characters=" "), max_size=200), st.floats(2, 20))
@settings(deadline=None)
def test_it_wraps_without_losing_a_letter(text, room):
    lines = wrap(text, room)
    assert all(line and text_width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(text.split())


def test_it_balances_two_lines():
    assert wrap("Vení a probar las medialunas", 12) == ["Vení a probar", "las medialunas"]
    assert wrap("corto", 12) == ["corto"]


def test_it_counts_wide_signs_as_wide():
    assert len(wrap("W" * 30, 12)) > len(wrap("i" * 30, 12))
    assert len(wrap("日" * 30, 12)) == 3


def events(cue: Cue, style: SubtitleStyle | None = None) -> list[pysubs2.SSAEvent]:
    return list(pysubs2.SSAFile.from_string(to_ass([cue], style or SubtitleStyle(), 1080, 1920), format_="ass"))


def test_it_shares_a_long_cue_over_its_time():
    shown = events(Cue(0, 9000, "palabra " * 30))
    assert len(shown) > 2
    assert (shown[0].start, shown[-1].end) == (0, 9000)
    assert all(before.end == after.start for before, after in zip(shown, shown[1:], strict=False))
    assert all(event.text.count("\\N") <= 1 for event in shown)
    assert min(event.end - event.start for event in shown) > 700


def test_it_obeys_the_style():
    plain, loud = (events(Cue(0, 900, "Ñandú"), SubtitleStyle(uppercase=upper))[0].text for upper in (False, True))
    assert (plain, loud) == ("Ñandú", "ÑANDÚ")
    narrow = events(Cue(0, 9000, "uno dos tres cuatro cinco seis"), SubtitleStyle(max_line_chars=10))
    assert all(len(line) <= 12 for event in narrow for line in event.text.split("\\N"))
    style = SubtitleStyle(size=100, color="#FF8000", outline_color="#0000FF", box=True, bold=False, position="top")
    made = pysubs2.SSAFile.from_string(to_ass([Cue(0, 1, "a")], style, 540, 960), format_="ass").styles["Default"]
    assert (made.fontname, made.fontsize, made.bold, made.borderstyle, made.alignment) == ("Inter", 50, False, 3, 8)
    assert (made.primarycolor.r, made.primarycolor.g, made.primarycolor.b) == (255, 128, 0)
    assert made.outlinecolor.b == 255


@pytest.mark.parametrize("colour", ["red", "#12", "&H00FF00&", "#GGGGGG", "#000000}{\\fs9"])
def test_it_takes_no_colour_but_six_hex_digits(colour):
    ass = to_ass([Cue(0, 1, "a")], SubtitleStyle(color=colour), 540, 960)
    assert pysubs2.SSAFile.from_string(ass, format_="ass").styles["Default"].primarycolor.g == 255
    assert "fs9" not in ass


@pytest.mark.parametrize(("size", "expected"), [(1, 24), (64, 64), (9999, 140)])
def test_it_bounds_the_size(size, expected):
    ass = to_ass([Cue(0, 1, "a")], SubtitleStyle(size=size), 1080, 1920)
    assert pysubs2.SSAFile.from_string(ass, format_="ass").styles["Default"].fontsize == expected
