"""Jobs a second of one worker, and of as many as there are cores: ours beside rq alone, on the same Redis.

Ours is the product's whole path of an edit whose result is there already: bell, claim, spans, heartbeat, the edit's
own questions, the file in the bucket found, job and video settled with their events and counters. rq's is a function
that does nothing, in its own forking `Worker`, without Django.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from benchmarks._pipeline_world import World, all_running, manage, wait_for
from benchmarks.harness import Figure, progress

#: The rate is taken between these shares of the jobs, so that neither start nor end of the workers counts.
FROM, TO = 0.15, 0.95
BARE_QUEUE = "bench-bare"


def nothing() -> None:
    """The job of the bare worker."""


def rates(world: World, *, quick: bool) -> list[Figure]:
    """Ours and rq's with one worker and with one per core, in turns."""
    cores = os.cpu_count() or 1
    count = 60 if quick else 300
    rounds = 1 if quick else 2
    found: dict[str, list[float]] = {}
    for _round in range(rounds):
        for workers in sorted({1, cores}):
            found.setdefault(f"rq_{workers}", []).append(_bare(workers, count * workers, world))
            found.setdefault(f"ours_{workers}", []).append(_ours(workers, count * workers, world))
    best = {name: max(values) for name, values in found.items()}
    progress("jobs/s: " + ", ".join(f"{name} {value:.1f}" for name, value in best.items()))
    detail = {f"{name}_jobs_per_second": [round(value, 1) for value in values] for name, values in found.items()}
    figures = [
        Figure(name="no-op jobs/s of a worker ÷ those of a bare rq fork worker", goal=0.5, better="more",
               measured=best["ours_1"] / best["rq_1"], detail=detail),
    ]  # fmt: skip
    if cores > 1:
        ours, bare = (best[f"{who}_{cores}"] / best[f"{who}_1"] / cores for who in ("ours", "rq"))
        figures += [
            Figure(name=f"{cores} workers ÷ {cores} × one worker", goal=0.9, better="more", measured=ours,
                   detail={"bare_rq": round(bare, 3), **detail}),
            Figure(name=f"the same of bare rq on these {cores} cores", measured=bare),
        ]  # fmt: skip
    return figures


def _ours(workers: int, count: int, world: World) -> float:
    from django.utils import timezone

    from publishing.queues import get_queue, ring
    from publishing.services.jobs import job_origin
    from publishing.states import JobKind, VideoStatus

    later = timezone.now() + timedelta(days=2)
    jobs = world.jobs(world.videos(count, status=VideoStatus.PENDING, at=later), JobKind.EDIT)
    for job in jobs:
        ring(JobKind.EDIT, "run_job", job.pk, job_origin(job))
    programs = all_running([manage("worker", "edit") for _ in range(workers)], log=world.folder / "workers.log")
    return _rate(programs, lambda: get_queue(JobKind.EDIT).count, count, lambda: _all_done(jobs))


def _all_done(jobs: Sequence[Any]) -> None:
    from publishing.models import Job
    from publishing.states import JobStatus

    def left() -> int:
        return Job.objects.filter(pk__in=[job.pk for job in jobs]).exclude(status=JobStatus.SUCCEEDED).count()

    wait_for(lambda: not left(), "the last jobs", seconds=20, every=0.2)


def _bare(workers: int, count: int, world: World) -> float:
    from django.conf import settings
    from redis import Redis
    from rq import Queue
    from rq.serializers import JSONSerializer

    queue = Queue(BARE_QUEUE, connection=Redis.from_url(settings.REDIS_URL), serializer=JSONSerializer)
    queue.enqueue_many(
        [Queue.prepare_data("benchmarks._pipeline_rate.nothing", timeout=-1, result_ttl=0) for _ in range(count)]
    )
    argv = [sys.executable, "-m", "benchmarks._pipeline_bare", settings.REDIS_URL]
    programs = all_running([argv] * workers, log=world.folder / "bare.log")
    return _rate(programs, lambda: queue.count, count, lambda: None)


def _rate(
    programs: AbstractContextManager[object], waiting: Callable[[], int], count: int, check: Callable[[], None]
) -> float:
    """Messages taken a second, by the length of the queue."""
    began: tuple[float, int] | None = None
    with programs:
        while True:
            taken, now = count - waiting(), time.perf_counter()
            if began is None and taken >= FROM * count:
                began = (now, taken)
            if began and taken >= TO * count:
                rate = (taken - began[1]) / (now - began[0])
                break
            time.sleep(0.01)
        wait_for(lambda: not waiting(), "the end of the queue")
        check()
    return rate
