"""A logo before anything decodes it: PNG or JPEG by its bytes, and no larger than its own header says it may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from publishing.editing.containers import MediaRefused

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
SIDE_MAX = 4096
PARTS_MAX = 5_000
#: Parts of a PNG that are compressed besides the picture itself, bytes of all of them: a decoder unpacks them whole.
PACKED = frozenset({b"iCCP", b"zTXt", b"iTXt"})
PACKED_MAX = 256_000
#: Start-of-frame markers; the others in that row are tables.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Markers without a length.
BARE = frozenset({0x01, *range(0xD0, 0xD9)})
SCAN, END = 0xDA, 0xD9


@dataclass(frozen=True, slots=True)
class Picture:
    """A still that may be decoded; `demuxer` is the one to force."""

    demuxer: str
    suffix: str
    width: int
    height: int


def picture_of(path: Path) -> Picture:
    """Read the kind and the size. Raises MediaRefused: wrong_kind, too_many_pixels."""
    with path.open("rb") as file:
        head = file.read(8)
        if head == PNG:
            picture = Picture("png_pipe", ".png", *_png(file))
        elif head.startswith(JPEG):
            picture = Picture("jpeg_pipe", ".jpg", *_jpeg(file))
        else:
            raise MediaRefused("wrong_kind", {"name": path.name})
    if not (picture.width and picture.height):
        raise MediaRefused("wrong_kind", {"name": path.name})
    if max(picture.width, picture.height) > SIDE_MAX:
        raise MediaRefused("too_many_pixels", {"width": picture.width, "height": picture.height, "max_side": SIDE_MAX})
    return picture


def _png(file: BinaryIO) -> tuple[int, int]:
    sides, packed = (0, 0), 0
    for count, (name, at, length) in enumerate(_chunks(file)):
        if count == 0:
            if name != b"IHDR" or length != 13:
                break
            file.seek(at)
            header = file.read(8)
            sides = (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big"))
        if name == b"IHDR" and count:
            raise MediaRefused("wrong_kind", {"why": "two headers"})
        packed += length if name in PACKED else 0
        if packed > PACKED_MAX:
            raise MediaRefused("wrong_kind", {"packed": packed, "max_packed": PACKED_MAX})
    return sides


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    at = len(PNG)
    for _count in range(PARTS_MAX):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:8], at + 8, length
        if head[4:8] == b"IEND":
            return
        at += length + 12
    raise MediaRefused("wrong_kind", {"max_parts": PARTS_MAX})


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    """The sides of the frame; every header before the first scan is looked at, and they must agree."""
    at, sides = 2, (0, 0)
    for _count in range(PARTS_MAX):
        file.seek(at)
        head = file.read(9)
        if len(head) < 4 or head[0] != 0xFF:
            break
        marker = head[1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker in {SCAN, END}:
            break
        if marker in FRAMES:
            found = (int.from_bytes(head[7:9], "big"), int.from_bytes(head[5:7], "big"))
            if sides not in {(0, 0), found}:
                raise MediaRefused("wrong_kind", {"why": "two sizes"})
            sides = found
        at += 2 if marker in BARE else 2 + int.from_bytes(head[2:4], "big")
    return sides
