"""The edit of one video: source, subtitles, one render, and on to the upload."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from publishing.editing.ffmpeg import FfmpegError, FfmpegTimeout, ffmpeg_version, render
from publishing.editing.probe import MediaInfo, MediaRefused, probe_ahead
from publishing.editing.spec import EditSpec
from publishing.editing.subtitles import Cue
from publishing.errors import StepFailed
from publishing.models import Asset, AssetKind, AssetStatus, Job, Render, Video, WorkingKind
from publishing.pace import paced
from publishing.services.brands import brand_of
from publishing.services.checksums import sums_of
from publishing.services.cleaning import disk_errors
from publishing.services.disk import disk_code
from publishing.services.files import HashingReader, bucket_is_local, bucket_put, bucket_step, local_copy, sums_kept
from publishing.services.ingest import asset_probe
from publishing.services.jobs import LEASE, Claim, job_create, job_finish, job_progress, job_ring, job_write
from publishing.services.moves import is_due, is_missed, video_move
from publishing.services.tracks import track_cues, track_make
from publishing.services.working import working_drop, working_file, working_find, working_stored
from publishing.states import JobKind, JobStatus, SubtitleChoice, VideoStatus
from subiteya.lib.crashing import crash_point
from subiteya.lib.tracing import span

SHARED_LOOK = paced(timedelta(seconds=5))
#: Shares of the progress bar.
RENDER_FROM, RENDER_TO = 0.05, 0.95


def edit_run(claim: Claim) -> None:
    """Do the edit of the claimed job. Every finished step is found again by a later run.

    The source is fetched only when there is something to render: an edit that is done needs no file at all.
    """
    video = claim.job.video
    if video.status != VideoStatus.EDITING:
        video_move(video=video, to=VideoStatus.EDITING)
    if video.batch.source.status == AssetStatus.PENDING:
        job_progress(claim, 0.0, step="source", now=time.monotonic)
    with span("source", minor=True):
        source = _source_ready(video)
    crash_point("edit_source_ready")
    spec = _spec(claim, source)
    key = spec.key(source.sha256, ffmpeg_version())
    asset = _rendered(key) or _render_once(claim, source, spec, key)
    if asset is not None:
        edit_finish(claim, asset, key)
        crash_point("edit_finished")


def _source_ready(video: Video) -> Asset:
    source = asset_probe(asset=video.batch.source)
    if source.status == AssetStatus.REFUSED:
        raise StepFailed(source.refused_code, source.refused_detail)
    return source


def _spec(claim: Claim, source: Asset) -> EditSpec:
    """The edit, with names in the place of the files that it reads and writes."""
    video = claim.job.video
    cues: tuple[Cue, ...] = ()
    if video.subtitle_variant != SubtitleChoice.NONE:
        job_progress(claim, 0.01, step="subtitles", now=time.monotonic)
        track = video.subtitles
        assert track is not None, "the database refuses subtitles without a track"
        with span("subtitles", minor=True):
            track_make(track.pk)
        track.refresh_from_db()
        if track.reason_code:
            raise StepFailed(track.reason_code, track.reason_detail)
        cues = track_cues(track)
    return EditSpec(
        source=MediaInfo.from_json(source.probe),
        source_path=Path("source"),
        output_path=Path("edited.mp4"),
        brand=brand_of(video.account),
        cues=cues,
    )


def _rendered(key: str) -> Asset | None:
    """The result of this very edit, if somebody made it and the bucket still has it."""
    done = Render.objects.select_related("asset").filter(pk=key, asset__isnull=False).first()
    if done is None or done.asset is None:
        return None
    with bucket_step():
        if default_storage.exists(done.asset.storage_key):
            return done.asset
    Render.objects.filter(pk=key, asset=done.asset).update(asset=None, lease_until=timezone.now())
    return None


def _render_once(claim: Claim, source: Asset, spec: EditSpec, key: str) -> Asset | None:
    """Render, unless another job is rendering the same edit: then wait for its result (None)."""
    job_write(claim, render_key=key, step="source")
    if working_find(kind=WorkingKind.RENDER, key=key) is None:
        # Before the claim on the render, which nothing renews while a large file arrives.
        spec = replace(spec, source_path=local_copy(source))
    if not _render_claim(key, claim.job):
        look_at = timezone.now() + SHARED_LOOK
        job_finish(claim, to=JobStatus.WAITING, video_to=None, code="render_shared", job_fields={"run_at": look_at})
        return None
    crash_point("edit_render_claimed")
    try:
        asset = _render(claim, spec, key)
    except BaseException:
        Render.objects.filter(pk=key, job=claim.job, asset=None).update(lease_until=timezone.now())
        raise
    Render.objects.filter(pk=key).update(asset=asset)
    crash_point("edit_asset_written")
    working_stored(key=key, is_local=bucket_is_local())
    _wake_sharers(key)
    return asset


def _render_claim(key: str, job: Job) -> bool:
    now = timezone.now()
    try:
        with transaction.atomic():
            Render.objects.create(key=key, job=job, lease_until=now + LEASE)
    except IntegrityError:
        free = Render.objects.filter(pk=key, asset=None, lease_until__lte=now)
        mine = Render.objects.filter(pk=key, asset=None, job=job)
        return bool((free | mine).update(job=job, lease_until=now + LEASE))
    return True


def _render(claim: Claim, spec: EditSpec, key: str) -> Asset:
    """Render and store. The file is kept in between: when only the storing fails, only that is done again."""
    room = spec.source.size if spec.is_noop else spec.target_bytes
    make = partial(_encode, claim, spec, key)
    with probe_ahead() as probed:  # ffmpeg begins on one core: the prober gets ready on another
        path = working_file(kind=WorkingKind.RENDER, key=key, suffix=".mp4", room=room, make=make)
        crash_point("edit_rendered")
        info = _checked(probed, path, key)
    with span("store", attributes={"subiteya.bytes": info.size}):
        return _store(path, info, name=f"{key[:12]}.mp4")


def _checked(probed: Callable[[Path], MediaInfo], path: Path, key: str) -> MediaInfo:
    """Is what came out a video? Else it is not kept."""
    try:
        with span("probe"):
            return probed(path)
    except MediaRefused as error:
        working_drop(kind=WorkingKind.RENDER, key=key)
        raise StepFailed("edit_invalid", {"why": error.code}) from error


def _encode(claim: Claim, spec: EditSpec, key: str, output: Path) -> None:
    try:
        with span("render", attributes={"subiteya.bytes_target": spec.target_bytes, "subiteya.is_noop": spec.is_noop}):
            render(spec.at(output), on_progress=_show(claim, key))
    except FfmpegTimeout as error:
        raise StepFailed("edit_timeout", {"why": str(error)}, retryable=True) from error
    except FfmpegError as error:
        if disk_code(error):
            raise
        raise StepFailed("edit_failed", {"why": str(error)[-500:]}, retryable=True) from error


def _show(claim: Claim, key: str) -> Callable[[float], None]:
    job_progress(claim, RENDER_FROM, step="render", now=time.monotonic)
    renewed = time.monotonic()

    def show(share: float) -> None:
        nonlocal renewed
        if time.monotonic() - renewed > LEASE.total_seconds() / 4:
            renewed = time.monotonic()
            Render.objects.filter(pk=key, job=claim.job).update(lease_until=timezone.now() + LEASE)
        job_progress(claim, RENDER_FROM + share * (RENDER_TO - RENDER_FROM), now=time.monotonic)

    return show


def _store(output: Path, info: MediaInfo, *, name: str) -> Asset:
    """Put the edited file into the bucket; the same bytes are stored once."""
    sums = sums_of(output)
    known = Asset.objects.filter(kind=AssetKind.EDITED, sha256=sums.sha256).first()
    with bucket_step(), disk_errors(info.size), output.open("rb") as file:
        if known and default_storage.exists(known.storage_key):
            sums_kept(known, sums)
            return known
        storage_key = bucket_put(HashingReader(file, limit=info.size), folder="edited", suffix=".mp4")
    crash_point("edit_stored")
    asset, _created = Asset.objects.update_or_create(
        kind=AssetKind.EDITED,
        sha256=sums.sha256,
        defaults={
            "storage_key": storage_key, "size": info.size, "probe": info.to_json(), "status": AssetStatus.READY,
            "original_name": name, "xxh3": sums.xxh3,
        },
    )  # fmt: skip
    return asset


def _wake_sharers(key: str) -> None:
    sharers = Job.objects.filter(render_key=key, kind=JobKind.EDIT, status=JobStatus.WAITING)
    for job in sharers.select_related("video"):
        Job.objects.filter(pk=job.pk, status=JobStatus.WAITING).update(run_at=timezone.now())
        job_ring(job)


@transaction.atomic
def edit_finish(claim: Claim, asset: Asset, key: str) -> None:
    """Record the edited file and send the video on: to its upload, or to its hour."""
    video = claim.job.video
    finish: dict[str, Any] = {"edited": asset}
    done: dict[str, Any] = {"progress": 1.0, "render_key": key}
    if is_missed(video):
        detail = {"due": video.scheduled_at.isoformat()} if video.scheduled_at else {}
        job_finish(claim, to=JobStatus.SUCCEEDED, video_to=None, job_fields=done)
        video_move(video=video, to=VideoStatus.MISSED, code="missed", detail=detail, **finish)
    elif is_due(video):
        job_finish(claim, to=JobStatus.SUCCEEDED, video_to=VideoStatus.EDITED, job_fields=done, **finish)
        job_create(video=video, kind=JobKind.UPLOAD)
    else:
        job_finish(claim, to=JobStatus.SUCCEEDED, video_to=VideoStatus.SCHEDULED, job_fields=done, **finish)
