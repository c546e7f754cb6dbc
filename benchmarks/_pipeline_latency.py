"""How long after *Publish* a worker begins: in an idle system, and with ten thousand videos waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from benchmarks._pipeline_world import World, all_running, manage, wait_for
from benchmarks.harness import Figure, percentile, progress

WORKERS = 2
#: Submissions come so often: slower than they are worked on, so that none waits for another.
EVERY_SECONDS = 0.2
GOAL_MS = 250.0


def latencies(world: World, *, quick: bool) -> list[Figure]:
    """Idle; with as many videos as asked queued for later; with as many due now, before ours."""
    times, queued = (10, 300) if quick else (60, 10_000)
    figures = []
    with _stack(world):
        figures.append(_figure("idle", _submissions(world, times), {}))
        _queue_for_later(world, queued)
        found = _submissions(world, times)
        figures.append(_figure(f"with {queued:,} videos for later, paused or put off", found, {}))
        _queue_for_now(world, queued)
        found = _submissions(world, times)
        left = _unfinished()
        detail = {"still_queued_at_the_end": left}
        figures.append(_figure(f"of a new account, with {queued:,} edits of others due before it", found, detail))
        _forget_queue()
    return figures


@contextmanager
def _stack(world: World) -> Iterator[None]:
    programs = [manage("scheduler"), *[manage("worker", "edit")] * WORKERS]
    with all_running(programs, log=world.folder / "latency.log"):
        _submissions(world, 3)  # everybody is awake then
        yield


def _figure(where: str, seconds: list[float], detail: dict[str, Any]) -> Figure:
    p95 = percentile(seconds, 0.95) * 1000
    half, most = percentile(seconds, 0.5) * 1000, max(seconds) * 1000
    progress(f"submit to start, {where}: p50 {half:.0f} ms, p95 {p95:.0f} ms, max {most:.0f} ms")
    return Figure(
        name=f"submit to start, p95, {where}", measured=p95, unit="ms", goal=GOAL_MS,
        detail={"p50_ms": round(half, 1), "max_ms": round(most, 1), "submissions": len(seconds), "workers": WORKERS,
                **detail},
    )  # fmt: skip


def _submissions(world: World, times: int) -> list[float]:
    """Seconds from the call that submits one video to the start of its edit; its edit is there already."""
    from django.utils import timezone

    from publishing.models import Job

    called = {}
    for _time in range(times):
        at = timezone.now()
        called[world.submit(world.guest, at + timedelta(days=2)).pk] = at
        time.sleep(EVERY_SECONDS)
    started = Job.objects.filter(video__batch__in=called, started_at__isnull=False)
    wait_for(lambda: started.count() == times, "the start of every submission", every=0.2)
    found = started.values_list("video__batch", "started_at")
    return [(start - called[batch]).total_seconds() for batch, start in found if start]


def _queue_for_later(world: World, count: int) -> None:
    """Most wait for their hour, some for their account, some for another attempt."""
    from django.utils import timezone

    from publishing.states import JobKind, JobStatus, VideoStatus

    later, edited = timezone.now() + timedelta(days=1), world.edited
    world.videos(count - 2 * (count // 10), status=VideoStatus.SCHEDULED, at=later, edited=edited)
    held = world.videos(count // 10, status=VideoStatus.HELD, edited=edited)
    world.jobs(held, JobKind.UPLOAD, status=JobStatus.HELD)
    again = world.videos(count // 10, status=VideoStatus.RETRYING, edited=edited)
    world.jobs(again, JobKind.UPLOAD, status=JobStatus.WAITING, run_at=later)


def _queue_for_now(world: World, count: int) -> None:
    """Edits of many accounts, all due: what a morning's submission of everything leaves."""
    from django.utils import timezone

    from publishing.states import JobKind, VideoStatus

    later = timezone.now() + timedelta(days=1)
    world.jobs(world.videos(count, status=VideoStatus.PENDING, at=later), JobKind.EDIT, belled_at=None)


def _unfinished() -> int:
    from publishing.models import Job
    from publishing.states import JobKind, JobStatus

    return Job.objects.filter(kind=JobKind.EDIT, status=JobStatus.QUEUED).count()


def _forget_queue() -> None:
    from publishing.models import Job
    from publishing.states import JobKind, JobStatus

    Job.objects.filter(kind=JobKind.EDIT, status=JobStatus.QUEUED).update(status=JobStatus.CANCELLED)
