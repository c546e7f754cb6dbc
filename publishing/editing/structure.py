"""What an ISO file (MP4, MOV) claims about itself, read by ourselves: no library has seen it yet.

Only headers of boxes and a few fixed fields are read, each once, and never more of them than BOXES_MAX.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from publishing.editing.containers import BOXES_MAX, MediaRefused

#: An hour at 60 frames a second has an index of some 10 MB.
INDEX_MAX = 64_000_000
#: Boxes that are opened on the way to a track's description.
OPENED = frozenset({b"trak", b"mdia", b"minf", b"dinf", b"stbl"})
#: A movie whose index is compressed: a few bytes may become gigabytes, and nobody has written one in twenty years.
COMPRESSED = b"cmov"
SELF_CONTAINED = 1
DEPTH = 6
#: Of a description: its header, six reserved bytes, a reference, sixteen more; then width and height.
PICTURE_AT = 32


@dataclass(slots=True)
class Claims:
    """How many tracks there are, and the sides of every picture."""

    tracks: int = 0
    sides: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Walk:
    file: BinaryIO
    claims: Claims = field(default_factory=Claims)
    seen: int = 0
    #: The kind of the track that is being read.
    handler: bytes = b""


def claims_of(path: Path) -> Claims:
    """Read the claims of an ISO file. Raises MediaRefused: unreadable (an index beyond reason), playlist."""
    with path.open("rb") as file:
        walk = _Walk(file)
        for name, start, end in _boxes(walk, 0, path.stat().st_size):
            if name == b"moov":
                if end - start > INDEX_MAX:
                    raise MediaRefused("unreadable", {"index_bytes": end - start, "max_index_bytes": INDEX_MAX})
                _open(walk, start, end, DEPTH)
    return walk.claims


def _boxes(walk: _Walk, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, where its contents begin, where they end) of the boxes side by side between two places."""
    while start + 8 <= end:
        walk.seen += 1
        if walk.seen > BOXES_MAX:
            raise MediaRefused("unreadable", {"max_boxes": BOXES_MAX})
        head = _bytes(walk, start, 16)
        if len(head) < 8:
            return
        length, inner = int.from_bytes(head[:4], "big"), start + 8
        if length == 1:
            length, inner = int.from_bytes(head[8:16], "big"), start + 16
        elif length == 0:
            length = end - start
        if length < inner - start:
            return
        yield head[4:8], inner, min(start + length, end)
        start += length


def _bytes(walk: _Walk, at: int, count: int) -> bytes:
    walk.file.seek(at)
    return walk.file.read(count)


def _open(walk: _Walk, start: int, end: int, depth: int) -> None:
    for name, inner, stop in _boxes(walk, start, end):
        if name == COMPRESSED:
            raise MediaRefused("unreadable", {"why": "compressed index"})
        if name == b"trak":
            walk.claims.tracks += 1
            walk.handler = b""
        if name in OPENED and depth:
            _open(walk, inner, stop, depth - 1)
        elif name == b"hdlr":
            # A movie's data handler comes later, and says nothing about the kind of track.
            walk.handler = walk.handler or _bytes(walk, inner + 8, 4)
        elif name == b"dref":
            _check_references(walk, inner, stop)
        elif name == b"stsd" and walk.handler == b"vide":
            _note_pictures(walk, inner, stop)


def _check_references(walk: _Walk, start: int, end: int) -> None:
    """The pictures lie in this very file, not in another one nor at an address."""
    for _name, inner, _stop in _boxes(walk, start + 8, end):
        if not int.from_bytes(_bytes(walk, inner, 4), "big") & SELF_CONTAINED:
            raise MediaRefused("playlist")


def _note_pictures(walk: _Walk, start: int, end: int) -> None:
    for _name, inner, _stop in _boxes(walk, start + 8, end):
        sides = _bytes(walk, inner - 8 + PICTURE_AT, 4)
        walk.claims.sides.append((int.from_bytes(sides[:2], "big"), int.from_bytes(sides[2:4], "big")))
