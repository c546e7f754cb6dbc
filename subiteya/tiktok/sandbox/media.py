"""A light look at an uploaded file: is it MP4, MOV or WebM at all, and how long does its header say it is?"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: First boxes seen in real MP4 and QuickTime files.
FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
WEBM = b"\x1a\x45\xdf\xa3"
MAX_BOXES = 64


def looks_like_video(path: Path) -> bool:
    """True for ISO-BMFF (MP4, MOV) and WebM beginnings."""
    with path.open("rb") as file:
        head = file.read(8)
    return head[4:8] in FIRST_BOXES or head[:4] == WEBM


def duration_seconds(path: Path) -> float | None:
    """The length that an MP4's movie header declares, in seconds; None where there is none to read."""
    with path.open("rb") as file:
        for box, size in _boxes(file, path.stat().st_size):
            if box == b"moov":
                return _movie_header(file, file.tell() + size)
    return None


def _movie_header(file: BinaryIO, end: int) -> float | None:
    for box, _ in _boxes(file, end):
        if box == b"mvhd":
            return _mvhd(file.read(32))
    return None


def _boxes(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """Each box's type and body size, with the file at the start of its body."""
    at = file.tell()
    for _ in range(MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        if at + 8 > end or len(head) < 8:
            return
        size, box, header = *struct.unpack(">I4s", head[:8]), 8
        if size == 1 and len(head) == 16:
            size, header = struct.unpack(">Q", head[8:])[0], 16
        size = size or end - at
        if size < header:
            return
        file.seek(at + header)
        yield box, size - header
        at += size


def _mvhd(body: bytes) -> float | None:
    if len(body) < 32:
        return None
    scale, length = struct.unpack(">IQ", body[20:32]) if body[0] == 1 else struct.unpack(">II", body[12:20])
    return length / scale if scale else None
