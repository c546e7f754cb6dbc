"""What is due in one minute, drained: in order, fairly between the accounts, as fast as TikTok's limits allow."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from benchmarks._pipeline_world import World, all_running, manage, wait_for
from benchmarks.harness import Figure, percentile, progress

EACH = 10
#: Upload workers that the scheduler believes in while nobody but us takes the bells.
LISTENERS = 100


def drains(world: World, *, quick: bool) -> list[Figure]:
    return [*_starts(world, quick=quick), *_uploads(world, quick=quick)]


def jain(values: Sequence[float]) -> float:
    """Jain's index: 1 when all have the same, 1/n when one has all."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 0.0


# The scheduler alone


def _starts(world: World, *, quick: bool) -> list[Figure]:
    """All are due now. The scheduler's own rounds, one after the other; we take every bell and do nothing."""
    from django.utils import timezone

    from publishing.models import Leadership
    from publishing.queues import get_queue
    from publishing.services.reconcile import reconcile_tick
    from publishing.states import JobKind, VideoStatus

    count = 300 if quick else EACH * len(world.accounts)
    accounts = world.accounts[: max(1, count // EACH)]
    now = timezone.now() - timedelta(seconds=1)
    videos = world.videos(count, status=VideoStatus.SCHEDULED, at=now, edited=world.edited, accounts=accounts)
    queue = get_queue(JobKind.UPLOAD)
    queue.connection.sadd(f"rq:workers:{queue.name}", *[f"rq:worker:bench-{n}" for n in range(LISTENERS)])
    account_of, rung, ticks = {video.pk: video.account_id for video in videos}, [], []
    Leadership.objects.filter(name="reconciler").delete()  # of a scheduler that has ended
    began = time.perf_counter()
    while len(rung) < count:
        started = time.perf_counter()
        done = reconcile_tick()
        ticks.append(time.perf_counter() - started)
        rung += [int(name.split("-")[1]) for name in queue.job_ids]
        queue.empty()
        if not done or (not done["rung"] and not done["started"]):
            raise RuntimeError(f"the scheduler stopped at {len(rung)} of {count}: {done}")
    seconds = time.perf_counter() - began
    queue.connection.delete(f"rq:workers:{queue.name}")
    order = _accounts_in_order(rung, account_of)
    _forget(videos)
    return _start_figures(order, count, len(accounts), seconds, ticks)


def _accounts_in_order(jobs: Sequence[int], account_of: dict[int, int]) -> list[int]:
    from publishing.models import Job

    video_of = dict(Job.objects.filter(pk__in=jobs).values_list("pk", "video"))
    return [account_of[video_of[job]] for job in jobs]


def _start_figures(order: list[int], count: int, accounts: int, seconds: float, ticks: list[float]) -> list[Figure]:
    half = defaultdict(int)
    for account in order[: count // 2]:
        half[account] += 1
    shares = [*half.values(), *[0] * (accounts - len(half))]
    first = {account: place for place, account in reversed(list(enumerate(order)))}
    progress(f"scheduler: {count} starts and bells in {seconds:.1f} s, worst round {max(ticks) * 1000:.0f} ms")
    detail = {
        "videos": count, "accounts": accounts, "seconds": round(seconds, 1), "rounds": len(ticks),
        "round_p50_ms": round(percentile(ticks, 0.5) * 1000, 1), "round_max_ms": round(max(ticks) * 1000, 1),
    }  # fmt: skip
    return [
        Figure(name=f"{count:,} videos of {accounts:,} accounts due at once: started and rung for in", unit="s",
               measured=seconds, goal=60.0, detail=detail),
        Figure(name="fairness when half of them are rung for (Jain's index over the accounts)", measured=jain(shares),
               goal=0.95, better="more", detail={"least": min(shares), "most": max(shares)}),
        Figure(name="bells before the last account had its first ÷ accounts", measured=(max(first.values()) + 1)
               / accounts, goal=1.5),
    ]  # fmt: skip


def _forget(videos: Sequence[Any]) -> None:
    from publishing.models import Job, Video
    from publishing.states import JobStatus, VideoStatus

    pks = [video.pk for video in videos]
    for start in range(0, len(pks), 5_000):
        some = pks[start : start + 5_000]
        Job.objects.filter(video__in=some).update(status=JobStatus.CANCELLED)
        Video.objects.filter(pk__in=some).update(status=VideoStatus.CANCELLED)


# The whole way, to TikTok's sandbox over HTTP


def _uploads(world: World, *, quick: bool) -> list[Figure]:
    """Scheduler, workers and sandbox as processes; every account has more to send than TikTok takes in a minute."""
    from django.utils import timezone

    from publishing.models import Video
    from publishing.states import VideoStatus

    accounts = world.accounts[: 4 if quick else 40]
    each = 3 if quick else EACH
    world.known_to_sandbox(accounts)
    due = timezone.now()
    videos = []
    for number in range(each):  # a minute has many seconds: the videos of an account follow each other
        at = due + timedelta(milliseconds=number)
        videos += world.videos(
            len(accounts), status=VideoStatus.SCHEDULED, at=at, edited=world.edited, accounts=accounts
        )
    pks = [video.pk for video in videos]
    posted = Video.objects.filter(pk__in=pks, status=VideoStatus.POSTED)
    programs = [world.sandbox_argv, manage("scheduler"), *[manage("worker", "upload")] * 4]
    with all_running(programs, log=world.folder / "drain.log"):
        wait_for(lambda: posted.count() == len(pks), "every video posted", seconds=240, every=0.5)
    return _upload_figures(pks, len(accounts), each)


def _upload_figures(pks: Sequence[int], accounts: int, each: int) -> list[Figure]:
    from publishing.models import UploadSession
    from publishing.services.sessions import INITS_PER_MINUTE

    starts: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for account, video, at in UploadSession.objects.filter(video__in=pks).values_list("account", "video", "init_at"):
        starts[account].append((at, video))
    for rows in starts.values():
        rows.sort()
    began = min(rows[0][0] for rows in starts.values())
    since = {account: [(at - began).total_seconds() for at, _video in rows] for account, rows in starts.items()}
    ends = [times[-1] for times in since.values()]
    half = sorted(moment for times in since.values() for moment in times)[accounts * each // 2]
    shares = [sum(moment <= half for moment in times) for times in since.values()]
    swapped = sum(_swapped([video for _at, video in rows]) for rows in starts.values())
    bound = 60.0 * ((each - 1) // INITS_PER_MINUTE)
    lag = max(
        max(times[place] for times in since.values()) - min(times[place] for times in since.values())
        for place in range(min(each, INITS_PER_MINUTE))
    )
    progress(f"uploads: {len(pks)} in {max(ends):.0f} s (TikTok's limit alone: {bound:.0f} s), lag {lag:.1f} s")
    detail = {
        "accounts": accounts, "videos_each": each, "seconds": round(max(ends), 1), "limit_alone_seconds": bound,
        "first_account_done_seconds": round(min(ends), 1), "most_inits_in_a_minute": max(map(_most, since.values())),
    }  # fmt: skip
    return [
        Figure(name=f"{len(pks)} uploads of {accounts} accounts ÷ the time that TikTok's {INITS_PER_MINUTE} a minute "
               "take alone", measured=max(ends) / bound if bound else 1.0, goal=1.25, detail=detail),
        Figure(name="uploads of an account out of their order, by more than those at once", measured=swapped, goal=0),
        Figure(name="fairness at half of the uploads (Jain's index)", measured=jain(shares), goal=0.95, better="more",
               detail={"least": min(shares), "most": max(shares)}),
        Figure(name="between the first and the last account's start of the same turn, at most", unit="s", measured=lag),
    ]  # fmt: skip


def _swapped(videos: Sequence[int]) -> int:
    """How many began more places away from their own than uploads of an account run at once."""
    from publishing.services.jobs import UPLOADS_PER_ACCOUNT

    right = {video: place for place, video in enumerate(sorted(videos))}
    return sum(abs(right[video] - place) >= UPLOADS_PER_ACCOUNT for place, video in enumerate(videos))


def _most(times: Sequence[float]) -> int:
    return max(sum(start <= moment < start + 60 for moment in times) for start in times)
