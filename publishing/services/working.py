"""Working files: made once on a host, believed only after a look, found again by a retry there.

Kept are the copy of a stored file, the sound taken out of it, and an edited video until it is stored. Cues are kept
by their track's row in the database: every host has them, and the ASS text made of them costs nothing. A render that
was cut is not kept: an MP4 without its index cannot be gone on with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from publishing.models import Video, WorkingAsset, WorkingKind
from publishing.services.checksums import digest_of, quickest, sums_of
from publishing.services.cleaning import room_for
from publishing.services.disk import scratch, work_folder
from subiteya.lib.durable import rename_durably

logger = logging.getLogger(__name__)

#: How long a file is kept after its last use, when no retry could need it.
LIFE = {
    WorkingKind.SOURCE: timedelta(days=3),
    WorkingKind.AUDIO: timedelta(days=1),
    WorkingKind.RENDER: timedelta(days=3),
}
#: Players ask for one file many times: its use is written once in so long.
USED_AGAIN = timedelta(minutes=1)


def working_file(
    *, kind: WorkingKind, key: str, suffix: str, room: int, make: Callable[[Path], object], verify: bool = True
) -> Path:
    """The kept file, else what `make(path)` writes now, about `room` bytes of it.

    It is written in a scratch folder, synced and renamed: whoever is killed meanwhile leaves no file under this name.
    Raises what `make` raises, and StepFailed disk_full or disk_quota.
    """
    found = working_find(kind=kind, key=key, verify=verify)
    if found:
        return found
    with room_for(room), scratch(kind) as folder:
        part = folder / f"{key[:16]}{suffix}"
        make(part)
        target = work_folder("assets") / f"{kind}-{key[:16]}-{folder.name[-8:]}{suffix}"
        return _keep(kind, key, part, target)


def _keep(kind: WorkingKind, key: str, part: Path, target: Path) -> Path:
    sums = sums_of(part)
    fields = {"path": str(target), "sha256": sums.sha256, "xxh3": sums.xxh3, "size": part.stat().st_size}
    rename_durably(part, target)
    now = timezone.now()
    kept, is_ours = WorkingAsset.objects.get_or_create(
        kind=kind, key=key, host=settings.HOST_NAME, defaults=fields | {"used_at": now, "expires_at": now + LIFE[kind]}
    )
    if not is_ours:  # another worker of this host made the same meanwhile
        target.unlink()
    return kept.file


def working_find(*, kind: WorkingKind, key: str, verify: bool = True) -> Path | None:
    """This host's kept file. One that is gone or of another size or content is dropped, and None is the answer.

    Without `verify` the content is not hashed: for what is only shown.
    """
    kept = _here(kind, key).first()
    if kept is None:
        return None
    if not _is_sound(kept, verify):
        logger.warning("working_file_dropped", extra={"kind": kind, "key": key, "path": kept.path})
        working_drop(kind=kind, key=key)
        return None
    now = timezone.now()
    if now - USED_AGAIN < kept.used_at and now < kept.expires_at:
        return kept.file
    is_there = _here(kind, key).filter(pk=kept.pk).update(used_at=now, expires_at=now + LIFE[kind])
    return kept.file if is_there else None  # else the cleaning was faster


def _here(kind: WorkingKind, key: str) -> QuerySet[WorkingAsset]:
    return WorkingAsset.objects.filter(kind=kind, key=key, host=settings.HOST_NAME)


def _is_sound(kept: WorkingAsset, verify: bool) -> bool:
    begin, wanted = quickest(sha256=kept.sha256, xxh3=kept.xxh3)
    try:
        return kept.file.stat().st_size == kept.size and (not verify or digest_of(kept.file, begin) == wanted)
    except OSError:  # gone, or the disk cannot read it
        return False


def working_drop(*, kind: WorkingKind, key: str) -> None:
    """Forget and delete this host's file."""
    for kept in _here(kind, key):
        kept.delete()
        kept.file.unlink(missing_ok=True)


def working_stored(*, key: str, is_local: bool) -> None:
    """The bucket has this host's render `key` now: it becomes the copy that the upload reads, or goes (`is_local`)."""
    kept = _here(WorkingKind.RENDER, key).first()
    if kept is None:
        return
    try:
        if not is_local:
            with transaction.atomic():
                _here(WorkingKind.RENDER, key).update(kind=WorkingKind.SOURCE, key=kept.sha256)
    except IntegrityError:
        logger.debug("render_copied_already", extra={"key": key})
    working_drop(kind=WorkingKind.RENDER, key=key)


def preferred_host(video: Video) -> str:
    """The host on which an edit of `video` has least to do again; empty when none keeps anything for it."""
    kept = WorkingAsset.objects.kept_for(video).first()
    return kept.host if kept else ""
