"""Two sums of a file's bytes, worked out in one pass over them.

SHA-256 is the name of a content: by it files are told apart, and it is compared wherever bytes come from outside of
this host. XXH3-128 is some twenty times as fast and only answers "are these still the bytes that were hashed?", after
an accident: a cut write, a failing disk, a program that wrote there. It is no wall against somebody who looks for
other bytes with the same sum; whoever can write to our folders could change the rows as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import xxhash

BLOCK = 1 << 20


class Hasher(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


#: Begins a sum: `hashlib.sha256` or `xxhash.xxh3_128`.
Begin = Callable[[], Hasher]


class Sums:
    """Both sums of what was fed to `update`."""

    def __init__(self) -> None:
        self._sha256, self._xxh3 = hashlib.sha256(), xxhash.xxh3_128()

    def update(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        self._xxh3.update(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def xxh3(self) -> str:
        return self._xxh3.hexdigest()


def sums_of(path: Path) -> Sums:
    """Both sums of a local file, read once."""
    sums = Sums()
    _feed(path, sums.update)
    return sums


def digest_of(path: Path, begin: Begin) -> str:
    """One sum of a local file."""
    hasher = begin()
    _feed(path, hasher.update)
    return hasher.hexdigest()


def quickest(*, sha256: str, xxh3: str | None) -> tuple[Begin, str]:
    """How to find out whether bytes are still those of these sums: what to begin, and what must come out.

    Rows from before XXH3 have none, nor have those that an older release writes beside us: SHA-256 does for them.
    """
    return (xxhash.xxh3_128, xxh3) if xxh3 else (hashlib.sha256, sha256)


def _feed(path: Path, update: Callable[[memoryview], None]) -> None:
    buffer = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as file:
        while got := file.readinto(buffer):
            update(buffer[:got])
