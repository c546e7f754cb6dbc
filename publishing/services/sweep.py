"""What a killed process leaves lying about: scratch folders of its runs, stored files that no row names."""

from __future__ import annotations

import logging
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files.storage import default_storage
from django.utils import timezone

from publishing.models import Asset, AssetKind, Job
from publishing.pace import paced
from publishing.services.files import work_folder
from publishing.states import JobStatus

logger = logging.getLogger(__name__)

#: A file without a row may still be on its way in; nothing that we take travels for a day.
UNNAMED_LIFE = timedelta(days=1)
#: A scratch folder is made just after its job was claimed; younger ones are not looked at.
SCRATCH_LIFE = paced(timedelta(seconds=30))
_SCRATCH = re.compile(r"(\d+)-[0-9a-f]{8}")
#: What `bucket_put` makes up; nothing else in the bucket is ours to delete.
_STORED = re.compile(r"[0-9a-f]{32}(\.\w+)?")


def scratch_sweep() -> int:
    """Delete the scratch folders on this host whose job nobody works on; how many there were."""
    old = timezone.now() - SCRATCH_LIFE
    folders = {
        folder: int(match[1])
        for folder in work_folder("jobs").iterdir()
        if (match := _SCRATCH.fullmatch(folder.name)) and _changed_at(folder) < old
    }
    # Whatever its lease says: a worker that was only slow goes on, and a dead one's job is soon taken over.
    at_work = Job.objects.filter(pk__in=folders.values(), status=JobStatus.RUNNING)
    busy = set(at_work.values_list("pk", flat=True))
    left = [folder for folder, job in folders.items() if job not in busy]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
        logger.info("scratch_swept", extra={"folder": folder.name})
    return len(left)


def _changed_at(folder: Path) -> datetime:
    """When it was last written to; a folder that goes away meanwhile is as young as can be."""
    try:
        return datetime.fromtimestamp(folder.stat().st_mtime, tz=timezone.get_default_timezone())
    except FileNotFoundError:
        return timezone.now()


def bucket_sweep(*, now: datetime | None = None) -> int:
    """Delete stored files older than a day that no row names: their writer died. How many there were."""
    old = (now or timezone.now()) - UNNAMED_LIFE
    swept = 0
    for kind in AssetKind.values:
        names = [name for name in _files(kind) if _STORED.fullmatch(name)]
        keys = [f"{kind}/{name}" for name in names]
        named = set(Asset.objects.filter(storage_key__startswith=f"{kind}/").values_list("storage_key", flat=True))
        for key in sorted(set(keys) - named):
            if default_storage.get_modified_time(key) < old:
                default_storage.delete(key)
                logger.info("stored_file_swept", extra={"key": key})
                swept += 1
    return swept


def _files(folder: str) -> list[str]:
    """Names in a folder of the bucket; a folder that was never written to has none."""
    try:
        _folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return list(files)
