"""What tests of the main job share: a small video, an account that the sandbox knows, workers that run here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import TikTokAccount, User
from publishing.editing.ffmpeg import ffmpeg_path
from publishing.models import Asset, Batch, Job, Video
from publishing.services.batches import AccountChoice, batch_submit
from publishing.services.ingest import asset_probe, source_ingest
from publishing.services.runner import job_run
from publishing.states import JOB_CLAIMABLE, PostMode, PrivacyLevel, SubtitleChoice


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of 9:16 video with sound that needs no edit: fast to publish."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", size="540x960")


def make_clip(path: Path, *, size: str = "540x960", seconds: float = 1, extra: tuple[str, ...] = ()) -> Path:
    picture = f"testsrc2=s={size}:r=30:d={seconds}"
    sound = f"sine=frequency=440:duration={seconds}"
    argv = [ffmpeg_path(), "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"]
    subprocess.run([*argv, *encode, *extra, str(path)], check=True, timeout=60)
    return path


@pytest.fixture
def ingest(cm: User) -> Callable[[Path], Asset]:
    def ingest(path: Path) -> Asset:
        with path.open("rb") as file:
            return source_ingest(stream=file, name=path.name, user=cm, declared_size=path.stat().st_size)

    return ingest


@pytest.fixture
def submit(cm: User, ingest: Callable[[Path], Asset], clip: Path) -> Callable[..., Batch]:
    """Submit the clip (or `source`) to accounts with the smallest valid choices."""
    keys = iter(range(1000))

    def submit(*accounts: TikTokAccount, source: Asset | None = None, **fields: Any) -> Batch:
        chosen = {
            "privacy_level": fields.pop("privacy_level", PrivacyLevel.SELF_ONLY),
        }
        defaults = {
            "user": cm,
            "source": source or asset_probe(asset=ingest(clip)),
            "caption": "Medialunas ñandú 😀 #panaderia",
            "choices": [AccountChoice(account=account, **chosen) for account in accounts],
            "mode": PostMode.DIRECT,
            "subtitles": SubtitleChoice.NONE,
            "submission_key": f"key-{next(keys)}",
        }
        return batch_submit(**(defaults | fields))

    return submit


@pytest.fixture
def work() -> Callable[..., None]:
    """Run every due job here and now, as the workers would, until none is due (or `rounds` are over)."""

    def work(rounds: int = 40, *, all_times: bool = True) -> None:
        for _round in range(rounds):
            due = Job.objects.filter(status__in=sorted(JOB_CLAIMABLE))
            if all_times:
                due.update(run_at=timezone.now())
            jobs = list(due.filter(run_at__lte=timezone.now()).order_by("pk"))
            if not jobs:
                return
            for job in jobs:
                job_run(job.pk)

    return work


def reload(video: Video) -> Video:
    return Video.objects.select_related("account", "edited").get(pk=video.pk)


def stream(data: bytes) -> BytesIO:
    return BytesIO(data)
