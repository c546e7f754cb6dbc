"""Edits by our own code, in a process with a database and a bucket of its own: `python -m benchmarks._editor WHAT`.

WHAT is a function here; its answer is printed as JSON. The folder to work in is BENCH_FOLDER, with `sample.mp4`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "subiteya.settings.test")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.utils import timezone  # noqa: E402

FOLDER = Path(os.environ["BENCH_FOLDER"])
NAME = f"{os.getpid()}"
settings.MEDIA_ROOT, settings.WORK_DIR = FOLDER / "bucket", FOLDER / "work"
if endpoint := os.environ.get("BENCH_S3"):
    keys = {"access_key": "bench", "secret_key": "bench", "region_name": "us-east-1", "bucket_name": "bench"}
    s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"endpoint_url": endpoint, **keys}}
    settings.STORAGES = {**settings.STORAGES, "default": s3}

from publishing.editing import fonts  # noqa: E402
from publishing.editing.children import NICENESS  # noqa: E402
from publishing.editing.ffmpeg import _environment, ffmpeg_path, ffmpeg_version, render  # noqa: E402
from publishing.editing.graph import SUBTITLES  # noqa: E402
from publishing.editing.spec import EditSpec  # noqa: E402
from publishing.models import AccountBrand, Asset, BrandPattern, Job, Render, Video  # noqa: E402
from publishing.services.edit import _spec  # noqa: E402
from publishing.services.files import local_copy  # noqa: E402
from publishing.services.ingest import asset_probe, source_ingest  # noqa: E402
from publishing.services.jobs import job_claim  # noqa: E402
from publishing.services.runner import job_run  # noqa: E402
from publishing.states import SubtitleChoice, VideoStatus  # noqa: E402
from tests.factories import (  # noqa: E402
    BatchFactory,
    JobFactory,
    SubtitleTrackFactory,
    TikTokAccountFactory,
    UserFactory,
    VideoFactory,
)

LINES = ("Las medialunas salen calentitas", "a las siete de la mañana", "son de manteca", "¡vení temprano!")
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))


def source() -> Asset:
    """The sample, taken in and probed as a person's file is."""
    path = FOLDER / "sample.mp4"
    with path.open("rb") as file:
        user = UserFactory(username=f"cm-{NAME}")
        asset = source_ingest(stream=file, name=path.name, user=user, declared_size=path.stat().st_size)
    return asset_probe(asset=asset)


def branded(videos: list[Video]) -> None:
    """Colours, loudness and a shape for all of their accounts; `NAME` makes the edit one of this process."""
    pattern = BrandPattern.objects.create(
        name=NAME, fit="blur", brightness=0.02 + int(NAME) % 997 / 1e5, contrast=1.05, saturation=1.1, temperature=0.2,
        loudness_lufs=-14,
    )  # fmt: skip
    for video in videos:
        AccountBrand.objects.create(account=video.account, pattern=pattern)


def submitted(asset: Asset, accounts: int, *, plain: bool = False) -> list[Video]:
    """One batch, to be edited: with a brand and subtitles, or (`plain`) with nothing to change."""
    batch = BatchFactory(source=asset, submission_key=f"{NAME}-{time.monotonic_ns()}")
    cues = [{"start_ms": 2500 * at, "end_ms": 2500 * at + 2300, "text": text} for at, text in enumerate(LINES)]
    track = SubtitleTrackFactory(asset=asset, cues=cues) if not plain else None
    variant = SubtitleChoice.NONE if plain else SubtitleChoice.AUTO
    names = [f"{NAME}-{time.monotonic_ns()}" for _each in range(accounts)]
    videos = [
        VideoFactory(
            batch=batch, account=TikTokAccountFactory(username=name[-24:], open_id=name), track=track,
            subtitle_variant=variant,
        )
        for name in names
    ]  # fmt: skip
    if not plain:
        branded(videos)
    for video in videos:
        JobFactory(video=video, run_at=timezone.now())
    return videos


def run_edit(video: Video) -> float:
    """The seconds of one run of the video's edit job, as a worker does it."""
    job = Job.objects.get(video=video, kind="edit")
    Job.objects.filter(pk=job.pk).update(run_at=timezone.now())
    started = time.perf_counter()
    job_run(job.pk)
    return time.perf_counter() - started


def edited(video: Video) -> float:
    seconds = run_edit(video)
    video.refresh_from_db()
    assert video.edited is not None, (video.status, video.reason_code)
    return seconds


def again(video: Video) -> None:
    """As if it had never been edited: its next edit does all of it."""
    video.refresh_from_db()
    asset = video.edited
    Job.objects.filter(video=video).delete()
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.PENDING, edited=None)
    Render.objects.all().delete()
    if asset:
        default_storage.delete(asset.storage_key)
        asset.delete()
    JobFactory(video=video, run_at=timezone.now())


def spec_of(video: Video, output: Path) -> EditSpec:
    claim = job_claim(Job.objects.get(video=video, kind="edit").pk, owner="bench")
    assert claim
    spec = _spec(claim, video.batch.source)
    spec = EditSpec(
        source=spec.source, source_path=local_copy(video.batch.source), output_path=output, brand=spec.brand,
        cues=spec.cues,
    )  # fmt: skip
    Job.objects.filter(pk=claim.job.pk).delete()
    JobFactory(video=video, run_at=timezone.now())
    return spec


def by_hand(spec: EditSpec, work: Path) -> float:
    """The very same command line, typed by a person: no limits, no progress, the same priority."""
    argv = ["nice", "-n", str(NICENESS), ffmpeg_path(), *spec.argv()]
    started = time.perf_counter()
    subprocess.run(argv, cwd=work, env=_environment(work), stdin=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def hand_folder(spec: EditSpec) -> Path:
    work = FOLDER / "hand"
    work.mkdir(exist_ok=True)
    if spec.cues:
        fonts.lay_out(work)
        (work / SUBTITLES).write_text(spec.subtitles, encoding="utf-8")
    return work


def compare(*, plain: bool) -> dict[str, list[float]]:
    """By hand, our `render`, and the whole job, in turns."""
    video = submitted(source(), 1, plain=plain)[0]
    ffmpeg_version()
    spec = spec_of(video, FOLDER / "hand.mp4")
    work = hand_folder(spec)
    assert spec.is_noop == plain
    found: dict[str, list[float]] = {"hand": [], "render": [], "job": []}
    acts: dict[str, Callable[[], float]] = {
        "hand": lambda: by_hand(spec, work),
        "render": lambda: _timed(lambda: render(spec, on_progress=lambda _share: None)),
        "job": lambda: edited(video),
    }
    for turn in range(REPEATS + 1):
        for name, act in acts.items():
            seconds = act()
            if turn:  # the first warms up
                found[name].append(seconds)
        again(video)
    return found


def full() -> dict[str, list[float]]:
    return compare(plain=False)


def copied() -> dict[str, list[float]]:
    return compare(plain=True)


def shared() -> dict[str, Any]:
    """Five accounts of one batch: how many rows and seconds that makes. The caller counts ffmpeg's processes."""
    videos = submitted(source(), 5)
    seconds = [run_edit(video) for video in videos]
    done = Video.objects.filter(edited__isnull=False).values("edited").distinct()
    return {"seconds": seconds, "renders": Render.objects.count(), "files": done.count()}


def one() -> dict[str, Any]:
    return {"seconds": edited(submitted(source(), 1)[0])}


def retried() -> dict[str, Any]:
    """A whole edit; one that cannot be stored because the S3 server is gone; and its retry, with the server back."""
    asset = source()
    whole = submitted(asset, 1)[0]
    seconds = {"whole": edited(whole)}
    again(whole)
    _told("stop the server")
    seconds["failed"] = run_edit(whole)
    whole.refresh_from_db()
    assert (whole.status, whole.reason_code) == (VideoStatus.RETRYING, "store_failed"), whole.reason_code
    _told("start the server")
    seconds["retry"] = edited(whole)
    return seconds


def serve() -> None:
    """One whole edit for every line that comes in."""
    video = submitted(source(), 1)[0]
    _told("ready")
    while True:
        print(json.dumps(edited(video)), flush=True)
        again(video)
        _told("ready")


def _told(what: str) -> None:
    """Say it, and wait for a line."""
    print(what, flush=True)
    if not sys.stdin.readline():
        sys.exit(0)


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps({each.__name__: each for each in (full, copied, shared, one, retried, serve)}[sys.argv[1]]()))
