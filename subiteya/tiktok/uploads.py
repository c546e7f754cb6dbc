"""One part of a video: where it may go, how it is read, what the answer means (media-transfer-guide)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import requests

from subiteya.tiktok.errors import (
    BadAnswer,
    HostNotAllowed,
    LocalFailure,
    RangeMismatch,
    RateLimited,
    TikTokUnavailable,
    UploadExpired,
    UploadGone,
    UploadRejected,
)
from subiteya.tiktok.http import quoted, retry_after
from subiteya.tiktok.types import ChunkAnswer

BLOCK = 1 << 20
#: A line slower than this is given up on.
SLOWEST_BYTES_PER_SECOND = 64_000
PROGRESS = re.compile(r"bytes\s+0-(\d{1,18})/")
# Only addresses that every parser reads alike: with user names or backslashes in them, the host that is checked
# and the host that is dialled can be two.
UPLOAD_URL = re.compile(r"(https?)://([a-z0-9.-]+)(:\d{1,5})?(?:[/?][!-\[\]-~]*)?", re.ASCII | re.IGNORECASE)


class Hasher(Protocol):
    """What hashlib's objects have in common."""

    def update(self, data: bytes, /) -> None:
        """Take in `data`."""


def chunk_timeout(size: int, *, slowest: int = SLOWEST_BYTES_PER_SECOND) -> float:
    """Seconds that `size` bytes may take on the slowest line (bytes per second), and then half a minute."""
    return 30.0 + size / slowest


def upload_timeout(size: int) -> tuple[float, float]:
    """Time-outs of a part of `size` bytes: of each write of a block, and of the answer to all of it.

    urllib3 writes under the time-out of the connect, so that one has to suit a slow line too.
    """
    return chunk_timeout(BLOCK), chunk_timeout(size)


def check_upload_url(upload_url: str, *, hosts: Sequence[str], allow_http: bool) -> None:
    """Raise HostNotAllowed unless the video may be sent there: `host`, `host:port`, or `.suffix` for all below it."""
    match = UPLOAD_URL.fullmatch(upload_url)
    if match is None or (match[1].lower() != "https" and not allow_http):
        raise HostNotAllowed("upload_host_refused", "the upload address is not a plain https address")
    host, port = match[2].lower(), match[3] or ""
    if not any(host.endswith(item) if item.startswith(".") else item in {host, host + port} for item in hosts):
        raise HostNotAllowed("upload_host_refused", f"host {host} is not on the allowlist")


class FileSlice:
    """Bytes `first` to `last` of a file, in blocks; `len()` gives Content-Length. Nothing is read ahead.

    `hasher` sees every byte just before it is sent, `on_bytes` hears how many are gone.
    """

    def __init__(
        self, path: Path, first: int, last: int, *,
        on_bytes: Callable[[int], None] | None = None, hasher: Hasher | None = None,
    ) -> None:  # fmt: skip
        self._path, self._first, self._length = path, first, last - first + 1
        self._on_bytes, self._hasher = on_bytes, hasher

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._blocks()
        except OSError as error:
            # urllib3 would take it for a broken line, and TikTok would be blamed for our disk.
            raise LocalFailure("file_unreadable", type(error).__name__) from error

    def _blocks(self) -> Iterator[bytes]:
        left = self._length
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._first)
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise LocalFailure("file_short", "the file became shorter while it was sent")
                left -= len(block)
                if self._hasher:
                    self._hasher.update(block)
                yield block
                if self._on_bytes:
                    self._on_bytes(self._length - left)


def chunk_answer(response: requests.Response) -> ChunkAnswer:
    """206: stored, more to come; 201: all stored. Anything else is raised."""
    status = response.status_code
    match = PROGRESS.match(response.headers.get("Content-Range", ""))
    uploaded = int(match[1]) if match else None
    if status in {201, 206}:
        return ChunkAnswer(status=status, uploaded_bytes=uploaded)
    log_id = quoted(response.headers.get("X-Tt-Logid"), limit=64)
    if status == 416:
        raise RangeMismatch(uploaded_bytes=uploaded, log_id=log_id)
    if status == 403:
        raise UploadExpired("upload_expired", "the upload address ran out", status=status, log_id=log_id)
    if status == 404:
        raise UploadGone("upload_gone", "no such upload", status=status, log_id=log_id)
    if status == 429:
        wait = retry_after(response)
        raise RateLimited("rate_limit_exceeded", "upload", status=status, log_id=log_id, retry_after=wait)
    if status >= 500:
        raise TikTokUnavailable("unavailable", "upload", status=status, log_id=log_id)
    if 200 <= status < 300:
        # Nothing says that the part was stored: send it again, after asking how far TikTok is.
        raise BadAnswer("bad_answer", "neither 201 nor 206", status=status, log_id=log_id)
    raise UploadRejected("upload_rejected", "the part was refused", status=status, log_id=log_id)
