"""Subtitles: from a script, from a file, corrected by a person."""

from __future__ import annotations

import pytest

from publishing.errors import TrackRefused
from publishing.models import SubtitleTrack, TrackStatus
from publishing.services.ingest import asset_probe
from publishing.services.tracks import track_from_file, track_make, track_request, track_save_cues
from publishing.states import SubtitleChoice, VideoStatus
from tests.publishing.conftest import make_clip, reload

pytestmark = pytest.mark.django_db

SRT = "1\n00:00:00,000 --> 00:00:00,600\nMañana\n\n2\n00:00:00,600 --> 00:00:00,900\n{\\an8}café\n".encode()


@pytest.fixture
def source(clip, ingest):
    return asset_probe(asset=ingest(clip))


def test_it_reads_a_subtitle_file(cm, source):
    track = track_from_file(asset=source, data=SRT, name="a.srt", language="es", user=cm)
    assert [cue["text"] for cue in track.cues] == ["Mañana", "café"]
    assert track.status == TrackStatus.READY


@pytest.mark.parametrize("data", [b"", b"no subtitles here", b"1\n00:00:aa --> 00:01\nx\n"])
def test_it_refuses_what_is_no_subtitle_file(cm, source, data):
    with pytest.raises(TrackRefused) as refused:
        track_from_file(asset=source, data=data, name="a.srt", language="es", user=cm)
    assert str(refused.value)
    assert not SubtitleTrack.objects.exists()


def test_it_lays_a_script_over_the_sound(cm, source):
    track = track_request(asset=source, language="es", script="Hola, mañana hay medialunas.", user=cm)
    assert track.status == TrackStatus.PENDING
    track_make(track.pk)
    track.refresh_from_db()
    assert track.status == TrackStatus.READY
    assert " ".join(cue["text"] for cue in track.cues) == "Hola, mañana hay medialunas."
    assert track.cues[-1]["end_ms"] <= source.duration_ms


def test_it_says_before_the_work_that_spanish_needs_a_script_here(cm, source):
    with pytest.raises(TrackRefused) as refused:
        track_request(asset=source, language="es", script="  ", user=cm)
    assert refused.value.code == "script_required"


def test_it_fails_a_track_of_a_silent_file_with_a_cause(cm, ingest, tmp_path):
    silent = asset_probe(asset=ingest(make_clip(tmp_path / "silent.mp4", extra=("-an",))))
    track = track_request(asset=silent, language="es", script="Hola", user=cm)
    track_make(track.pk)
    track.refresh_from_db()
    assert (track.status, track.reason_code) == (TrackStatus.FAILED, "no_audio")


def test_it_stores_a_persons_corrections(cm, source):
    track = track_from_file(asset=source, data=SRT, name="a.srt", language="es", user=cm)
    saved = track_save_cues(track=track, cues=[{"start_ms": 0, "end_ms": 500, "text": "Otra cosa"}], user=cm)
    assert saved.pk == track.pk
    assert (saved.cues[0]["text"], saved.edited) == ("Otra cosa", True)


def test_it_never_changes_the_cues_of_a_batch_that_was_submitted(cm, source, connect, submit):
    track = track_from_file(asset=source, data=SRT, name="a.srt", language="es", user=cm)
    submit(connect(), source=source, subtitles=SubtitleChoice.FILE, track=track)
    saved = track_save_cues(track=track, cues=[{"start_ms": 0, "end_ms": 500, "text": "Otra"}], user=cm)
    track.refresh_from_db()
    assert saved.pk != track.pk
    assert track.cues[0]["text"] == "Mañana"


@pytest.mark.parametrize("cue", [{"start_ms": 5, "end_ms": 1, "text": "x"}, {"start_ms": 0}, {"text": None}, "no"])
def test_it_refuses_cues_that_make_no_sense(cm, source, cue):
    track = track_from_file(asset=source, data=SRT, name="a.srt", language="es", user=cm)
    with pytest.raises(TrackRefused):
        track_save_cues(track=track, cues=[cue], user=cm)


def test_it_burns_the_cues_into_the_video(cm, source, connect, submit, work):
    track = track_request(asset=source, language="es", script="Hola", user=cm)
    plain = submit(connect("a1"), source=source)
    burned = submit(connect("b1"), source=source, subtitles=SubtitleChoice.AUTO, track=track)
    work()
    one, two = reload(plain.videos.get()), reload(burned.videos.get())
    assert {one.status, two.status} == {VideoStatus.POSTED}
    assert one.edited.sha256 != two.edited.sha256
    assert two.subtitle_variant == SubtitleChoice.AUTO
