"""What the scheduler does each second: start what is due, wake what waits, take over what died.

Every step is idempotent and decides by conditional UPDATEs, so that a second reconciler does no harm; the
leadership only spares the work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from publishing.errors import LeaseLost, StateConflict
from publishing.models import (
    AccountCircuit,
    Asset,
    AssetKind,
    AssetStatus,
    Job,
    Leadership,
    SubtitleTrack,
    TrackStatus,
    Video,
)
from publishing.pace import paced
from publishing.queues import line, ring, waiting
from publishing.services.circuits import is_due
from publishing.services.cleaning import hosts_ring
from publishing.services.held import held_head, resume_held
from publishing.services.jobs import (
    job_bound,
    job_cancel_active,
    job_create,
    job_move,
    job_origin,
    job_ring,
    lane,
    worker_name,
)
from publishing.services.moves import is_missed, video_move, video_move_within
from publishing.services.outages import is_canary
from publishing.services.outcomes import given_up
from publishing.services.working import preferred_host
from publishing.states import HELD_BY_PERSON, JOB_CLAIMABLE, CircuitState, JobKind, JobStatus, VideoStatus
from subiteya.lib.tracing import bound, span

logger = logging.getLogger(__name__)

LEADERSHIP = paced(timedelta(seconds=15))
#: A bell that nobody answered is rung again.
RING_AGAIN = paced(timedelta(seconds=30))
#: How long the host that keeps an edit's files has a right to it.
HOST_PATIENCE = paced(timedelta(seconds=20))
CRASHES = 3
BATCH = 200
#: An account that was served within this stands behind those that were not: so long is TikTok's limit of starts.
TURN = timedelta(minutes=1)

Row = TypeVar("Row", Video, Job, AccountCircuit)


def reconcile_tick() -> dict[str, int]:
    """One round; the number of rows touched by each step. Does nothing in a process that does not lead.

    A round has a trace of its own, linked with those of the videos that it touched; one without any leaves none.
    """
    if not lead("reconciler"):
        return {}
    with span("reconcile", parent="", minor=True):
        return _round(timezone.now())


def is_behind(done: Mapping[str, int]) -> bool:
    """Did the round `done` leave work that the next one could do at once?"""
    return done.get("left", 0) > 0 or max(done.values(), default=0) >= BATCH


def _round(now: datetime) -> dict[str, int]:
    done = {
        "started": _each(_due(now), video_start),
        "missed": _each(_late(now), video_miss),
        "taken_over": _each(_dead(now), job_take_over),
        "probes": _each(_paused(now), probe_wake) + _each(_forgotten(), circuit_resume),
        "let_go": _let_go(now),
    }
    # What was started just now is due by now.
    bells = [_ring_jobs(timezone.now(), kind) for kind in (JobKind.EDIT, JobKind.UPLOAD)]
    rung, left = (sum(counts) for counts in zip(*bells, strict=True))
    return done | {"rung": rung + _ring_files(now), "left": left, "cleaning": hosts_ring()}


def lead(name: str) -> bool:
    """Take or keep a leadership: one conditional UPDATE; a leader that falls silent loses it."""
    now, owner = timezone.now(), worker_name()
    mine = Leadership.objects.filter(Q(owner=owner) | Q(until__lt=now), name=name)
    if mine.update(owner=owner, until=now + LEADERSHIP):
        return True
    try:
        with transaction.atomic():
            Leadership.objects.create(name=name, owner=owner, until=now + LEADERSHIP)
    except IntegrityError:
        return False
    return True


def _due(now: datetime) -> Iterable[Video]:
    """Edited videos whose time has come: the first of every account, then every second one, and so on."""
    turn = Window(RowNumber(), partition_by=F("account"), order_by=["scheduled_at", "pk"])
    due = Video.objects.filter(status=VideoStatus.SCHEDULED, scheduled_at__lte=now, edited__isnull=False)
    return due.annotate(turn=turn).order_by("turn", "scheduled_at", "pk")[:BATCH]


def _late(now: datetime) -> Iterable[Video]:
    """Videos whose time passed by more than the grace before they could start; not what a person holds."""
    grace = timedelta(seconds=settings.MISSED_GRACE_SECONDS)
    held_grace = timedelta(seconds=settings.HELD_GRACE_SECONDS)
    held = Video.objects.filter(status=VideoStatus.HELD, scheduled_at__lt=now - held_grace)
    parts = [held.exclude(reason_code=HELD_BY_PERSON)]
    for status in (VideoStatus.SCHEDULED, VideoStatus.PENDING, VideoStatus.AWAITING_APPROVAL):
        parts.append(Video.objects.filter(status=status, scheduled_at__lt=now - grace))
    # A question for each state, in its index's order: of "this or that" PostgreSQL may read all that ever was late.
    late = [video for part in parts for video in part.order_by("scheduled_at")[:BATCH]]
    return sorted(late, key=attrgetter("scheduled_at", "pk"))[:BATCH]


def _dead(now: datetime) -> Iterable[Job]:
    """Running jobs whose worker has fallen silent."""
    dead = Job.objects.filter(status=JobStatus.RUNNING, lease_until__lt=now).select_related("video")
    return dead.order_by("lease_until")[:BATCH]  # in that order, or SQLite reads every job for want of a better idea


def _each(rows: Iterable[Row], act: Callable[[Row], None]) -> int:
    """Act on each row in its own transaction; a row that moved meanwhile is somebody else's."""
    done = 0
    for row in rows:
        try:
            with _about(row, act.__name__), transaction.atomic():
                act(row)
            done += 1
        except (StateConflict, LeaseLost, IntegrityError):
            logger.info("reconcile_conflict", extra={"row": str(row)})
    return done


@contextmanager
def _about(row: Video | Job | AccountCircuit, name: str) -> Iterator[None]:
    """A span in the trace of the row's video, which goes on from the run before; of an account: in the round's."""
    if isinstance(row, Job):
        with job_bound(row), span(name, parent=job_origin(row), links={"previous": row.traceparent}):
            yield
    elif isinstance(row, Video):
        ids = bound(video_id=row.pk, account_id=row.account_id)
        with ids, span(name, parent=row.traceparent or row.trace_id):
            yield
    else:
        with bound(account_id=row.account_id), span(name, minor=True):
            yield


def video_start(video: Video) -> None:
    """Send a due video on its way, or call it missed when its hour is long gone. Part of the caller's transaction:
    ten thousand may be due at once, and each savepoint costs two questions.
    """
    if is_missed(video):
        video_miss(video)
        return
    video_move_within(video, VideoStatus.EDITED, "due", None, None, {})
    job_create(video=video, kind=JobKind.UPLOAD, rings=False)  # `_ring_jobs` does, in its turn


def video_miss(video: Video) -> None:
    """A late post is a person's decision: stop its work and say so."""
    job_cancel_active(video=video)
    due = video.scheduled_at.isoformat() if video.scheduled_at else ""
    video_move(video=video, to=VideoStatus.MISSED, code="missed", detail={"due": due})
    logger.warning("video_missed", extra={"video_id": video.pk})


def job_take_over(job: Job) -> None:
    """A worker died on it: back to the queue, or out of it when it has killed three."""
    crashes = job.crash_count + 1
    if crashes >= CRASHES:
        job_move(job=job, to=JobStatus.ERRORED, code="crashed", fence=job.fence, crash_count=crashes)
        video_move(video=job.video, to=given_up(job), code="crashed")
        logger.error("job_quarantined", extra={"job_id": job.pk, "video_id": job.video_id})
        return
    host = preferred_host(job.video) if job.kind == JobKind.EDIT else ""
    job_move(
        job=job, to=JobStatus.QUEUED, code="lease_expired", fence=job.fence, crash_count=crashes, belled_at=None,
        prefer_host=host,
    )  # fmt: skip
    logger.warning("job_taken_over", extra={"job_id": job.pk, "crashes": crashes})


def _paused(now: datetime) -> Iterable[AccountCircuit]:
    """Circuits whose pause is over."""
    return AccountCircuit.objects.filter(is_due(now)).order_by("open_until", "pk")[:BATCH]


def _forgotten() -> Iterable[AccountCircuit]:
    """Closed circuits with held uploads: the circuit closed in the moment in which they were put aside."""
    held = Job.objects.filter(status=JobStatus.HELD).values("video__account")
    return AccountCircuit.objects.filter(pk__in=held, state=CircuitState.CLOSED)[:BATCH]


def circuit_resume(circuit: AccountCircuit) -> None:
    """Send on what a closed circuit still holds."""
    resume_held(account_id=circuit.pk)


def probe_wake(circuit: AccountCircuit) -> None:
    """Call the account's first held upload: it asks for the probe when it is claimed. The others stay held."""
    now = timezone.now()
    head = held_head(circuit.account_id)
    called = lane(circuit.account_id).filter(status__in=[JobStatus.RUNNING, JobStatus.QUEUED])
    due = AccountCircuit.objects.filter(is_due(now), pk=circuit.pk)
    if head is None or called.exists() or not due.exists() or not is_canary(circuit, now):
        return
    job_move(job=head, to=JobStatus.QUEUED, code="probe", run_at=timezone.now())
    job_ring(head)


def _let_go(now: datetime) -> int:
    """A preferred host that did not answer in time is busy or gone: any host may do it, fetching what it lacks."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    silent = now - HOST_PATIENCE
    unanswered = Job.objects.exclude(prefer_host="").filter(
        free, status__in=sorted(JOB_CLAIMABLE), belled_at__gte=F("run_at"), belled_at__lt=silent,
        run_at__lt=silent,  # follows from the two before it; said for the index
    )  # fmt: skip
    return unanswered.update(prefer_host="", belled_at=None)


def _ring_jobs(now: datetime, kind: JobKind) -> tuple[int, int]:
    """Ring for jobs that are due, free, and were not rung for since they became due: as many as the queue has room for.

    Most wait here and not in Redis: their order is decided when they are rung for. What waits there unanswered is
    not rung for again, since each bell costs a worker time. Answers how many were rung for, and whether (1) others
    are left although there was room.
    """
    waits = line(kind)
    room = min(BATCH, waits.room) if waits else 0
    if not room:
        return 0, 0
    chosen = list(_in_turn(now, kind)[: room + 1])
    jobs = Job.objects.select_related("video").in_bulk(chosen[:room])
    rung: dict[int, list[int]] = {}
    left = int(len(chosen) > room)
    for job in (jobs[pk] for pk in chosen if pk in jobs):
        with job_bound(job):
            heard = ring(job.kind, "run_job", job.pk, job_origin(job), host=job.prefer_host)
        if not heard:
            left = 0  # Redis is down: the next round tries again
            break
        rung.setdefault(job.fence, []).append(job.pk)
    # Not one by one; were we to die before, they would be found waiting in the queue. Who took one meanwhile has
    # raised its fence, and what became of its bell is theirs to say.
    for fence, pks in rung.items():
        Job.objects.filter(pk__in=pks, fence=fence).update(belled_at=now)
    return sum(map(len, rung.values())), left


def _in_turn(now: datetime, kind: JobKind) -> QuerySet[Job, int]:
    """The keys of the jobs to ring for, an account after the other: what was just served counts as its first turns.

    The window sees what is due, runs, or ended within TURN, whatever the history holds.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    unheard = Q(belled_at=None) | Q(belled_at__lt=F("run_at")) | Q(belled_at__lt=now - RING_AGAIN)
    unheard &= ~Q(pk__in=waiting(kind))
    due = Q(status__in=[JobStatus.QUEUED, JobStatus.WAITING, JobStatus.PROCESSING], run_at__lte=now)
    # TikTok may take hours over what it has: that counts as served for no longer than the rest.
    runs, held_up = Q(status=JobStatus.RUNNING), Q(status=JobStatus.PROCESSING, started_at__gt=now - TURN)
    ended = Q(finished_at__gt=now - TURN)
    hour = Coalesce("video__scheduled_at", "video__created_at")
    turn = Window(RowNumber(), partition_by=F("video__account"), order_by=["-served", "hour", "video_id"])
    # One question for each index: of "this or that or that" SQLite would read the jobs of all time. And what has ended
    # is not asked for by its kind but without the others': an index of kinds would lead to all of them as well.
    parts = [Job.objects.filter(part, kind=kind) for part in (due, runs, held_up)]
    parts.append(Job.objects.filter(ended).exclude(kind__in=[other for other in JobKind.values if other != kind]))
    due_keys, *others = [part.order_by().values("pk") for part in parts]
    jobs = Job.objects.filter(pk__in=due_keys.union(*others))
    jobs = jobs.annotate(hour=hour, served=Case(When(runs | held_up | ended, then=1), default=0), turn=turn)
    # Every turn is above 0: said so, the choice is made after the turns were counted.
    chosen = jobs.filter(Q(turn__lt=1) | (due & free & unheard))
    return chosen.order_by("turn", "hour", "pk").values_list("pk", flat=True)


def _ring_files(now: datetime) -> int:
    """The same for files to check and subtitles to make, whose bell was lost."""
    unheard = Q(belled_at=None) | Q(belled_at__lt=now - RING_AGAIN)
    files = Asset.objects.filter(unheard, kind=AssetKind.SOURCE, status=AssetStatus.PENDING)
    texts = SubtitleTrack.objects.filter(unheard, status=TrackStatus.PENDING)
    # Asked for only where something waits: mostly nothing does.
    assets = files.exclude(pk__in=waiting(JobKind.EDIT, "run_probe"))[:BATCH] if files.exists() else []
    tracks = texts.exclude(pk__in=waiting(JobKind.EDIT, "run_track"))[:BATCH] if texts.exists() else []
    rung = 0
    for asset in assets:
        if not ring(JobKind.EDIT, "run_probe", asset.pk, ""):
            return rung
        rung += Asset.objects.filter(pk=asset.pk).update(belled_at=now)
    for track in tracks:
        if not ring(JobKind.EDIT, "run_track", track.pk, ""):
            return rung
        rung += SubtitleTrack.objects.filter(pk=track.pk).update(belled_at=now)
    return rung
