"""This host's working folder: private places in it, how much room there is, what a full disk looks like."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from publishing.editing.ffmpeg import FfmpegFailed
from publishing.errors import StepFailed

#: Free space that the disk keeps whatever we do.
DISK_RESERVE = 500_000_000
LOCK = ".lock"
CODES = {errno.ENOSPC: "disk_full", errno.EDQUOT: "disk_quota"}


def work_folder(name: str) -> Path:
    """A private folder of this host's workers; so is the one in which they all lie."""
    root = Path(settings.WORK_DIR)
    # By hand: `parents=True` makes what lies between with whatever mode the umask leaves.
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = root / name
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


@contextmanager
def scratch(label: str) -> Iterator[Path]:
    """A folder for one piece of work, gone afterwards whatever happens.

    It is locked for so long: the kernel frees the lock of a process that was killed, and `scratch_left` sees it.
    """
    folder = work_folder("jobs") / f"{label}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    try:
        with (folder / LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_left(*, idle_seconds: float) -> list[Path]:
    """Scratch folders that nobody works in any more: unlocked, and nothing in them written for so long."""
    folders = [each for each in work_folder("jobs").iterdir() if each.is_dir() and idle(each, idle_seconds)]
    return [folder for folder in folders if _is_unlocked(folder / LOCK)]


def _is_unlocked(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


def idle(path: Path, seconds: float) -> bool:
    """Whether neither `path` nor anything below it was written in the last `seconds`; what goes meanwhile is not."""
    try:
        newest = max(each.lstat().st_mtime for each in [path, *path.rglob("*")])
    except FileNotFoundError:
        return False
    return newest < time.time() - seconds


def used_bytes() -> int:
    """What lies below WORK_DIR, half-written files too."""
    total = 0
    for folder, _folders, names in os.walk(settings.WORK_DIR):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def shortage(size: int) -> StepFailed | None:
    """What a write of `size` bytes now would fail with: disk_full, disk_quota (SUBITEYA_WORK_DIR_MAX_BYTES), None."""
    free = shutil.disk_usage(work_folder("")).free
    if free < size + DISK_RESERVE:
        return StepFailed("disk_full", {"free": free, "size": size}, retryable=True)
    limit = settings.WORK_DIR_MAX_BYTES
    if limit and used_bytes() + size > limit:
        return StepFailed("disk_quota", {"max_bytes": limit, "size": size}, retryable=True)
    return None


def disk_code(error: Exception) -> str:
    """`disk_full` or `disk_quota` when a write failed for want of room, also ffmpeg's; else empty."""
    number = error.errno if isinstance(error, (OSError, FfmpegFailed)) else None
    return CODES.get(number or 0, "")
