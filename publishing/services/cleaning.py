"""Room on a host's disk: what expired goes, what a retry could need stays, and a write first makes sure of its room.

Each host cleans its own disk. The leading scheduler rings every CLEAN_EVERY in the queue of each host; a write that
finds no room does not wait for that.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from publishing.editing.ffmpeg import FfmpegFailed
from publishing.errors import StepFailed
from publishing.models import Job, Leadership, TrackStatus, Video, WorkingAsset, WorkingKind
from publishing.pace import paced
from publishing.queues import ring
from publishing.services.disk import disk_code, idle, scratch_left, shortage, work_folder
from publishing.states import JobKind, VideoStatus

logger = logging.getLogger(__name__)

CLEAN_EVERY = timedelta(minutes=10)
#: A pinned file is kept for so long at a time, and never longer than PIN_LIFE after its last use.
PIN = timedelta(days=1)
PIN_LIFE = timedelta(days=30)
#: What was used just now may be about to be opened.
IN_USE = timedelta(minutes=10)
#: Between the making of a scratch folder and its lock lie milliseconds.
SCRATCH_IDLE = paced(timedelta(seconds=30))
#: A file without a row: between the rename and the row lie milliseconds.
ORPHAN_IDLE_SECONDS = 3600
#: Hosts that worked since then are asked to clean, also when no row says that they keep something.
HOSTS_SEEN = timedelta(days=2)
#: A retry, or the rest of the way, may still need the files of these.
PINNING = frozenset(VideoStatus) - {VideoStatus.POSTED, VideoStatus.CANCELLED, VideoStatus.IN_INBOX}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Write `size` bytes or so below WORK_DIR inside.

    Without room this host is cleaned first; then StepFailed disk_full or disk_quota, as when it fills up meanwhile.
    """
    if shortage(size):
        make_room(size)
    if lack := shortage(size):
        raise lack
    with disk_errors(size):
        yield


@contextmanager
def disk_errors(size: int) -> Iterator[None]:
    """A disk that fills up inside is StepFailed disk_full or disk_quota; this host is cleaned for the retry."""
    try:
        yield
    except (OSError, FfmpegFailed) as error:
        code = disk_code(error)
        if not code:
            raise
        logger.warning("disk_full", extra={"code": code, "size": size})
        make_room(size)
        raise StepFailed(code, {"size": size}, retryable=True) from error


def make_room(size: int) -> None:
    """Clean; then, while `size` bytes do not fit, drop what was used longest ago. What is pinned stays."""
    clean_host()
    if not shortage(size):
        return
    spare = list(_mine().filter(used_at__lt=timezone.now() - IN_USE).order_by("used_at"))
    held = _pinned(spare)
    for kept in spare:
        if kept.pk not in held and shortage(size):
            _remove(kept, Q(used_at=kept.used_at))


def clean_host() -> int:
    """Delete this host's expired working files and what killed workers left; answers how many of both."""
    now = timezone.now()
    expired = list(_mine().filter(expires_at__lte=now))
    held = _pinned(expired)
    _mine().filter(pk__in=held).update(expires_at=now + PIN)
    gone = sum(_remove(kept, Q(expires_at__lte=now)) for kept in expired if kept.pk not in held)
    gone += _remove_left_behind()
    if gone:
        logger.info("host_cleaned", extra={"removed": gone, "pinned": len(held)})
    return gone


def _mine() -> QuerySet[WorkingAsset]:
    return WorkingAsset.objects.filter(host=settings.HOST_NAME)


def _remove(kept: WorkingAsset, unused: Q) -> bool:
    """The row first: whoever has just found the file has changed the row, and it stays."""
    if not WorkingAsset.objects.filter(unused, pk=kept.pk).delete()[0]:
        return False
    kept.file.unlink(missing_ok=True)
    return True


def _remove_left_behind() -> int:
    left = scratch_sweep()
    files = [file for file in work_folder("assets").iterdir() if idle(file, ORPHAN_IDLE_SECONDS)]
    known = set(_mine().values_list("path", flat=True))
    orphans = [file for file in files if str(file) not in known]
    for file in orphans:
        file.unlink(missing_ok=True)
    return left + len(orphans)


def scratch_sweep() -> int:
    """Delete the scratch folders on this host in which nobody works any more; how many there were."""
    left = scratch_left(idle_seconds=SCRATCH_IDLE.total_seconds())
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
        logger.info("scratch_swept", extra={"folder": folder.name})
    return len(left)


def _pinned(kept: Collection[WorkingAsset]) -> set[int]:
    """The keys (pk) of those rows that a retry could need, and that were used within PIN_LIFE."""
    recent = [row for row in kept if row.used_at > timezone.now() - PIN_LIFE]
    needed = {
        WorkingKind.SOURCE: _needed_sources([row.key for row in recent if row.kind == WorkingKind.SOURCE]),
        WorkingKind.AUDIO: _needed_sounds([row.key[:64] for row in recent if row.kind == WorkingKind.AUDIO]),
        WorkingKind.RENDER: _needed_renders([row.key for row in recent if row.kind == WorkingKind.RENDER]),
    }
    return {row.pk for row in recent if row.key[:64] in needed[WorkingKind(row.kind)]}


def _needed_sources(digests: list[str]) -> set[str]:
    videos = Video.objects.filter(status__in=PINNING)
    sources = videos.filter(batch__source__sha256__in=digests).values_list("batch__source__sha256", flat=True)
    edited = videos.filter(edited__sha256__in=digests).values_list("edited__sha256", flat=True)
    return {*sources, *edited}


def _needed_sounds(digests: list[str]) -> set[str]:
    """A finished track needs its sound no more."""
    videos = Video.objects.filter(status__in=PINNING, batch__track__asset__sha256__in=digests)
    unmade = videos.exclude(batch__track__status=TrackStatus.READY)
    return set(unmade.values_list("batch__track__asset__sha256", flat=True))


def _needed_renders(keys: list[str]) -> set[str]:
    jobs = Job.objects.filter(render_key__in=keys, video__status__in=PINNING, video__edited=None)
    return set(jobs.values_list("render_key", flat=True))


def hosts_ring() -> int:
    """Once every CLEAN_EVERY, whoever asks first: ring for each host to clean itself; answers how many were rung.

    Rows of a host that never came back are forgotten; should it come back, its files are orphans there.
    """
    now = timezone.now()
    if not _is_turn(now + CLEAN_EVERY):
        return 0
    WorkingAsset.objects.filter(expires_at__lt=now - PIN_LIFE).delete()
    keeping = WorkingAsset.objects.order_by().values_list("host", flat=True).distinct()
    working = Job.objects.filter(started_at__gt=now - HOSTS_SEEN).order_by().values_list("host", flat=True).distinct()
    hosts = {*keeping, *working}
    return sum(1 for _rung in takewhile(_ask, sorted(hosts - {""})))


def _ask(host: str) -> bool:
    """False when Redis is down: the other bells wait for the next turn, lest the scheduler waits for each of them."""
    return ring(JobKind.EDIT, "run_cleaning", 0, "", host=host)


def _is_turn(until: datetime) -> bool:
    row = Leadership.objects.filter(name="cleaning")
    if row.filter(until__lt=timezone.now()).update(owner=settings.HOST_NAME, until=until):
        return True
    if row.exists():
        return False
    try:
        with transaction.atomic():
            Leadership.objects.create(name="cleaning", owner=settings.HOST_NAME, until=until)
    except IntegrityError:
        return False
    return True
