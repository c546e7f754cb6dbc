"""Jobs: created with their bell, claimed by one worker, kept by heartbeat, written only under the fence."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.errors import LeaseLost, StateConflict
from publishing.models import AccountCircuit, Job, JobEvent, Video
from publishing.pace import paced
from publishing.queues import after_commit, line, ring
from publishing.services.moves import video_move_within
from publishing.services.working import preferred_host
from publishing.signals import job_moved
from publishing.states import (
    JOB_ACTIVE,
    JOB_ALLOWED,
    JOB_CLAIMABLE,
    JOB_TERMINAL,
    JobKind,
    JobStatus,
    VideoStatus,
)
from subiteya.lib.tracing import bound, current_traceparent

LEASE = paced(timedelta(seconds=90))
HEARTBEAT_SECONDS = paced(20.0)
#: TikTok copes with a few uploads of one account at once; the rest waits in order.
UPLOADS_PER_ACCOUNT = 3
#: Why an upload waits that would be one too many in its account's minute.
RATE_LIMIT_OWN = "rate_limit_own"
#: After a pause an account goes on one by one for this long.
EASE_IN = paced(timedelta(minutes=10))
PROGRESS_SECONDS = 0.5


@dataclass(slots=True)
class Claim:
    """The right to work on `job`: valid while the row still carries `fence`."""

    job: Job
    fence: int
    owner: str
    lost: threading.Event = field(default_factory=threading.Event)
    #: Renewed with the lease; one that answers False ends the claim.
    renewals: list[Callable[[], bool]] = field(default_factory=list)
    #: The only try of a paused account: it gives up soon.
    is_probe: bool = False
    _progress_at: float = 0.0

    def check(self) -> None:
        """Raise LeaseLost as soon as the heartbeat has seen that the job is not ours any more."""
        if self.lost.is_set():
            raise LeaseLost(f"job {self.job.pk}")


def job_create(
    *, video: Video, kind: JobKind, run_at: datetime | None = None, prefer_host: str = "", rings: bool = True
) -> Job:
    """Write a job of `video` and ring for it after the commit. The database refuses a second active one.

    `prefer_host` is rung first; when nobody there answers, the reconciler rings for every host. Without `rings` the
    reconciler rings in the job's turn.
    """
    now = timezone.now()
    job = Job.objects.create(
        video=video, kind=kind, run_at=run_at or now, belled_at=now if rings else None, trace_id=video.trace_id,
        traceparent=current_traceparent(), prefer_host=prefer_host,
    )  # fmt: skip
    JobEvent.objects.create(job=job, new=JobStatus.QUEUED, at=now, trace_id=job.trace_id)
    if run_at is None and rings:
        _bell(job)
    return job


def _bell(job: Job, *, in_turn: bool = False) -> None:
    """Ring for `job` after the commit, unless too many bells wait already (or, `in_turn`, any) or Redis is silent:
    then the reconciler rings when it is the account's turn.
    """

    def ring_or_leave() -> None:
        waits = line(job.kind)
        if waits is None or (not job.prefer_host and (waits.is_full or (in_turn and waits.length))):
            Job.objects.filter(pk=job.pk).update(belled_at=None)
        else:
            ring(job.kind, "run_job", job.pk, job_origin(job), host=job.prefer_host)

    with job_bound(job):
        after_commit(ring_or_leave)


def job_origin(job: Job) -> str:
    """The span of the video's submission, below which all work on it is; of an old video just the trace id."""
    return job.video.traceparent or job.trace_id


def job_bound(job: Job) -> AbstractContextManager[None]:
    """Work for `job`, on every log line and span within."""
    return bound(job_id=job.pk, video_id=job.video_id, account_id=job.video.account_id)


@transaction.atomic
def job_move(
    *, job: Job, to: JobStatus, code: str = "", detail: dict[str, Any] | None = None, fence: int | None = None,
    **fields: Any,
) -> Job:  # fmt: skip
    """Move a job and record it, or raise StateConflict when another process moved it first.

    With `fence`, only while that claim holds (LeaseLost otherwise).
    """
    return _move(job, to, code, detail, fence, fields)


def _move(
    job: Job, to: JobStatus, code: str, detail: dict[str, Any] | None, fence: int | None, fields: dict[str, Any]
) -> Job:
    old = JobStatus(job.status)
    now = timezone.now()
    values: dict[str, Any] = {"status": to, "reason_code": code, "reason_detail": detail or {}, **fields}
    if to in JOB_TERMINAL:
        values["finished_at"] = now
    if to not in {JobStatus.RUNNING}:
        values |= {"lease_until": None, "owner": ""}
    rows = Job.objects.filter(pk=job.pk, status=old)
    if fence is not None:
        rows = rows.filter(fence=fence)
    if to not in JOB_ALLOWED[old] or not rows.update(**values):
        raise _conflict(job, fence, f"job {job.pk}: {old} -> {to}")
    JobEvent.objects.create(
        job=job, old=old, new=to, code=code, owner=job.owner, fence=job.fence, at=now, trace_id=job.trace_id
    )
    for name, value in values.items():
        setattr(job, name, value)
    job_moved.send(Job, job=job, old=old, new=to, code=code)
    return job


def job_claim(pk: int, *, owner: str) -> Claim | None:
    """Take job `pk` if it is due and free; None when there is nothing to do (a duplicate or late bell)."""
    with transaction.atomic():
        job = Job.objects.select_related("video__account", "video__batch__source").filter(pk=pk).first()
        if job is None or not _is_claimable(job):
            return None
        if _is_in_lane(job) and not _lane_is_free(job):
            return None
        return _take(job, owner)


def _take(job: Job, owner: str) -> Claim | None:
    now = timezone.now()
    old = JobStatus(job.status)
    # A poll of TikTok's answer keeps the status `processing`: it is a look, not another run.
    status = old if old == JobStatus.PROCESSING else JobStatus.RUNNING
    values = {
        "status": status, "owner": owner, "host": settings.HOST_NAME, "lease_until": now + LEASE,
        "started_at": job.started_at or now, "reason_code": "", "reason_detail": {},
    }  # fmt: skip
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    taken = Job.objects.filter(free, pk=job.pk, status=old, fence=job.fence).update(fence=F("fence") + 1, **values)
    if not taken:
        return None
    for name, value in values.items():
        setattr(job, name, value)
    job.fence += 1
    if status != old:
        JobEvent.objects.create(
            job=job, old=old, new=status, owner=owner, fence=job.fence, at=now, trace_id=job.trace_id
        )
    return Claim(job=job, fence=job.fence, owner=owner)


def _is_claimable(job: Job) -> bool:
    return job.status in JOB_CLAIMABLE and job.run_at <= timezone.now()


def _is_in_lane(job: Job) -> bool:
    held_up = job.status == JobStatus.WAITING and job.reason_code == RATE_LIMIT_OWN
    return job.kind == JobKind.UPLOAD and (job.status == JobStatus.QUEUED or held_up)


def _in_lane(now: datetime) -> Q:
    """Uploads that wait for their turn; one that our own rate holds up keeps its place before its time, too."""
    held_up = Q(status=JobStatus.WAITING, reason_code=RATE_LIMIT_OWN)
    return Q(status=JobStatus.QUEUED, run_at__lte=now) | held_up


def _lane_is_free(job: Job) -> bool:
    """May this upload start, or are there enough of its account before it?

    The account's row is locked, so that two workers count one after the other.
    """
    TikTokAccount.objects.select_for_update().get(pk=job.video.account_id)
    others = lane(job.video.account_id).exclude(pk=job.pk)
    running = others.filter(status=JobStatus.RUNNING).count()
    due = job.video.scheduled_at or job.video.created_at
    waiting = others.filter(_in_lane(timezone.now()))
    earlier = waiting.filter(due__lt=due).count() + waiting.filter(due=due, video_id__lt=job.video_id).count()
    return running + earlier < _lane_width(job.video.account_id)


def _lane_width(account_id: int) -> int:
    """How many uploads of the account run at once: one after the other just after a pause."""
    recent = AccountCircuit.objects.filter(pk=account_id, closed_at__gt=timezone.now() - EASE_IN)
    return 1 if recent.exists() else UPLOADS_PER_ACCOUNT


def lane(account_id: int) -> QuerySet[Any]:
    """The uploads of an account; they start in the order of `due`, then of their submission."""
    due = Coalesce("video__scheduled_at", "video__created_at")
    return Job.objects.filter(kind=JobKind.UPLOAD, video__account=account_id).annotate(due=due)


def job_ring_next(*, account_id: int) -> None:
    """Wake as many of the account's uploads as there are places in its lane, the first that wait."""
    now = timezone.now()
    places = _lane_width(account_id) - lane(account_id).filter(status=JobStatus.RUNNING).count()
    waiting = lane(account_id).filter(_in_lane(now), run_at__lte=now)
    for job in waiting.order_by("due", "video_id").select_related("video")[: max(0, places)]:
        job_ring(job, in_turn=True)  # while other accounts wait, this one does not go on before them


def job_ring(job: Job, *, in_turn: bool = False) -> None:
    """Ring for `job` after the commit, and remember when. `in_turn`: not while other bells wait."""
    Job.objects.filter(pk=job.pk).update(belled_at=timezone.now())
    _bell(job, in_turn=in_turn)


def job_write(claim: Claim, **fields: Any) -> None:
    """Write to the claimed row; LeaseLost when the fence has moved on."""
    if not Job.objects.filter(pk=claim.job.pk, fence=claim.fence, status__in=sorted(JOB_ACTIVE)).update(**fields):
        claim.lost.set()
        raise LeaseLost(f"job {claim.job.pk}")
    for name, value in fields.items():
        setattr(claim.job, name, value)


def job_progress(claim: Claim, share: float, *, step: str | None = None, now: Callable[[], float]) -> None:
    """Show how far the step is (0 to 1), at most twice a second; raise LeaseLost when the job was taken away."""
    claim.check()
    moment = now()
    if step is None and moment - claim._progress_at < PROGRESS_SECONDS:
        return
    claim._progress_at = moment
    values: dict[str, Any] = {"progress": min(1.0, max(0.0, share))}
    if step is not None:
        values["step"] = step
    job_write(claim, **values)


def job_renew(claim: Claim) -> bool:
    """Extend the lease; False (and the claim is lost) when another worker has the job, or it was cancelled."""
    rows = Job.objects.filter(pk=claim.job.pk, fence=claim.fence, status__in=[JobStatus.RUNNING, JobStatus.PROCESSING])
    if rows.update(lease_until=timezone.now() + LEASE) and all(renew() for renew in claim.renewals):
        return True
    claim.lost.set()
    return False


@contextmanager
def heartbeat(claim: Claim, *, every: float = HEARTBEAT_SECONDS) -> Iterator[None]:
    """Renew the lease from a thread of its own while the work goes on."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(every):
            try:
                if not job_renew(claim):
                    return
            except DatabaseError:
                continue  # the lease outlives three missed beats
            finally:
                connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{claim.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def job_abandon(*, owner: str) -> int:
    """The process `owner` is dead for certain: let the scheduler take its jobs over now, not when the lease ends."""
    jobs = Job.objects.filter(owner=owner, status=JobStatus.RUNNING)
    return jobs.update(lease_until=timezone.now())


def job_unanswered(pk: int, *, owner: str, since: datetime) -> None:
    """`owner` heard a bell for job `pk` at `since` and has to stop before it could say so: let the scheduler ring, or
    take the job over, now. A bell that was rung after `since` stands.
    """
    Job.objects.filter(pk=pk, status__in=sorted(JOB_CLAIMABLE), belled_at__lte=since).update(belled_at=None)
    job_abandon(owner=owner)


def job_release(claim: Claim) -> None:
    """Give a running job back untouched (the worker stops): it keeps its attempt and is rung again."""
    with transaction.atomic():
        if claim.job.status == JobStatus.PROCESSING:
            job_write(claim, lease_until=None, owner="")
            return
        host = preferred_host(claim.job.video) if claim.job.kind == JobKind.EDIT else ""
        job_move(job=claim.job, to=JobStatus.QUEUED, code="worker_stopped", fence=claim.fence, prefer_host=host)
        job_ring(claim.job)


def job_cancel_active(*, video: Video) -> None:
    """Cancel the video's active job, if any; a worker on it notices at its next write or heartbeat."""
    for job in Job.objects.filter(video=video, status__in=sorted(JOB_ACTIVE)):
        job_move(job=job, to=JobStatus.CANCELLED, code="cancelled_by_person", fence=None)


@transaction.atomic
def job_finish(
    claim: Claim, *, to: JobStatus, video_to: VideoStatus | None, code: str = "", detail: dict[str, Any] | None = None,
    job_fields: dict[str, Any] | None = None, **video_fields: Any,
) -> None:  # fmt: skip
    """Move job and video together, under the fence: both or neither."""
    _move(claim.job, to, code, detail, claim.fence, job_fields or {})
    if video_to is not None:
        video_move_within(claim.job.video, video_to, code, detail, None, video_fields)
    elif video_fields:
        Video.objects.filter(pk=claim.job.video_id).update(**video_fields)


def worker_name(pid: int = 0) -> str:
    """`host:pid`, unique among live workers."""
    return f"{settings.HOST_NAME}:{pid or os.getpid()}"


def _conflict(job: Job, fence: int | None, message: str) -> Exception:
    if fence is not None and not Job.objects.filter(pk=job.pk, fence=fence).exists():
        return LeaseLost(message)
    return StateConflict(message)
