"""Taking the bytes (`content-posting-api-media-transfer-guide`): sequential parts, each whole or not at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from subiteya.tiktok.sandbox import media
from subiteya.tiktok.sandbox.accounts import account_of
from subiteya.tiktok.sandbox.blobs import BLOCK, Hasher, Read
from subiteya.tiktok.sandbox.errors import ClientGone, UploadRefused
from subiteya.tiktok.sandbox.publishes import Publish, processing_time, publish_of
from subiteya.tiktok.sandbox.world import World

CONTENT_TYPES = ("video/mp4", "video/quicktime", "video/webm")
#: A refused body is read to its end up to here, so that the client sees the answer and not a reset.
DRAIN_LIMIT = 256_000_000
_RANGE = re.compile(r"bytes (0|[1-9]\d{0,12})-(0|[1-9]\d{0,12})/([1-9]\d{0,12})", re.ASCII)


class Part(NamedTuple):
    """What the headers of a PUT say: bytes `first` to `last`, both inclusive."""

    first: int
    last: int
    content_type: str

    @property
    def length(self) -> int:
        """Bytes in the part."""
        return self.last - self.first + 1


def part_of(publish: Publish, *, content_type: str, content_length: str, content_range: str) -> Part:
    """The part that the headers announce, if they are right in themselves and about this video.

    Raises UploadRefused: 400 for headers, 416 where the range is not the real progress.
    """
    if content_type.split(";")[0].strip().lower() not in CONTENT_TYPES:
        raise _bad("Content-Type is video/mp4, video/quicktime or video/webm.")
    numbers = _RANGE.fullmatch(content_range)
    if not numbers:
        raise _bad("Content-Range is required: bytes FIRST-LAST/TOTAL.")
    first, last, total = map(int, numbers.groups())
    if total != publish.plan.video_size or not first <= last < total:
        raise _bad("Content-Range does not fit the video_size of the init call.")
    if content_length != str(last - first + 1):
        raise _bad("Content-Length is required and equals the length of Content-Range.")
    check_progress(publish, first)
    part = publish.plan.part_at(first)
    if (first, last) != publish.plan.bounds(part):
        raise _bad("The part is not of the chunk_size of the init call.")
    return Part(first, last, content_type.split(";")[0].strip().lower())


def check_alive(world: World, publish: Publish | None) -> Publish:
    """Raises UploadRefused: 404 without a live upload, 403 when its URL has expired."""
    if publish is None or publish.status == "FAILED":
        raise UploadRefused(404, "upload_not_found", "There is no such upload.")
    if publish.is_open and publish.url_expires_at <= world.now():
        raise UploadRefused(403, "upload_url_expired", "The upload URL has expired.")
    return publish


def check_progress(publish: Publish, first: int) -> None:
    """Parts come in order, each once. Raises UploadRefused 416."""
    if not publish.is_open or first != publish.uploaded_bytes:
        raise UploadRefused(416, "range_not_satisfiable", "Content-Range is not the real progress.")


def receive_part(world: World, publish: Publish, part: Part, read: Read, *, bytes_per_second: int = 0) -> Publish:
    """Take one part; return the publish with its new progress. Of two equal parts at once, one wins.

    Raises ClientGone when the body ends early or the sandbox stops, and UploadRefused when the upload moved on,
    expired or ended meanwhile: then the part leaves nothing.
    """
    hasher = world.blobs.hasher_at(publish.publish_id, part.first)
    counted = _Counted(read)
    pause = _pace(world, bytes_per_second)
    try:
        path = world.blobs.receive(counted.read, part.length, hasher, pause=pause)
    finally:
        count_received(world, publish.publish_id, counted.total)
    if path is None:
        raise ClientGone
    try:
        with world.blobs.guard(publish.publish_id):
            return _commit(world, publish.publish_id, part, path, hasher)
    finally:
        path.unlink(missing_ok=True)


def drain(world: World, publish: Publish | None, read: Read, length: int) -> None:
    """Read a refused body and forget it."""
    counted, left = _Counted(read), min(length, DRAIN_LIMIT)
    while left and (data := counted.read(min(BLOCK, left))):
        left -= len(data)
    if publish:
        count_received(world, publish.publish_id, counted.total)


def count_received(world: World, publish_id: str, count: int) -> None:
    """Body bytes that came for this publish, kept or not: what an uploader spent on it."""
    world.store.run("UPDATE publishes SET bytes_received = bytes_received + ? WHERE publish_id = ?", count, publish_id)


def shown_progress(world: World, uploaded: int) -> int:
    """Stored bytes as the API tells them: a count, or the index of the last one."""
    return uploaded if world.settings.progress == "count" else max(uploaded - 1, 0)


def expire_url(world: World, publish: Publish) -> None:
    """The upload URL of `publish` has expired from now on."""
    world.store.run("UPDATE publishes SET url_expires_at = ? WHERE publish_id = ?", world.now(), publish.publish_id)


def _commit(world: World, publish_id: str, part: Part, path: Path, hasher: Hasher) -> Publish:
    publish = check_alive(world, publish_of(world, publish_id))
    check_progress(publish, part.first)
    world.blobs.join(publish_id, path, part.first)
    uploaded = part.last + 1
    is_whole = uploaded == publish.plan.video_size
    changes = {"uploaded_bytes": uploaded, "content_type": part.content_type, "has_bytes": True}
    if is_whole:
        changes |= _final(world, publish, hasher)
    _record(world, publish, part, changes)
    if is_whole:
        _retain(world, publish_id)
    else:
        world.blobs.remember(publish_id, uploaded, hasher)
    done = publish_of(world, publish_id)
    if done is None:  # a reset came in between
        raise UploadRefused(404, "upload_not_found", "There is no such upload.")
    return done


def _record(world: World, publish: Publish, part: Part, changes: dict[str, Any]) -> None:
    row = {
        "publish_id": publish.publish_id,
        "part": publish.plan.part_at(part.first),
        "first": part.first,
        "last": part.last,
        "received_at": world.now(),
    }
    columns = ", ".join(f"{name} = ?" for name in changes)
    with world.store.tx():
        world.store.insert("parts", row)
        world.store.run(
            f"UPDATE publishes SET {columns} WHERE publish_id = ?",  # noqa: S608
            *changes.values(),
            publish.publish_id,
        )


def _final(world: World, publish: Publish, hasher: Hasher) -> dict[str, Any]:
    """What is known once all bytes are there; reads the file, so outside of any transaction."""
    path = world.blobs.path(publish.publish_id)
    duration = media.duration_seconds(path)
    return {
        "uploaded_at": world.now(),
        "settle_at": world.now() + processing_time(world, publish.plan.video_size),
        "sha256": world.blobs.digest(publish.publish_id, hasher),
        "duration": duration,
        "check_failure": _check_file(world, publish, path, duration),
    }


def _check_file(world: World, publish: Publish, path: Path, duration: float | None) -> str:
    """The fail_reason that the file itself earns; empty for a good one."""
    if not media.looks_like_video(path):
        return "file_format_check_failed"
    account = account_of(world, publish.username)
    limit = account.max_video_post_duration_sec if account and publish.kind == "direct" else 0
    return "duration_check_failed" if duration and limit and duration > limit + 1 else ""


def _retain(world: World, newest: str) -> None:
    """Delete the oldest finished videos, and what expired uploads left, until the rest fits."""
    rows = world.store.all(
        "SELECT publish_id, uploaded_bytes, uploaded_at FROM publishes WHERE has_bytes"
        " AND (uploaded_at IS NOT NULL OR url_expires_at <= ?) ORDER BY uploaded_at DESC",
        world.now(),
    )
    kept = 0
    for row in rows:
        kept += row["uploaded_bytes"]
        fits = row["uploaded_at"] is not None and kept <= world.settings.retention_bytes
        if not fits and row["publish_id"] != newest:
            world.store.run("UPDATE publishes SET has_bytes = 0 WHERE publish_id = ?", row["publish_id"])
            world.blobs.remove(row["publish_id"])


def _pace(world: World, bytes_per_second: int) -> Callable[[int], None]:
    """Slow reading down to a speed; 0: as fast as it comes."""
    started, passed = time.monotonic(), 0

    def pause(count: int) -> None:
        nonlocal passed
        passed += count
        ahead = passed / bytes_per_second - (time.monotonic() - started)
        if ahead > 0 and not world.sleep(ahead):
            raise ClientGone

    return pause if bytes_per_second else lambda count: None


def _bad(message: str) -> UploadRefused:
    return UploadRefused(400, "invalid_params", message)


class _Counted:
    """A reader that knows how much went through it; a broken line is an end like any other."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.total = 0

    def read(self, size: int) -> bytes:
        try:
            data = self._read(size)
        except (ConnectionError, TimeoutError):
            return b""
        self.total += len(data)
        return data
