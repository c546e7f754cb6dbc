"""What a file is by its bytes, before any demuxer sees it: the kind, whether it is whole, where its index lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

HEAD_BYTES = 64
BOXES_MAX = 10_000
ISO_STARTS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
#: HEIC and AVIF pictures use the same boxes as films.
STILL_BRANDS = (b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
EBML = b"\x1a\x45\xdf\xa3"
SEGMENT = b"\x18\x53\x80\x67"
#: Text that makes ffmpeg open other files or addresses.
SCRIPTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"<?xml", b"<svg", b"<smil", b"[playlist]", b"v=0")


class MediaRefused(Exception):
    """Not a video that we take; `code` is the catalogue's, `detail` holds what was measured and the limit."""

    def __init__(self, code: str, detail: dict[str, Any] | None = None) -> None:
        self.code, self.detail = code, detail or {}
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Layout:
    """`demuxer` is the one to force; `container` is mp4, mov, webm or matroska."""

    demuxer: str
    container: str
    faststart: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A top-level box of an ISO file; `end` may lie past the end of a cut one."""

    name: str
    offset: int
    end: int


def layout_of(path: Path) -> Layout:
    """Read the kind from the first bytes and check that the file reaches its own end. Raises MediaRefused.

    Codes: empty_file, playlist, not_a_video, truncated.
    """
    size = path.stat().st_size
    if size == 0:
        raise MediaRefused("empty_file")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head[4:8] in ISO_STARTS:
            return _iso(file, head, size)
        if head.startswith(EBML):
            return _matroska(file, head, size)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    raise MediaRefused("playlist" if text.startswith(SCRIPTS) else "not_a_video")


def _iso(file: BinaryIO, head: bytes, size: int) -> Layout:
    brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
    if brand in STILL_BRANDS:
        raise MediaRefused("not_a_video")
    first: dict[str, int] = {}
    for box in _boxes(file, size):
        first.setdefault(box.name, box.offset)
        if box.end > size:
            raise MediaRefused("truncated", {"size": size, "declared": box.end})
    if "moov" not in first:
        raise MediaRefused("truncated")
    faststart = first["moov"] < first.get("mdat", size)
    return Layout("mov", "mov" if brand == b"qt  " else "mp4", faststart)


def _boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    offset = 0
    for _count in range(BOXES_MAX):
        file.seek(offset)
        header = file.read(16)
        if len(header) < 8:
            return
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:  # up to the end of the file
            length = size - offset
        if length < 8:
            return
        yield Box(header[4:8].decode("latin-1"), offset, offset + length)
        offset += length


def _matroska(file: BinaryIO, head: bytes, size: int) -> Layout:
    container = "webm" if b"webm" in head else "matroska"
    length, width = _element_size(head[4:12])
    file.seek(4 + width + (length or 0))
    segment = file.read(12)
    if segment.startswith(SEGMENT):
        length, width = _element_size(segment[4:])
        end = file.tell() - len(segment) + 4 + width + (length or 0)
        if length is not None and end > size:
            raise MediaRefused("truncated", {"size": size, "declared": end})
    return Layout("matroska", container, faststart=False)


def _element_size(data: bytes) -> tuple[int | None, int]:
    """An EBML length and how many bytes it takes; None when the writer did not know it (live recordings)."""
    if not data or data[0] == 0:
        return None, 1
    width = 9 - data[0].bit_length()
    value = int.from_bytes(data[:width], "big") & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), width
