"""Taking a file in: once per content, streamed to the bucket, checked in a worker."""

from __future__ import annotations

import logging
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from publishing.editing.pictures import picture_of
from publishing.editing.probe import MediaLimits, MediaRefused, probe_isolated
from publishing.editing.sounds import check_sound
from publishing.editing.subtitles import BIDI_CONTROLS
from publishing.errors import IngestRefused, StepFailed
from publishing.models import Asset, AssetKind, AssetStatus
from publishing.queues import ring_after_commit
from publishing.services.checksums import BLOCK
from publishing.services.disk import disk_code, scratch
from publishing.services.files import PASSING, HashingReader, Readable, bucket_put, local_copy, sums_kept
from publishing.services.quotas import arriving
from publishing.states import JobKind
from subiteya.lib.tracing import current_trace_id, span

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv"})
LOGO_MAX = 5_000_000
MUSIC_SUFFIXES = frozenset({".mp3", ".m4a", ".aac", ".wav", ".ogg"})
MUSIC_MAX = 50_000_000
#: Control characters and halves of characters.
UNSHOWN = frozenset({"Cc", "Cs"})
#: A file that takes its checker down this often is refused.
PROBE_ATTEMPTS = 3


def source_ingest(*, stream: Readable, name: str, user: User, declared_size: int | None = None) -> Asset:
    """Stream a video into the bucket and have it checked on the edit queue; identical content is stored once.

    `declared_size` (bytes) is what the sender announced: a shorter body is refused as cut. Raises IngestRefused,
    for want of room in the person's quotas before anything is read.
    """
    if declared_size is not None and declared_size > settings.MAX_FILE_BYTES:
        raise IngestRefused("too_large", {"size": declared_size, "max_bytes": settings.MAX_FILE_BYTES})
    suffix = PurePath(clean_name(name)).suffix.lower()
    with arriving(user=user, kind=AssetKind.SOURCE, size=declared_size or 0) as arrival:
        arrival.reader = HashingReader(stream, limit=settings.MAX_FILE_BYTES)
        key = _store(arrival.reader, folder="source", suffix=suffix if suffix in VIDEO_SUFFIXES else ".bin")
        _refuse_cut(key, arrival.reader, declared_size)
        asset = arrival.asset = _row(kind=AssetKind.SOURCE, key=key, reader=arrival.reader, name=name, user=user)
    if asset.status == AssetStatus.PENDING:
        ring_after_commit(JobKind.EDIT, "run_probe", asset.pk, current_trace_id())
    return asset


def brand_file_ingest(*, stream: Readable, name: str, kind: AssetKind, user: User) -> Asset:
    """Store a logo (PNG, JPEG) or a music file of a brand pattern, once it is known to be one. Raises IngestRefused."""
    with scratch("brand") as folder:
        path = folder / "file"
        reader = _spool(stream, path, limit=LOGO_MAX if kind == AssetKind.LOGO else MUSIC_MAX)
        with arriving(user=user, kind=kind, size=reader.size) as arrival, path.open("rb") as file:
            suffix = _brand_suffix(path, name, kind)
            arrival.reader = HashingReader(file, limit=reader.size)
            key = _store(arrival.reader, folder=str(kind), suffix=suffix)
            arrival.asset = _row(
                kind=kind, key=key, reader=arrival.reader, name=name, user=user, status=AssetStatus.READY
            )
            return arrival.asset


def _spool(stream: Readable, path: Path, *, limit: int) -> HashingReader:
    """To a private file of this host, to be looked at before it is anybody's. Raises IngestRefused."""
    reader = HashingReader(stream, limit=limit)
    with _told_apart(reader), path.open("xb") as sink:
        shutil.copyfileobj(reader, sink, BLOCK)
    if not reader.size:
        raise IngestRefused("empty_file")
    return reader


def _brand_suffix(path: Path, name: str, kind: AssetKind) -> str:
    """What the file is by its contents, as the end of its stored name. Raises IngestRefused."""
    try:
        if kind == AssetKind.LOGO:
            return picture_of(path).suffix
        suffix = PurePath(clean_name(name)).suffix.lower()
        if suffix not in MUSIC_SUFFIXES:
            raise MediaRefused("wrong_kind")
        check_sound(path)
    except MediaRefused as refusal:
        raise IngestRefused(refusal.code, refusal.detail | {"name": clean_name(name)}) from None
    return suffix


def clean_name(name: str) -> str:
    """What a person called a file, to be shown to people: no folders, nothing that databases or lines cannot hold."""
    shown = "".join(char for char in name if unicodedata.category(char) not in UNSHOWN and char not in BIDI_CONTROLS)
    return PurePath(shown.replace("\\", "/")).name[:255]


def _store(reader: HashingReader, *, folder: str, suffix: str) -> str:
    with _told_apart(reader):
        return bucket_put(reader, folder=folder, suffix=suffix)


@contextmanager
def _told_apart(reader: HashingReader) -> Iterator[None]:
    """Too many bytes and no room for them are told to the person. Raises IngestRefused."""
    try:
        yield
    except OverflowError:
        raise IngestRefused("too_large", {"size": reader.size, "max_bytes": reader.limit}) from None
    except OSError as error:
        if code := disk_code(error):
            raise IngestRefused(code, {"size": reader.size}) from error
        raise


def _refuse_cut(key: str, reader: HashingReader, declared_size: int | None) -> None:
    detail: dict[str, Any] = {"received": reader.size, "declared": declared_size}
    code = ""
    if declared_size is not None and reader.size != declared_size:
        code = "size_mismatch"
    elif reader.size == 0:
        code = "empty_file"
    if code:
        default_storage.delete(key)
        raise IngestRefused(code, detail)


def _row(
    *,
    kind: AssetKind,
    key: str,
    reader: HashingReader,
    name: str,
    user: User,
    status: AssetStatus = AssetStatus.PENDING,
) -> Asset:
    """The row of this content: a new one, or the one that is there already (the second copy is deleted).

    A known source whose stored file is gone, or that was refused for a reason that may have passed, is taken anew.
    """
    try:
        with transaction.atomic():
            asset = Asset.objects.create(
                kind=kind, status=status, storage_key=key, original_name=clean_name(name),
                sha256=reader.sha256, xxh3=reader.sums.xxh3, size=reader.size, created_by=user,
                belled_at=timezone.now(),
            )  # fmt: skip
    except IntegrityError:
        asset = Asset.objects.get(kind=kind, sha256=reader.sha256)
        _adopt(asset, key, status)
        sums_kept(asset, reader.sums)
    asset.uploaders.add(user)
    return asset


def _adopt(asset: Asset, key: str, status: AssetStatus) -> None:
    if default_storage.exists(asset.storage_key):
        default_storage.delete(key)
        if asset.status != AssetStatus.REFUSED:
            return
        fields: dict[str, Any] = {}
    else:
        fields = {"storage_key": key}
    fields |= {"status": status, "refused_code": "", "refused_detail": {}, "probe_attempts": 0}
    Asset.objects.filter(pk=asset.pk).update(**fields)
    asset.refresh_from_db()


def asset_probe_by_id(pk: int) -> None:
    """The worker's entry: check file `pk` if it is still unchecked."""
    asset = Asset.objects.filter(pk=pk, status=AssetStatus.PENDING).first()
    if asset:
        asset_probe(asset=asset)


def asset_probe(*, asset: Asset) -> Asset:
    """Read what the file is, and mark it ready or refused. Safe to run twice; the attempt is counted first.

    Raises StepFailed when this host cannot get at the file; no room or no bucket uses no attempt.
    """
    if asset.status != AssetStatus.PENDING:
        return asset
    Asset.objects.filter(pk=asset.pk).update(probe_attempts=F("probe_attempts") + 1, belled_at=timezone.now())
    asset.refresh_from_db()
    if asset.probe_attempts > PROBE_ATTEMPTS:
        return _settle(asset, status=AssetStatus.REFUSED, refused_code="unreadable")
    limits = MediaLimits(max_bytes=settings.MAX_FILE_BYTES, max_duration_ms=settings.MAX_DURATION_SECONDS * 1000)
    try:
        with span("probe", attributes={"subiteya.bytes": asset.size}):
            info = probe_isolated(local_copy(asset), limits=limits)
    except StepFailed as failure:
        if failure.code in PASSING:
            Asset.objects.filter(pk=asset.pk, probe_attempts__gt=0).update(probe_attempts=F("probe_attempts") - 1)
        raise
    except MediaRefused as refusal:
        logger.info("asset_refused", extra={"asset_id": asset.pk, "code": refusal.code})
        return _settle(asset, status=AssetStatus.REFUSED, refused_code=refusal.code, refused_detail=refusal.detail)
    return _settle(asset, status=AssetStatus.READY, probe=info.to_json())


def asset_probe_again(*, asset: Asset) -> Asset:
    """Forget the last verdict and check the file once more."""
    Asset.objects.filter(pk=asset.pk, kind=AssetKind.SOURCE).update(
        status=AssetStatus.PENDING, probe_attempts=0, refused_code="", refused_detail={}
    )
    asset.refresh_from_db()
    ring_after_commit(JobKind.EDIT, "run_probe", asset.pk, current_trace_id())
    return asset


def _settle(asset: Asset, **fields: Any) -> Asset:
    Asset.objects.filter(pk=asset.pk, status=AssetStatus.PENDING).update(**fields)
    asset.refresh_from_db()
    return asset
