"""Subtitles of a source: made by an engine, read from a file, corrected by a person."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from publishing.causes import cause_for
from publishing.editing.engines import TranscriptionUnavailable, best_engine
from publishing.editing.ffmpeg import AUDIO_BYTES_PER_SECOND, AUDIO_FORMAT, FfmpegError, extract_audio
from publishing.editing.subtitles import Cue, SubtitlesInvalid, parse_isolated, validate
from publishing.errors import StepFailed, TrackRefused
from publishing.models import Asset, AssetStatus, SubtitleTrack, TrackStatus, WorkingKind
from publishing.queues import ring_after_commit
from publishing.services.files import PASSING, local_copy
from publishing.services.ingest import asset_probe
from publishing.services.working import working_file
from publishing.states import JobKind
from subiteya.lib.tracing import current_trace_id, span

logger = logging.getLogger(__name__)

TRACK_ATTEMPTS = 3
SCRIPT_MAX = 20_000


def track_request(*, asset: Asset, language: str, script: str, user: User) -> SubtitleTrack:
    """Have cues made on the edit queue from the sound and `script` (what is said; may be empty).

    Raises TrackRefused when no engine here can do it, before anything is stored.
    """
    script = script.replace("\x00", "").strip()[:SCRIPT_MAX]
    _require_engine(language, script)
    track = SubtitleTrack.objects.create(
        asset=asset, language=language, script=script, created_by=user, belled_at=timezone.now()
    )
    ring_after_commit(JobKind.EDIT, "run_track", track.pk, current_trace_id())
    return track


def track_from_file(*, asset: Asset, data: bytes, name: str, language: str, user: User) -> SubtitleTrack:
    """Store the cues of an SRT, VTT or ASS file. Raises TrackRefused, naming the line."""
    try:
        cues = parse_isolated(data, name)
    except SubtitlesInvalid as error:
        raise TrackRefused(_subtitle_code(error), {"line": error.line or "?"} | dict(error.detail)) from None
    return _track_ready(asset, cues, language=language, engine="file", user=user)


def track_save_cues(*, track: SubtitleTrack, cues: list[dict[str, Any]], user: User) -> SubtitleTrack:
    """Store a person's corrections; a track that a batch already uses is kept and a new one is made."""
    try:
        parsed = validate(tuple(_cue(item) for item in cues), track.asset.duration_ms or None)
    except SubtitlesInvalid as error:
        raise TrackRefused(_subtitle_code(error), {"line": error.line or "?"} | dict(error.detail)) from None
    if not parsed:
        raise TrackRefused("subtitles_empty")
    if track.batches.exists() or track.videos.exists():
        return _track_ready(
            track.asset,
            parsed,
            language=track.language,
            engine=track.engine,
            user=user,
            script=track.script,
            edited=True,
        )
    SubtitleTrack.objects.filter(pk=track.pk).update(cues=_plain(parsed), edited=True, status=TrackStatus.READY)
    track.refresh_from_db()
    return track


@transaction.atomic
def _track_ready(
    asset: Asset, cues: tuple[Cue, ...], *, language: str, engine: str, user: User, **extra: Any
) -> SubtitleTrack:
    if not cues:
        raise TrackRefused("subtitles_empty")
    return SubtitleTrack.objects.create(
        asset=asset, language=language, engine=engine, status=TrackStatus.READY, cues=_plain(cues), created_by=user,
        **extra,
    )  # fmt: skip


def track_make(pk: int) -> None:
    """The worker's entry: run the engine for track `pk` if nobody has. Safe to run twice.

    Raises StepFailed for what passes (no room, no bucket): the track waits for the next run, a few times.
    """
    track = SubtitleTrack.objects.select_related("asset").filter(pk=pk, status=TrackStatus.PENDING).first()
    if track is None:
        return
    SubtitleTrack.objects.filter(pk=pk).update(attempts=F("attempts") + 1, belled_at=timezone.now())
    if track.attempts >= TRACK_ATTEMPTS:
        _track_fail(track, "subtitles_failed", {})
        return
    try:
        cues, engine = _cues_of(track)
    except StepFailed as failure:
        if failure.code in PASSING and track.attempts + 1 < TRACK_ATTEMPTS:
            raise
        _track_fail(track, failure.code, failure.detail)
        return
    SubtitleTrack.objects.filter(pk=pk, status=TrackStatus.PENDING).update(
        status=TrackStatus.READY, cues=_plain(cues), engine=engine
    )


def _cues_of(track: SubtitleTrack) -> tuple[tuple[Cue, ...], str]:
    asset = asset_probe(asset=track.asset)
    if asset.status == AssetStatus.REFUSED:
        raise StepFailed("source_refused")
    if not asset.probe.get("audio"):
        raise StepFailed("no_audio")
    try:
        engine = best_engine(track.language, bool(track.script))
        with span("speech", attributes={"subiteya.engine": engine.name}):
            sound = _sound(asset)
            cues = engine.cues(sound, language=track.language, script=track.script, duration_ms=asset.duration_ms)
    except TranscriptionUnavailable as error:
        raise StepFailed(error.code) from None
    except FfmpegError:
        logger.exception("subtitles_failed", extra={"track_id": track.pk})
        raise StepFailed("subtitles_failed", retryable=True) from None
    if not cues:
        raise StepFailed("no_speech")
    return cues, engine.name


def _sound(asset: Asset) -> Path:
    """The source's sound on this host: kept, so that a retry or another script needs neither ffmpeg nor the source."""
    return working_file(
        kind=WorkingKind.AUDIO, key=f"{asset.sha256}-{AUDIO_FORMAT}", suffix=".wav",
        room=asset.duration_ms * AUDIO_BYTES_PER_SECOND // 1000,
        make=lambda wav: extract_audio(local_copy(asset), wav),
    )  # fmt: skip


def track_again(track: SubtitleTrack) -> None:
    """Have a track that failed for a passing reason made once more, as if nobody had tried."""
    if cause_for(track.reason_code).retry:
        SubtitleTrack.objects.filter(pk=track.pk, status=TrackStatus.FAILED).update(
            status=TrackStatus.PENDING, attempts=0, reason_code="", reason_detail={}
        )


def _require_engine(language: str, script: str) -> None:
    try:
        best_engine(language, bool(script))
    except TranscriptionUnavailable as error:
        raise TrackRefused(error.code) from None


def _track_fail(track: SubtitleTrack, code: str, detail: dict[str, Any]) -> None:
    SubtitleTrack.objects.filter(pk=track.pk, status=TrackStatus.PENDING).update(
        status=TrackStatus.FAILED, reason_code=code, reason_detail=detail
    )


def track_cues(track: SubtitleTrack) -> tuple[Cue, ...]:
    """The stored cues as the editing library wants them."""
    return tuple(_cue(item) for item in track.cues)


def _cue(item: dict[str, Any]) -> Cue:
    try:
        return Cue(start_ms=int(item["start_ms"]), end_ms=int(item["end_ms"]), text=str(item["text"]))
    except (KeyError, TypeError, ValueError, OverflowError):  # the last for infinity, which JSON of browsers may hold
        raise TrackRefused("subtitles_invalid", {"line": "?"}) from None


def _plain(cues: tuple[Cue, ...]) -> list[dict[str, Any]]:
    return [{"start_ms": cue.start_ms, "end_ms": cue.end_ms, "text": cue.text} for cue in cues]


def _subtitle_code(error: SubtitlesInvalid) -> str:
    return "subtitles_empty" if error.code == "empty" else "subtitles_invalid"
