"""More hosts, more videos? And what all of it cost in connections and came to."""

from __future__ import annotations

from django.db import connection

from benchmarks._hosts_load import Connections, Load, soon, span_of
from benchmarks._hosts_net import wait
from benchmarks._hosts_stack import EDIT, PACE, POOL_SIZE, UPLOAD, WEB, WEB_PROCESSES, WEB_THREADS, Stack, workers
from benchmarks.harness import Figure, progress
from publishing.models import Job, JobEvent, Video
from publishing.states import JobKind, JobStatus, VideoStatus

#: TikTok's line: each part waits so long before it is taken, so that waiting and not our two processors is measured.
LINE_SECONDS = 3.0
CLIP_SECONDS = 1.5
#: Until a batch is due, so that all of it is edited by then.
DUE_SECONDS = 5.0
FAR_SECONDS = 3600.0
#: Connections of one worker: its task's, the thread's that renews the lease, its own sign of life.
PER_WORKER, PER_SCHEDULER = 3, 2


def uploads(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """The same batch by one upload host and by four, one worker each."""
    progress("uploads by one host, and by four")
    count = 4 if quick else 8
    source = load.source("small", seconds=1.0)
    load.control.fault("stall", endpoint="chunk", times=None, seconds=LINE_SECONDS)
    for name in UPLOAD[1:]:
        stack[name].stop()
    one = _uploaded(load, source, count)
    stack.start(UPLOAD[1:])
    four = _uploaded(load, source, count)
    load.control.heal()
    detail = {"videos": count, "line_seconds": LINE_SECONDS, "one_host_seconds": one, "four_hosts_seconds": four}
    return [
        Figure(name="uploads: 4 hosts against 1", measured=one / four, unit="×", goal=3.6, better="more", detail=detail)
    ]


def _uploaded(load: Load, source: object, count: int) -> float:
    """Seconds that `count` videos, all due in the same moment, take until TikTok has all their bytes.

    Its verdict comes later, at a time of its own, and no worker waits for it.
    """
    videos = load.submit(source, load.accounts["plain"][:count], at=soon(DUE_SECONDS))
    load.wait_for(videos, VideoStatus.POSTED)
    jobs = Job.objects.filter(video__in=[video.pk for video in videos], kind=JobKind.UPLOAD)
    began = min(jobs.values_list("started_at", flat=True))
    sent = JobEvent.objects.filter(job__in=jobs, new=JobStatus.PROCESSING).values_list("at", flat=True)
    return (max(sent) - began).total_seconds()


def edits(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """Edits of different files by one edit host and by two, one processor each."""
    progress("edits by one host, and by two")
    count = 2 if quick else 6
    sources = [load.source(f"clip-{number}", seconds=CLIP_SECONDS, turn=number) for number in range(count)]
    stack[EDIT[1]].stop()
    one = _edited(load, sources, "first")
    stack.start(EDIT[1:])
    two = _edited(load, sources, "second")
    detail = {"videos": count, "one_host_seconds": one, "two_hosts_seconds": two, "processors_a_host": 1}
    return [
        Figure(name="edits: 2 hosts against 1", measured=one / two, unit="×", goal=1.8, better="more", detail=detail)
    ]


def _edited(load: Load, sources: list[object], look: str) -> float:
    accounts = load.accounts[look]
    due = soon(FAR_SECONDS)
    videos = [
        video
        for number, source in enumerate(sources)
        for video in load.submit(source, [accounts[number % len(accounts)]], at=due)
    ]
    wait(lambda: not Video.objects.filter(pk__in=[video.pk for video in videos], edited=None).exists(),
         seconds=180, about="edits", every=0.1)  # fmt: skip
    load.later += videos
    return span_of(videos, JobKind.EDIT)


def connections(stack: Stack, seen: Connections) -> list[Figure]:
    """The most that PostgreSQL ever had from all hosts, against what the settings, or PgBouncer's pool, allow."""
    bound = PER_WORKER * workers(EDIT + UPLOAD) + PER_SCHEDULER * len(WEB) + WEB_PROCESSES * WEB_THREADS * len(WEB)
    bound = POOL_SIZE if stack.pooler else bound
    detail = {"pgbouncer": bool(stack.pooler), "at_the_peak": seen.of_peak, "peak_of_each_host": dict(seen.by_host)}
    return [Figure(name="database connections at the peak", measured=seen.peak, goal=bound, detail=detail)]


def rows(submitted: int) -> Figure:
    """What a video leaves in the database, tables by size."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(
            "SELECT relname, reltuples::bigint, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relname ~ '^(audit|insights|monitoring|notices|publishing)_' AND reltuples > %s"
            " ORDER BY 2 DESC",
            [submitted // 2],
        )
        tables = cursor.fetchall()
    detail = {name: {"rows_a_video": count / submitted, "kib_a_video": size / 1024 / submitted}
              for name, count, size in tables}  # fmt: skip
    return Figure(
        name="database rows a video", measured=sum(count for _name, count, _size in tables) / submitted, detail=detail
    )


def outcome(load: Load) -> list[Figure]:
    """Everything that was submitted, against TikTok's ledger."""
    found = load.verdict()
    detail = {"submitted": found.submitted, "posted": found.posted, "findings": found.findings, "pace": PACE}
    return [
        Figure(name="videos lost", measured=found.lost + found.failed + found.unconfirmed, goal=0, detail=detail),
        Figure(name="videos posted twice", measured=found.double_posted, goal=0),
        rows(found.submitted),
        Figure(name="videos with other bytes", measured=found.byte_mismatches, goal=0),
    ]
