"""Between the bucket and this host's disk: streaming in, streaming out, never a whole file in memory."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from publishing.errors import StepFailed
from publishing.models import Asset, AssetCopy

BLOCK = 1 << 20
COPY_LIFE = timedelta(days=3)
#: Free space that the disk keeps whatever we do.
DISK_RESERVE = 500_000_000


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class HashingReader(io.RawIOBase):
    """Reads through to `source`, counting and hashing what passes; stops with OverflowError after `limit` bytes."""

    def __init__(self, source: Readable, *, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(BLOCK if size is None or size < 0 else size)
        self.size += len(data)
        if self.size > self._limit:
            raise OverflowError(self.size)
        self._hash.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class StreamFile(File):  # type: ignore[type-arg]
    """A Django file over a stream that can be read once, block by block."""

    def __init__(self, stream: HashingReader, name: str) -> None:
        super().__init__(stream, name)  # type: ignore[arg-type]
        self.stream = stream

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while data := self.stream.read(chunk_size or BLOCK):
            yield data

    def seekable(self) -> bool:
        return False


def bucket_put(reader: HashingReader, *, folder: str, suffix: str) -> str:
    """Stream `reader` into the bucket under a generated name; return the storage key. Leaves no half file."""
    key = f"{folder}/{uuid.uuid4().hex}{suffix}"
    try:
        return default_storage.save(key, StreamFile(reader, key))
    except BaseException:
        default_storage.delete(key)
        raise


def bucket_open(asset: Asset) -> IO[bytes]:
    """Open the stored file; StepFailed `source_missing` when the bucket does not have it."""
    try:
        opened: IO[bytes] = default_storage.open(asset.storage_key, "rb")
    except FileNotFoundError:
        raise StepFailed("source_missing", {"key": asset.storage_key}) from None
    return opened


def local_copy(asset: Asset) -> Path:
    """A path on this host with the asset's bytes: the bucket's own file when it is local, else a kept download.

    A kept download is an `AssetCopy` row; a second call finds it and touches no bucket.
    """
    try:
        path = Path(default_storage.path(asset.storage_key))
    except NotImplementedError:
        return _kept_copy(asset)
    if not path.exists():
        raise StepFailed("source_missing", {"key": asset.storage_key})
    return path


def _kept_copy(asset: Asset) -> Path:
    copy = AssetCopy.objects.filter(asset=asset, host=settings.HOST_NAME).first()
    if copy and Path(copy.path).exists() and Path(copy.path).stat().st_size == asset.size:
        AssetCopy.objects.filter(pk=copy.pk).update(expires_at=timezone.now() + COPY_LIFE)
        return Path(copy.path)
    target = work_folder("assets") / f"{asset.sha256}{Path(asset.storage_key).suffix}"
    _download(asset, target)
    AssetCopy.objects.update_or_create(
        asset=asset,
        host=settings.HOST_NAME,
        defaults={"path": str(target), "size": asset.size, "expires_at": timezone.now() + COPY_LIFE},
    )
    return target


def _download(asset: Asset, target: Path) -> None:
    require_space(asset.size, target.parent)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        with bucket_open(asset) as source, part.open("wb") as sink:
            reader = HashingReader(source, limit=asset.size)
            shutil.copyfileobj(reader, sink, BLOCK)
            sink.flush()
            os.fsync(sink.fileno())
        if reader.sha256 != asset.sha256:
            raise StepFailed("source_missing", {"key": asset.storage_key, "why": "sha256"}, retryable=True)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def work_folder(name: str) -> Path:
    """A private folder of this host's workers."""
    folder = Path(settings.WORK_DIR) / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextmanager
def scratch(job_pk: int) -> Iterator[Path]:
    """A folder for one run of a job, gone afterwards whatever happens."""
    folder = work_folder("jobs") / f"{job_pk}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_space(size: int, folder: Path) -> None:
    """Raise StepFailed `disk_full` before a write that would fill the disk."""
    free = shutil.disk_usage(folder).free
    if free < size + DISK_RESERVE:
        raise StepFailed("disk_full", {"free": free, "size": size}, retryable=True)


def sha256_of(path: Path) -> str:
    """The hash of a local file, read block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
