"""Between the bucket and this host's disk: streaming in, streaming out, never a whole file in memory."""

from __future__ import annotations

import io
import logging
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePath
from typing import IO, Any, Protocol

from django.core.files.base import File
from django.core.files.storage import default_storage

from publishing.errors import StepFailed
from publishing.models import Asset, WorkingKind
from publishing.services.checksums import BLOCK, Sums
from publishing.services.working import working_file
from subiteya.lib.durable import rename_durably
from subiteya.lib.tracing import span

logger = logging.getLogger(__name__)

#: Failures of this host or of the bucket: they pass, and say nothing about the file.
PASSING = frozenset({"disk_full", "disk_quota", "store_failed"})


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class HashingReader(io.RawIOBase):
    """Reads through to `source`, counting and hashing what passes; stops with OverflowError after `limit` bytes."""

    def __init__(self, source: Readable, *, limit: int) -> None:
        self._source = source
        self.limit = limit
        self.sums = Sums()
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(BLOCK if size is None or size < 0 else size)
        self.size += len(data)
        if self.size > self.limit:
            raise OverflowError(self.size)
        self.sums.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self.sums.sha256


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
    """Stream `reader` into the bucket under a generated name; return the storage key. Leaves no half file.

    In a bucket that is a folder the file is written as `*.part` first: what a killed process leaves can be told.
    """
    key = f"{folder}/{uuid.uuid4().hex}{suffix}"
    part = f"{key}.part" if bucket_is_local() else key
    try:
        default_storage.save(part, StreamFile(reader, part))
        if part != key:
            rename_durably(Path(default_storage.path(part)), Path(default_storage.path(key)))
    except BaseException:
        with suppress(Exception):  # what stopped the put may stop this too; the first error is the one to tell
            default_storage.delete(part)
        raise
    return key


def sums_kept(asset: Asset, sums: Sums) -> None:
    """A row from before XXH3 learns it from the same content."""
    if asset.xxh3 is None and asset.sha256 == sums.sha256:
        Asset.objects.filter(pk=asset.pk).update(xxh3=sums.xxh3)
        asset.xxh3 = sums.xxh3


def bucket_is_local() -> bool:
    """Whether the bucket is a folder that this host sees."""
    try:
        default_storage.path("")
    except NotImplementedError:
        return False
    return True


def bucket_open(asset: Asset) -> IO[bytes]:
    """Open the stored file, to be read once; StepFailed `source_missing` when the bucket does not have it."""
    try:
        opened: Any = default_storage.open(asset.storage_key, "rb")
    except FileNotFoundError:
        raise StepFailed("source_missing", {"key": asset.storage_key}) from None
    # django-storages would read the whole of an S3 object into memory first; its stream does not.
    stream: IO[bytes] = opened.obj.get()["Body"] if hasattr(opened, "obj") else opened
    return stream


def _bucket_errors() -> tuple[type[Exception], ...]:
    """What S3 fails with; imported when something has failed, because it weighs 30 MB."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return Boto3Error, BotoCoreError, ClientError


@contextmanager
def bucket_step() -> Iterator[None]:
    """A bucket that does not answer is an expected failure of a step: StepFailed `store_failed`, to be tried again."""
    try:
        yield
    except _bucket_errors() as error:
        logger.warning("bucket_failed", extra={"error": str(error)})
        raise StepFailed("store_failed", retryable=True) from error


def local_copy(asset: Asset, *, verify: bool = True) -> Path:
    """A path on this host with the asset's bytes: the bucket's own file when it is local, else a kept download.

    A kept download is a working file; a second call finds it, hashes it (unless not `verify`) and reads no bucket.
    """
    path = asset.bucket_path
    if path is None:
        return working_file(
            kind=WorkingKind.SOURCE, key=asset.sha256, suffix=PurePath(asset.storage_key).suffix, room=asset.size,
            make=partial(_download, asset), verify=verify,
        )  # fmt: skip
    if not path.exists():
        raise StepFailed("source_missing", {"key": asset.storage_key})
    return path


def _download(asset: Asset, part: Path) -> None:
    fetching = span("download", attributes={"subiteya.bytes": asset.size})
    with fetching, bucket_step(), bucket_open(asset) as source, part.open("wb") as sink:
        reader = HashingReader(source, limit=asset.size)
        with suppress(OverflowError):  # longer than it was: then the hash is another one too
            shutil.copyfileobj(reader, sink, BLOCK)
    if reader.sha256 != asset.sha256:
        raise StepFailed("source_missing", {"key": asset.storage_key, "why": "sha256"}, retryable=True)
