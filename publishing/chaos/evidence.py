"""What there is afterwards: our rows, and what lies about in the folder and the process table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from publishing.chaos.verdict import Asked, Left, Row
from publishing.models import Asset, Video
from subiteya.lib.proc import that_mention


def read_rows() -> list[Row]:
    """Every video of the private database."""
    videos = Video.objects.select_related("account", "edited").prefetch_related("uploads").order_by("pk")
    return [
        Row(
            pk=video.pk,
            asked=Asked(video.account.username, video.caption),
            status=video.status,
            code=video.reason_code,
            edited_sha256=video.edited.sha256 if video.edited else "",
            publish_ids=frozenset(session.publish_id for session in video.uploads.all() if session.publish_id),
        )
        for video in videos
    ]


def find_left() -> Left:
    """Scratch files, stored files that no row names, and living processes of the private installation."""
    return Left(
        work=sorted(_work_files(settings.WORK_DIR)),
        bucket=sorted(_unknown_files(Path(settings.MEDIA_ROOT))),
        processes=sorted(f"{process.pid} {' '.join(process.argv)}" for process in that_mention(settings.VAR_DIR)),
    )


def _work_files(folder: Path) -> Iterator[str]:
    jobs = folder / "jobs"
    yield from (str(path.relative_to(folder)) for path in jobs.glob("*"))
    parts = (path.relative_to(folder) for path in folder.rglob("*.part"))
    yield from (str(path) for path in parts if path.parts[0] != jobs.name)


def _unknown_files(bucket: Path) -> Iterator[str]:
    known = set(Asset.objects.values_list("storage_key", flat=True))
    files = (str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file())
    yield from (name for name in files if name not in known)
