"""Whatever strangers send, a parser answers with its value or with the one error that it declares. Nothing hangs."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import tempfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management.base import CommandError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.management.commands.account_import import _document
from insights.statistics.sheets import SheetInvalid, strata_read
from publishing.editing.containers import MediaRefused, layout_of
from publishing.editing.pictures import picture_of
from publishing.editing.probe import probe_isolated
from publishing.editing.structure import claims_of
from publishing.editing.subtitles import Cue, SubtitlesInvalid, parse, parse_isolated, to_ass, to_srt, validate
from publishing.editing.subtitles import SubtitleStyle as Style
from publishing.errors import TrackRefused
from publishing.services.ingest import clean_name
from publishing.services.tracks import _cue
from publishing.views.media import byte_range
from subiteya.tiktok import WebhookInvalid, parse_webhook, verify_webhook
from subiteya.tiktok.sandbox.errors import UploadRefused
from subiteya.tiktok.sandbox.rules import Plan
from subiteya.tiktok.sandbox.transfer import part_of
from tests.publishing.editing.bombs import BOMBS, PICTURES, jpeg, movie, png, track

modest = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
#: JSON as Python writes it: with infinities, halves of characters and numbers of any length.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
DEEP = b"[" * 100_000
HUGE = b"9" * 5_000


def in_file(data: bytes, look) -> None:
    """Look at `data` as a file: a value or a refusal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        path.write_bytes(data)
        try:
            look(path)
        except MediaRefused as refusal:
            assert refusal.code


def mutated(data: bytes, seed: int) -> bytes:
    """Bytes changed, cut out, doubled or cut off, as `seed` says."""
    dice, changed = random.Random(seed), bytearray(data)
    for _each in range(dice.randrange(1, 12)):
        at = dice.randrange(len(changed)) if changed else 0
        deed = dice.randrange(4)
        if deed == 0 and changed:
            changed[at] = dice.randrange(256)
        elif deed == 1:
            del changed[at : at + dice.randrange(1, 30)]
        elif deed == 2:
            changed[at:at] = changed[at : at + dice.randrange(1, 30)]
        else:
            changed[at : at + 4] = dice.choice([b"\xff" * 4, b"\x00" * 4, b"\x00\x00\x00\x01"])
    return bytes(changed)


STARTS = st.sampled_from([b"", b"\x00\x00\x00\x18ftypisom", b"\x1a\x45\xdf\xa3", b"\x00\x00\x00\x08moov", b"#EXTM3U"])


@modest
@given(STARTS, st.binary(max_size=4000))
def test_it_sniffs_any_bytes(start, rest):
    in_file(start + rest, layout_of)
    in_file(start + rest, claims_of)
    in_file(start + rest, picture_of)


@modest
@given(st.sampled_from([movie(track()), movie(track(), track(width=9)), png(5, 6), jpeg(7, 8)]), st.integers())
def test_it_sniffs_files_that_were_nearly_right(data, seed):
    for look in (layout_of, claims_of, picture_of):
        in_file(mutated(data, seed), look)


@settings(modest, max_examples=8)
@given(st.sampled_from([movie(track()), movie(track(), track(width=9))]), st.integers())
def test_it_probes_files_that_were_nearly_right(data, seed):
    in_file(mutated(data, seed), lambda path: probe_isolated(path, timeout=30))


def test_it_has_bombs_to_choose_from():
    assert len(BOMBS) >= 40
    assert len(PICTURES) >= 10


SRT = "1\n00:00:01,000 --> 00:00:02,500\nMañana, <i>medialunas</i>\n\n"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.500 align:start\n<v Ana>hola &amp; chau</v>\n\n"
ASS = (
    "[Script Info]\nScriptType: v4.00+\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\pos(1,2)}hola\n"
)


def read_subtitles(data: bytes, name: str) -> None:
    try:
        cues = parse(data, name)
    except SubtitlesInvalid as refused:
        assert refused.code
        return
    assert to_ass(cues, Style(), 1080, 1920)
    assert isinstance(to_srt(cues), str)


@modest
@given(st.sampled_from([SRT, VTT, ASS]), st.integers(), st.sampled_from(["a.srt", "a.vtt", "a.ass", "a"]))
def test_it_reads_subtitles_that_were_nearly_right(text, seed, name):
    read_subtitles(mutated(text.encode(), seed), name)


@modest
@given(st.binary(max_size=500), st.sampled_from(["a.srt", "a.vtt", "a.ass", "../a", "\x00"]))
@example(b"WEBVTT\n\n99:99:99.999 --> 999:59:59.999\nx\n", "a.vtt")
def test_it_reads_any_bytes_as_subtitles(data, name):
    read_subtitles(data, name)


@pytest.mark.parametrize("sign", ["<", "{", "{\\p", "&", "<c."])
def test_it_gives_up_on_subtitles_that_take_for_ever(sign):
    body = (sign * 1_000_000)[:1_900_000]
    with pytest.raises(SubtitlesInvalid):
        parse_isolated(f"1\n00:00:01,000 --> 00:00:02,000\n{body}\n".encode(), "a.srt", timeout=15)


@modest
@given(VALUES)
@example({"start_ms": float("inf"), "end_ms": 1, "text": ""})
@example({"start_ms": "9" * 5000, "end_ms": 1, "text": ""})
def test_it_takes_cues_of_any_shape(value):
    try:
        cue = _cue(value if isinstance(value, dict) else {"start_ms": value, "end_ms": value, "text": value})
        validate([cue, Cue(0, 1, str(value))], 1000)
    except (TrackRefused, SubtitlesInvalid) as refused:
        assert refused.code


@modest
@given(st.text(max_size=300))
def test_it_shows_any_name(name):
    shown = clean_name(name)
    assert len(shown) <= 255
    assert not set(shown) & set("/\\\x00\r\n\u202e")
    shown.encode()


@modest
@given(st.text(max_size=60) | st.from_regex(r"bytes=\d{0,25}-\d{0,25}(,\d*-\d*)?", fullmatch=True),
       st.integers(1, 2**60))  # fmt: skip
def test_it_reads_any_range(header, size):
    bounds = byte_range(header, size)
    assert bounds is None or 0 <= bounds[0] <= bounds[1] < size


RANGES = st.text(max_size=60) | st.from_regex(r"bytes \d{0,15}-\d{0,15}/\d{0,15}", fullmatch=True)


@modest
@given(RANGES, st.text(max_size=20), st.sampled_from(["video/mp4", "video/mp4; a=b", "", "text/html"]))
@example("bytes 0-9999999/10000000", "10000000", "video/mp4")
def test_it_takes_only_parts_that_fit(content_range, content_length, content_type):
    publish = SimpleNamespace(plan=Plan(10_000_000, 10_000_000, 1), is_open=True, uploaded_bytes=0)
    try:
        part = part_of(publish, content_type=content_type, content_length=content_length, content_range=content_range)
    except UploadRefused:
        return
    assert (part.first, part.last, part.length) == (0, 9_999_999, 10_000_000)


@modest
@given(st.text(max_size=200) | st.from_regex(r"t=\d{0,15},s=[0-9a-f]{0,70}", fullmatch=True), st.binary(max_size=200))
def test_it_believes_no_signature_but_its_own(header, body):
    with pytest.raises(WebhookInvalid):
        verify_webhook(header, body, secrets=["secret"], now=1_800_000_000)
    mac = hmac.new(b"secret", b"1800000000." + body, hashlib.sha256).hexdigest()
    verify_webhook(f"t=1800000000,s={mac}", body, secrets=["secret"], now=1_800_000_000)


def hear(body: bytes) -> None:
    try:
        parse_webhook(body)
    except WebhookInvalid as refused:
        assert refused.code == "unreadable"


@modest
@given(VALUES, st.binary(max_size=200))
@example({"event": "x", "create_time": float("inf"), "content": "{}"}, DEEP)
@example({"event": "x", "content": "[" * 100_000}, HUGE)
def test_it_hears_webhooks_of_any_shape(value, data):
    hear(data)
    hear(json.dumps(value).encode())
    hear(json.dumps({"event": "post.publish.complete", "content": json.dumps(value), "create_time": value}).encode())


@modest
@given(st.binary(max_size=400), st.text(max_size=100))
@example(b"\xff", 'a,"b\n')
def test_it_reads_any_strata(data, text):
    for body in (data, f"stratum,arm,successes,failures\n{text}\n".encode(errors="replace")):
        try:
            strata_read(body)
        except SheetInvalid as refused:
            assert refused.code


@modest
@given(st.binary(max_size=200))
@example(DEEP)
@example(HUGE)
@example(b'{"a": "\\ud800"}')
def test_it_reads_any_accounts_file(data):
    try:
        _document(BytesIO(data))
    except CommandError as refused:
        assert str(refused)
