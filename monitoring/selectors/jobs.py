"""How much work there is, and how many hands: read from the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone

from monitoring.models import DailyPeak
from monitoring.selectors.summaries import Counted, by_name, sums_now
from publishing.models import Job, WorkerHeartbeat, WorkerKind
from publishing.services.heartbeats import DEAD_AFTER
from publishing.states import JobKind, JobStatus

PEAK_DAYS = 30


@dataclass(frozen=True)
class Capacity:
    """`now` jobs at once, the most of the last 30 days (today included), and how many there are workers for.

    The peak is history, not capacity: a quiet month has a low one.
    """

    now: int
    peak30d: int
    capacity: int

    @property
    def share(self) -> float | None:
        """Of the peak; None without one."""
        return self.now / self.peak30d if self.peak30d else None


def active_jobs() -> dict[str, int]:
    """Kind → jobs that a worker works on now. One whose worker died is not counted once its lease is over."""
    running = Job.objects.filter(status=JobStatus.RUNNING, lease_until__gt=timezone.now())
    return _by_kind(dict(running.order_by().values_list("kind").annotate(n=Count("pk"))))


def queued_jobs() -> dict[str, int]:
    """Kind → jobs that are due and wait for a worker."""
    return {kind: count for kind, (count, _age) in queues().items()}


def queues() -> dict[str, tuple[int, float]]:
    """Kind → (due jobs that wait, for how many seconds the oldest has)."""
    now = timezone.now()
    due = Job.objects.filter(status__in=[JobStatus.QUEUED, JobStatus.WAITING], run_at__lte=now)
    rows = due.order_by().values_list("kind").annotate(n=Count("pk"), oldest=Min("run_at"))
    found = {kind: (n, (now - oldest).total_seconds()) for kind, n, oldest in rows}
    return {kind: found.get(kind, (0, 0.0)) for kind in JobKind.values}


def jobs_by_kind_and_status(sums: Iterable[Counted] | None = None) -> dict[tuple[str, str], int]:
    """`(kind, status)` → jobs; `sums` of now for who has them already."""
    found = by_name(sums_now() if sums is None else sums, "job")
    return {(kind, status): found.get(f"{kind}:{status}", 0) for kind in JobKind.values for status in JobStatus.values}


def capacity(active: dict[str, int] | None = None, workers: dict[str, int] | None = None) -> Capacity:
    """Work at hand against the history and the hands; `active` and `workers` for who has asked already."""
    since = timezone.localdate() - timedelta(days=PEAK_DAYS)
    peak = DailyPeak.objects.filter(day__gt=since).aggregate(peak=Max("active_jobs"))["peak"] or 0
    now = sum((active_jobs() if active is None else active).values())
    hands = sum(
        n for kind, n in (workers_alive() if workers is None else workers).items() if kind != WorkerKind.SCHEDULER
    )
    return Capacity(now=now, peak30d=max(peak, now), capacity=hands)


def workers_alive() -> dict[str, int]:
    """Kind → processes that gave a sign of life within the last minute."""
    alive = WorkerHeartbeat.objects.filter(seen_at__gt=timezone.now() - DEAD_AFTER)
    found = dict(alive.order_by().values_list("kind").annotate(n=Count("pk")))
    return {kind: found.get(kind, 0) for kind in WorkerKind.values}


def _by_kind(found: dict[str, int]) -> dict[str, int]:
    return {kind: found.get(kind, 0) for kind in JobKind.values}
