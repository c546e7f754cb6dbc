"""A handful of short clips, cut from the sample and tinted, for a month of videos to share."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from publishing.demo.history import DAYS
from publishing.editing.ffmpeg import ffmpeg_path
from publishing.models import Asset, AssetKind, AssetStatus, SubtitleTrack, TrackStatus
from publishing.services.files import HashingReader, bucket_put
from publishing.services.ingest import asset_probe, source_ingest

SAMPLE: Path = settings.BASE_DIR / "demo" / "sample.mp4"
SCRIPT: Path = settings.BASE_DIR / "demo" / "sample.txt"
#: Name -> turn of the colour wheel in degrees, and seconds.
CLIPS = {"horneada.mp4": (0, 3), "taller.mp4": (110, 3), "montaña.mp4": (230, 4)}
#: The whole picture over a blurred one that fills TikTok's shape.
PICTURE = (
    "split[a][b];[a]scale=360:640:force_original_aspect_ratio=increase,crop=360:640,boxblur=12[back];"
    "[b]scale=360:640:force_original_aspect_ratio=decrease:force_divisible_by=2[front];"
    "[back][front]overlay=(W-w)/2:(H-h)/2,hue=h={turn}"
)
CLIP_SECONDS = 60


@dataclass(frozen=True)
class DemoFile:
    """A source as somebody ingested it, the edit of it, and its subtitles."""

    source: Asset
    edited: Asset
    track: SubtitleTrack


def demo_files(user: User) -> list[DemoFile]:
    """Cut, ingest and check the clips; takes a second or two."""
    with tempfile.TemporaryDirectory() as folder:
        return [_file(path, user) for path in _clips(Path(folder))]


def _clips(folder: Path) -> Iterator[Path]:
    for name, (turn, seconds) in CLIPS.items():
        path = folder / name
        # fmt: off
        subprocess.run([
            ffmpeg_path(), "-nostdin", "-y", "-v", "error", "-i", str(SAMPLE), "-t", str(seconds),
            "-vf", PICTURE.format(turn=turn), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30",
            "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", str(path),
        ], timeout=CLIP_SECONDS, check=True)
        # fmt: on
        yield path


def _file(path: Path, user: User) -> DemoFile:
    with path.open("rb") as stream:
        source = source_ingest(stream=stream, name=path.name, user=user, declared_size=path.stat().st_size)
    source = asset_probe(asset=source)
    Asset.objects.filter(pk=source.pk).update(created_at=timezone.now() - timedelta(days=DAYS + 1))
    return DemoFile(source, _edited(path, source), _track(source, user))


def _edited(path: Path, source: Asset) -> Asset:
    """The clip is in TikTok's shape already, so its edit is a copy of it."""
    known = Asset.objects.filter(kind=AssetKind.EDITED, sha256=source.sha256).first()
    if known:
        return known
    with path.open("rb") as stream:
        reader = HashingReader(stream, limit=source.size)
        key = bucket_put(reader, folder="edited", suffix=".mp4")
    return Asset.objects.create(
        kind=AssetKind.EDITED, status=AssetStatus.READY, storage_key=key, original_name=path.name,
        sha256=source.sha256, xxh3=reader.sums.xxh3, size=source.size, probe=source.probe,
    )  # fmt: skip


def _track(source: Asset, user: User) -> SubtitleTrack:
    words = SCRIPT.read_text(encoding="utf-8").split()[:8]
    cues = [{"start_ms": 0, "end_ms": source.duration_ms, "text": " ".join(words)}]
    return SubtitleTrack.objects.create(
        asset=source, language="es", engine="script-align", status=TrackStatus.READY, cues=cues, created_by=user
    )
