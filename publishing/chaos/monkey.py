"""The monkey: from a seed, breaks the processes of the private installation, its Redis and its TikTok.

It never touches a process outside of the tree below `up`. A job that kills three workers is taken out of the
queue on purpose (`reconcile.CRASHES`), so the monkey strikes no job more than twice.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import requests
from django.conf import settings
from django.db import connection, connections
from redis import Redis
from redis.exceptions import RedisError

from publishing.chaos.control import Control
from publishing.chaos.faults import pick_fault, rejection
from publishing.chaos.stage import STACK_NAME
from publishing.demo.stand_in import StandInFailed
from publishing.models import Job
from publishing.queues import ring
from publishing.services.jobs import LEASE
from publishing.services.reconcile import CRASHES
from publishing.states import JOB_ACTIVE, JobKind, JobStatus
from subiteya.lib.proc import Process, below

logger = logging.getLogger(__name__)

PAUSE_SECONDS = (0.1, 0.9)
#: How long a worker is stopped, in leases: it comes back when its job is somebody else's.
FROZEN_LEASES = (1.2, 1.8)
#: A process that was told to stop has stopped after this.
STOP_SETTLES = 0.05
DOUBLED_BELLS = 5
#: Faults that wait at once: more of them would only gang up on the last videos.
MOST_FAULTS = 4


@dataclass(frozen=True)
class Frozen:
    """Stopped processes, to be continued at `until` (monotonic seconds)."""

    pids: tuple[int, ...]
    until: float


class Monkey:
    """Strikes from `start` until `stop`, in a thread of its own; `strikes` counts what it did."""

    def __init__(self, *, seed: int, up: int, control: Control, rejections: int) -> None:
        self.strikes: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311
        self._up, self._control = up, control
        self._rejections = rejections
        self._frozen: Frozen | None = None
        self._struck: Counter[int] = Counter()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monkey", daemon=True)
        self._menu: tuple[tuple[int, Callable[[], str]], ...] = (
            (4, self._kill_horse),
            (3, self._kill_worker),
            (3, self._freeze),
            (2, self._kill_scheduler),
            (1, self._flush_redis),
            (1, self._kill_redis),
            (9, self._fault),
            (2, self._reject),
            (3, self._double_bells),
            (1, self._cut_database),
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more strikes; everything stopped goes on, and every fault is taken back."""
        self._enough.set()
        self._thread.join()
        self._thaw()
        self._control.heal()

    def _run(self) -> None:
        try:
            while not self._enough.wait(self._random.uniform(*PAUSE_SECONDS)):
                self._thaw_when_due()
                self._strike()
        finally:
            connections.close_all()

    def _strike(self) -> None:
        act = self._random.choices([act for _weight, act in self._menu], [weight for weight, _act in self._menu])[0]
        try:
            done = act()
        except (RedisError, OSError, requests.RequestException, StandInFailed) as error:
            logger.info("strike_missed", extra={"strike": act.__name__, "error": str(error)})
            return
        if done:
            self.strikes[done] += 1

    # Processes

    def _kill_worker(self) -> str:
        """The parent: the kernel takes its work-horse along."""
        worker = self._choose(self._workers())
        return self._kill_unless_spent(worker, "kill_worker") if worker else ""

    def _kill_horse(self) -> str:
        horse = self._choose([horse for worker in self._workers() for horse in self._children(worker)])
        return self._kill_unless_spent(horse, "kill_horse") if horse else ""

    def _kill_unless_spent(self, victim: Process, name: str) -> str:
        """Stop it, look what it works on, and kill it or let it go on."""
        pids = self._stop(victim)
        if self._is_spent(pids):
            _signal(pids, signal.SIGCONT)
            return ""
        _signal([victim.pid], signal.SIGKILL)
        _signal(pids, signal.SIGCONT)
        return name

    def _freeze(self) -> str:
        """A worker that falls silent for longer than its lease, and comes back."""
        if self._frozen:
            return ""
        busy = [worker for worker in self._workers() if self._children(worker)]
        worker = self._choose(busy or self._workers())
        if worker is None:
            return ""
        pids = self._stop(worker)
        if self._is_spent(pids):
            _signal(pids, signal.SIGCONT)
            return ""
        seconds = LEASE.total_seconds() * self._random.uniform(*FROZEN_LEASES)
        self._frozen = Frozen(pids, time.monotonic() + seconds)
        return "freeze_worker"

    def _kill_scheduler(self) -> str:
        scheduler = self._choose([process for process in self._family() if process.argv[-1:] == ("scheduler",)])
        _signal([scheduler.pid] if scheduler else [], signal.SIGKILL)
        return "kill_scheduler" if scheduler else ""

    def _kill_redis(self) -> str:
        server = self._choose([process for process in self._family() if "-server" in process.argv[0]])
        _signal([server.pid] if server else [], signal.SIGKILL)
        return "kill_redis" if server else ""

    def _stop(self, process: Process) -> tuple[int, ...]:
        """SIGSTOP it and its children (a worker's horse); the ones that were stopped."""
        pids = (process.pid, *(child.pid for child in self._children(process)))
        _signal(pids, signal.SIGSTOP)
        time.sleep(STOP_SETTLES)
        return pids

    def _is_spent(self, pids: Sequence[int]) -> bool:
        """Whether one more crash would take the job of one of `pids` out of the queue; counts the strike if not."""
        owners = [f"{settings.HOST_NAME}:{pid}" for pid in pids]
        jobs = list(Job.objects.filter(owner__in=owners, status=JobStatus.RUNNING))
        if any(max(job.crash_count, self._struck[job.pk]) >= CRASHES - 1 for job in jobs):
            return True
        self._struck.update(job.pk for job in jobs)
        return False

    def _thaw_when_due(self) -> None:
        if self._frozen and time.monotonic() >= self._frozen.until:
            self._thaw()

    def _thaw(self) -> None:
        if self._frozen:
            _signal(self._frozen.pids, signal.SIGCONT)
        self._frozen = None

    def _workers(self) -> list[Process]:
        ends = {("worker", str(kind)) for kind in JobKind}
        frozen = self._frozen.pids if self._frozen else ()
        return [process for process in self._family() if process.argv[-2:] in ends and process.pid not in frozen]

    def _family(self) -> list[Process]:
        """What the supervisor itself started."""
        return [process for process in below(self._up) if process.parent == self._up]

    def _children(self, process: Process) -> list[Process]:
        return [child for child in below(process.pid) if child.parent == process.pid]

    def _choose(self, found: Sequence[Process]) -> Process | None:
        return self._random.choice(found) if found else None

    # Redis, the database and TikTok

    def _flush_redis(self) -> str:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2) as redis:
            redis.flushall()
        return "flush_redis"

    def _double_bells(self) -> str:
        jobs = list(Job.objects.filter(status__in=sorted(JOB_ACTIVE)).order_by("pk")[:200])
        for job in self._random.sample(jobs, min(DOUBLED_BELLS, len(jobs))):
            for _time in range(2):
                ring(job.kind, "run_job", job.pk, job.trace_id)
        return "double_bells" if jobs else ""

    def _cut_database(self) -> str:
        """PostgreSQL ends every connection of the installation, as when it is restarted. SQLite has none."""
        if connection.vendor != "postgresql":
            return ""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [STACK_NAME]
            )
        return "cut_database"

    def _fault(self) -> str:
        fault = pick_fault(self._random)
        if self._control.waiting() >= MOST_FAULTS:
            return ""
        self._control.fault(**fault)
        return f"fault_{fault['kind']}"

    def _reject(self) -> str:
        if not self._rejections:
            return ""
        self._rejections -= 1
        self._control.fault(**rejection())
        return "rejection"


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
