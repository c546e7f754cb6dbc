"""Stored files that no row names: whoever wrote them was killed before the row."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from publishing.models import Asset, AssetKind

logger = logging.getLogger(__name__)

#: A file without a row may still be on its way in; nothing that we take travels for a day.
UNNAMED_LIFE = timedelta(days=1)
#: What `bucket_put` makes up; nothing else in the bucket is ours to delete.
_STORED = re.compile(r"[0-9a-f]{32}(\.\w+){0,2}")


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
