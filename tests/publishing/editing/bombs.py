"""Files made to harm whoever opens them, by name; each is made on the spot and refused by its own cause."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.publishing.editing.conftest import X264, make

Clip = Callable[..., Path]
#: A name for each bomb, how it is made, and the causes that may refuse it.
BOMBS: dict[str, tuple[Callable[[Path, Clip], Path], frozenset[str]]] = {}


def bomb(name: str, *codes: str) -> Callable[[Callable[[Path, Clip], Path]], Callable[[Path, Clip], Path]]:
    def keep(maker: Callable[[Path, Clip], Path]) -> Callable[[Path, Clip], Path]:
        BOMBS[name] = (maker, frozenset(codes))
        return maker

    return keep


def written(folder: Path, data: bytes, name: str = "video.mp4") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def texts(name: str, data: str | bytes, *codes: str) -> None:
    raw = data.encode() if isinstance(data, str) else data
    bomb(name, *codes)(lambda folder, _clip: written(folder, raw))


HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
texts("playlist of a local file", HLS.format("file:///etc/passwd"), "playlist")
texts("playlist of an address", HLS.format("http://127.0.0.1:9/x.ts"), "playlist")
texts("playlist after a byte-order mark", b"\xef\xbb\xbf \n" + HLS.format("concat:/etc/passwd").encode(), "playlist")
texts("concat list", "ffconcat version 1.0\nfile '/etc/passwd'\n", "playlist")
texts("concat protocol as text", "concat:/etc/passwd|/etc/hosts", "not_a_video")
texts("svg with an outside picture", "<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
      "playlist")  # fmt: skip
texts("svg with data", "<?xml version='1.0'?><svg><image href='data:image/png;base64,AAAA'/></svg>", "playlist")
texts("dash manifest", "<MPD><BaseURL>file:///etc/</BaseURL></MPD>", "playlist")
texts("rtp session", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n", "playlist")
texts("subtitles as a video", "1\n00:00:01,000 --> 00:00:02,000\nhola\n", "not_a_video")
texts("subtitles that name a file", "[Script Info]\nVideo File: /etc/passwd\n", "not_a_video")
texts("ffmpeg metadata", ";FFMETADATA1\ntitle=x\n" * 1000, "not_a_video")
texts("nothing but zeros", bytes(100_000), "not_a_video")
texts("empty", b"", "empty_file")
texts("script", "#!/bin/sh\nid\n", "not_a_video")
texts("html", "<!doctype html><script>alert(1)</script>", "not_a_video")
texts("executable", b"\x7fELF" + bytes(1000), "not_a_video")
texts("gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(100), "not_a_video")
texts("avi", b"RIFF\xff\xff\xff\x7fAVI LIST" + bytes(200), "not_a_video")
texts("heic picture", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64), "not_a_video")


@bomb("zip as a video", "not_a_video")
def _zip(folder: Path, _clip: Clip) -> Path:
    path = folder / "video.mp4"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10_000_000))
    return path


def box(name: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I", len(body) + 8) + name + body


FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2mp41")


def described(width: int = 320, height: int = 240, *, kind: bytes = b"avc1") -> bytes:
    """A sample description with one picture of that size."""
    entry = bytes(6) + b"\x00\x01" + bytes(16) + struct.pack(">HH", width, height) + bytes(50)
    return box(b"stsd", bytes(4), struct.pack(">I", 1), box(kind, entry))


def track(*, width: int = 320, height: int = 240, count: int = 30, tick: int = 30, step: int = 1,
          reference: bytes = b"\x00\x00\x00\x01", kind: bytes = b"vide") -> bytes:  # fmt: skip
    """A track as its headers claim it: `count` samples of one byte each, `step` of `tick` a second apart."""
    table = box(
        b"stbl", described(width, height), box(b"stts", bytes(4), struct.pack(">III", 1, count, step)),
        box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, count, 1)),
        box(b"stsz", bytes(4), struct.pack(">II", 1, count)), box(b"stco", bytes(4), struct.pack(">II", 1, 40)),
    )  # fmt: skip
    where = box(b"dinf", box(b"dref", bytes(4), struct.pack(">I", 1), box(b"url ", reference, b"file:///etc/passwd\0")))
    media = box(
        b"mdia", box(b"mdhd", bytes(12), struct.pack(">II", tick, count * step), bytes(4)),
        box(b"hdlr", bytes(8), kind, bytes(13)), box(b"minf", box(b"vmhd", bytes(12)), where, table),
    )  # fmt: skip
    head = bytes(12) + struct.pack(">III", 1, 0, 1000) + bytes(52) + struct.pack(">II", width << 16, height << 16)
    return box(b"trak", box(b"tkhd", head), media)


def movie(*tracks: bytes, data: int = 1000) -> bytes:
    head = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 1000), bytes(80))
    return FTYP + box(b"mdat", bytes(data)) + box(b"moov", head, *tracks)


def nested(depth: int) -> bytes:
    inside = b""
    for _each in range(depth):
        inside = box(b"trak", inside)
    return inside


texts("one pixel high, 60000 wide", movie(track(width=60_000, height=1)), "too_many_pixels")
texts("60000 by 60000 pixels", movie(track(width=60_000, height=60_000)), "too_many_pixels")
texts("a second track of 60000 pixels", movie(track(), track(width=4, height=60_000)), "too_many_pixels")
texts("a million frames a second", movie(track(count=1000, tick=1_000_000)), "too_many_frames", "unreadable",
      "truncated", "too_short")  # fmt: skip
texts("a hundred million samples in twelve bytes", movie(track(count=100_000_000)), "too_many_frames", "unreadable",
      "truncated", "too_long")  # fmt: skip
texts("four thousand million samples", movie(track(count=2**32 - 1)), "unreadable", "truncated", "too_long")
texts("200 tracks in the headers", movie(*[track()] * 200), "unreadable")
texts("pictures in another file", movie(track(reference=bytes(4))), "playlist")
texts("compressed index", FTYP + box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(
    ">I", 2**31), zlib.compress(bytes(1_000_000))))), "unreadable")  # fmt: skip
texts("index of 65 MB", FTYP + struct.pack(">I", 65_000_008) + b"moov" + bytes(65_000_000), "unreadable")
texts("index that claims 4 GB", FTYP + b"\xff\xff\xff\xf0moov" + bytes(1000), "truncated")
texts("index that claims 16 EB", FTYP + b"\x00\x00\x00\x01moov" + b"\xff" * 8 + bytes(1000), "truncated")
texts("20000 tiny boxes", FTYP + box(b"moov", box(b"free") * 20_000), "unreadable")
texts("boxes inside boxes, 500 deep", movie(nested(500)), "unreadable", "no_video_stream")
texts("box that ends before it begins", FTYP + b"\x00\x00\x00\x01moov" + bytes(8), "truncated", "unreadable")
texts("no index", FTYP + box(b"mdat", bytes(1000)), "truncated")
texts("matroska of noise", b"\x1a\x45\xdf\xa3" + zlib.compress(bytes(range(256)) * 40), "unreadable", "truncated")
texts("matroska that claims 72 PB", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xfe" * 7 + bytes(100),
      "truncated", "unreadable")  # fmt: skip


@bomb("cut in the middle", "truncated")
def _cut(folder: Path, clip: Clip) -> Path:
    data = clip(video=(*X264, "-movflags", "+faststart")).read_bytes()
    return written(folder, data[: len(data) // 2])


@bomb("200 real streams", "unreadable")
def _streams(folder: Path, clip: Clip) -> Path:
    return make(folder / "many.mp4", "-i", f"file:{clip()}", *["-map", "0:a"] * 199, "-map", "0:v", "-c", "copy")


@bomb("matroska with 100 attachments", "unreadable")
def _attachments(folder: Path, clip: Clip) -> Path:
    payload = written(folder, b"MZ" + bytes(1000), "payload.exe")
    attached = [word for _each in range(100) for word in ("-attach", str(payload))]
    kinds = [w for n in range(100) for w in (f"-metadata:s:t:{n}", "mimetype=application/octet-stream")]
    return make(folder / "attached.mkv", "-i", f"file:{clip()}", *attached, *kinds, "-c", "copy")


@bomb("real frames of 4100 pixels", "too_many_pixels")
def _wide(_folder: Path, clip: Clip) -> Path:
    return clip("wide.mkv", picture="color=blue:s=4100x16:r=30", seconds=0.4, sound=None)


@bomb("real file at a thousand frames a second", "too_many_frames")
def _fast(_folder: Path, clip: Clip) -> Path:
    return clip("fast.mkv", picture="color=blue:s=16x16:r=1000", seconds=0.5, sound=None)


@bomb("two hours of one frame", "too_long")
def _long(folder: Path, _clip: Clip) -> Path:
    still = ["-f", "lavfi", "-i", "color=blue:s=16x16:r=1/100:d=7200"]
    return make(folder / "long.mp4", *still, *X264)


@bomb("foreign codec", "unsupported_codec")
def _codec(_folder: Path, clip: Clip) -> Path:
    return clip("odd.mkv", video=("-c:v", "ffv1"))


@bomb("sound alone", "no_video_stream")
def _sound(folder: Path, _clip: Clip) -> Path:
    return make(folder / "sound.mp4", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac")


@bomb("sound of 24 channels", "unsupported_codec")
def _channels(folder: Path, _clip: Clip) -> Path:
    inputs = ["-f", "lavfi", "-i", "color=blue:s=64x64:d=1", "-f", "lavfi", "-i", "anullsrc=cl=24c:d=1"]
    return make(folder / "channels.mkv", *inputs, *X264, "-c:a", "pcm_s16le", "-shortest")


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *parts: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(parts) + pixels + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(9) + frame + b"\xff\xda\x00\x02" + bytes(50) + b"\xff\xd9"


#: Logos: name -> bytes and the cause that refuses them.
PICTURES: dict[str, tuple[bytes, str]] = {
    "png of 60000 pixels a side": (png(60_000, 60_000), "too_many_pixels"),
    "png of one pixel by 2 thousand million": (png(1, 2**31 - 1), "too_many_pixels"),
    "png of nothing": (png(0, 10), "wrong_kind"),
    "png without a header": (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x"), "wrong_kind"),
    "png with two headers": (png(8, 8, chunk(b"IHDR", struct.pack(">II", 60_000, 60_000) + bytes(5))), "wrong_kind"),
    "png with a packed text": (png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(300_000_000), 9))),
                               "wrong_kind"),
    "png of 6000 parts": (png(8, 8, chunk(b"tEXt", b"a\0b") * 6000), "wrong_kind"),
    "jpeg of 65000 pixels a side": (jpeg(65_000, 65_000), "too_many_pixels"),
    "jpeg without a frame": (b"\xff\xd8\xff\xda\x00\x02" + bytes(10), "wrong_kind"),
    "svg as a logo": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "wrong_kind"),
    "gif as a logo": (b"GIF89a" + bytes(50), "wrong_kind"),
    "script as a logo": (b"\x89PNG\n<script>", "wrong_kind"),
}  # fmt: skip
