"""Uploaded bytes on disk: parts arrive in files of their own and join the video only when they are whole."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

BLOCK = 1 << 18
#: Unfinished uploads whose running hash is remembered; others are hashed from the file at the end.
REMEMBERED = 256

Read = Callable[[int], bytes]


class Hasher:
    """sha256 of a stream so far, or of nothing we know (`known` false: after a restart in mid-upload)."""

    def __init__(self, *, known: bool = True) -> None:
        self.known = known
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        if self.known:
            self._hash.update(data)

    def copy(self) -> Hasher:
        twin = Hasher(known=self.known)
        twin._hash = self._hash.copy()
        return twin

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class Blobs:
    """Files below `data_dir`: `parts/` for what is arriving, `videos/` for what has arrived."""

    def __init__(self, data_dir: Path) -> None:
        self._parts = data_dir / "parts"
        self._videos = data_dir / "videos"
        self._hashes: OrderedDict[str, tuple[int, Hasher]] = OrderedDict()
        self._lock = threading.Lock()
        self._guards = tuple(threading.Lock() for _ in range(64))
        shutil.rmtree(self._parts, ignore_errors=True)  # of a sandbox that was killed
        self._parts.mkdir(parents=True, exist_ok=True)
        self._videos.mkdir(exist_ok=True)

    def path(self, publish_id: str) -> Path:
        """Where the bytes of `publish_id` are, or would be."""
        return self._videos / publish_id.replace("~", "_")

    def guard(self, publish_id: str) -> threading.Lock:
        """The lock under which bytes join the video of `publish_id`."""
        return self._guards[hash(publish_id) % len(self._guards)]

    def receive(self, read: Read, length: int, hasher: Hasher, *, pause: Callable[[int], None]) -> Path | None:
        """Write `length` bytes of a body into a new part file, block by block. None: the body ended early."""
        path = self._parts / secrets.token_hex(12)
        left = length
        try:
            with path.open("wb") as file:
                while left and (data := read(min(BLOCK, left))):
                    file.write(data)
                    hasher.update(data)
                    left -= len(data)
                    pause(len(data))
        finally:
            if left:
                path.unlink(missing_ok=True)
        return None if left else path

    def join(self, publish_id: str, part: Path, first: int) -> None:
        """Put `part` at byte `first` of the video. What a killed sandbox had written beyond `first` goes."""
        video = self.path(publish_id)
        if first == 0:
            part.replace(video)
            return
        with video.open("r+b") as target, part.open("rb") as source:
            target.truncate(first)
            target.seek(first)
            shutil.copyfileobj(source, target, BLOCK)
        part.unlink()

    def hasher_at(self, publish_id: str, first: int) -> Hasher:
        """A hasher of the first `first` bytes, to go on with."""
        with self._lock:
            size, hasher = self._hashes.get(publish_id, (0, Hasher()))
        return hasher.copy() if size == first else Hasher(known=False)

    def remember(self, publish_id: str, size: int, hasher: Hasher) -> None:
        """Keep the hasher of the first `size` bytes for the next part."""
        with self._lock:
            self._hashes[publish_id] = (size, hasher)
            while len(self._hashes) > REMEMBERED:
                self._hashes.popitem(last=False)

    def digest(self, publish_id: str, hasher: Hasher) -> str:
        """sha256 of the whole video as hex."""
        with self._lock:
            self._hashes.pop(publish_id, None)
        if hasher.known:
            return hasher.hexdigest()
        with self.path(publish_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def remove(self, publish_id: str) -> None:
        """Delete the bytes of a publish, if there are any."""
        with self._lock:
            self._hashes.pop(publish_id, None)
        self.path(publish_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every video; parts that are arriving end in nothing by themselves."""
        with self._lock:
            self._hashes.clear()
        for path in self._videos.iterdir():
            path.unlink(missing_ok=True)
