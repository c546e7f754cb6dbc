"""An rq worker that may be killed at any moment: its work-horse goes with it, and Redis may come and go.

rq's own notion of a job's success is not used: the row in the database is the truth, and a message that is
lost, doubled or failed is rung again by the reconciler. So nothing here retries, and results are not kept.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import secrets
import signal
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from subprocess import SubprocessError
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from publishing.editing.ffmpeg import ffmpeg_version
from publishing.editing.isolation import available
from publishing.horse import STOP_SIGNALS, HorseWorker, stop_held_back
from publishing.models import WorkerKind
from publishing.pace import paced
from publishing.queues import SHORT_HANDSHAKE, queue_name
from publishing.services.cleaning import scratch_sweep
from publishing.services.heartbeats import Heart
from publishing.services.jobs import job_abandon, job_claim, worker_name
from publishing.stopping import Stopping
from subiteya.lib import spans
from subiteya.lib.redaction import redact

__all__ = ["QueueWorker", "Stopping", "make_worker"]

logger = logging.getLogger(__name__)

#: How long a running task may persist what it did before its process is killed.
STOP_SECONDS = 3.0
#: An idle worker asks again after TTL - 15 s; the record of a dead one is gone after TTL + 60 s.
WORKER_TTL_SECONDS = 30
MONITOR_SECONDS = 5
MAINTENANCE_SECONDS = max(1, round(paced(60.0)))
RECONNECT_SECONDS = (0.25, 5.0)
#: A Redis whose machine is gone says no goodbye: who waits for its next message must ask whether it is there.
KEPT_ALIVE: dict[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {socket.TCP_KEEPIDLE: 3, socket.TCP_KEEPINTVL: 2, socket.TCP_KEEPCNT: 2},
}
#: Between two signs of life in Redis of a worker that takes one message after the other.
BEAT_AGAIN = timedelta(seconds=MONITOR_SECONDS)


def make_worker(kind: str, name: str = "", *, host_queue: bool = False) -> QueueWorker:
    """A worker of the `kind` ("edit" or "upload") queue, with a Redis connection of its own.

    With `host_queue` it takes only what is meant for this host.
    """
    host = settings.HOST_NAME if host_queue else ""
    kept_alive = {} if settings.REDIS_URL.startswith("unix:") else KEPT_ALIVE
    connection = Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=15, **SHORT_HANDSHAKE, **kept_alive
    )
    # `prepare_for_work` would talk to Redis now, and it may not be there yet.
    worker = QueueWorker(
        [Queue(queue_name(kind, host), connection=connection, serializer=JSONSerializer)],
        name=name or f"{kind}-{settings.HOST_NAME}-{secrets.token_hex(3)}",
        connection=connection,
        serializer=JSONSerializer,
        default_result_ttl=0,
        worker_ttl=WORKER_TTL_SECONDS,
        job_monitoring_interval=MONITOR_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        prepare_for_work=False,
    )
    worker.hostname, worker.pid = settings.HOST_NAME, os.getpid()
    worker.heart = Heart(WorkerKind.HOST if host_queue else WorkerKind(kind))
    return worker


class QueueWorker(HorseWorker):
    """Listens to one queue until SIGTERM or SIGINT; `run` returns then, at the latest after STOP_SECONDS."""

    heart: Heart

    def run(self) -> None:
        """Work, reconnecting to Redis for ever. Returns when told to stop."""
        outages = 0
        self._get_ready()
        logger.info("worker_started", extra={"worker": self.name, "queue": self.queues[0].name})
        try:
            self._install_signal_handlers()
            while not self._stop_requested:
                try:
                    self._register()
                    outages = self._reconnected(outages)
                    self._serve()
                except (RedisError, OSError) as error:
                    self.dismiss_horse()
                    outages = self._wait_for_redis(error, outages)
        except Stopping:
            pass
        self.dismiss_horse()
        self._say_goodbye()

    def _get_ready(self) -> None:
        """Do once what each horse would do anew, and find done: it is a fork of this process as it is now.

        That is most of the cost of a short job: modules, what Django works out with its first query, programs that
        are asked for their version. Starts no thread and keeps no connection.
        """
        import_module("publishing.tasks")
        spans.prepare()
        if self.heart.kind != WorkerKind.UPLOAD:
            available()
            with suppress(OSError, ValueError, IndexError, SubprocessError):  # then the edits say what is wrong with it
                ffmpeg_version()
        with suppress(DatabaseError):
            job_claim(0, owner="")  # there is no such job
        connections.close_all()
        # What lives now lives until the end: a horse that looked through it for garbage would copy all of it.
        gc.collect()
        gc.freeze()

    def _serve(self) -> None:
        """Take messages one by one. Raises what Redis raises, but never while a horse is at work."""
        while not self._stop_requested:
            if self.should_run_maintenance_tasks:
                self.run_maintenance_tasks()
            if not self.last_heartbeat or now() - self.last_heartbeat > BEAT_AGAIN:
                self.heartbeat()
            self.heart.beat()
            in_hand = self._take_up(None)
            if not in_hand:
                self.dismiss_horse()
                in_hand = self._take_up(self.dequeue_timeout)
            if in_hand:
                self.see_through(*in_hand)

    def _take_up(self, seconds: int | None) -> tuple[Job, Queue, Execution] | None:
        """Take the next message and hand it to a horse; wait for one as long as `seconds`, or not at all."""
        if seconds is None:  # one that waits already: it is taken and handed over, or left where it is
            with stop_held_back():
                taken = None if signal.sigpending() & STOP_SIGNALS else self._take(seconds)
                return (*taken, self.hand_over(*taken)) if taken else None
        taken = self._take(seconds)
        if not taken or self._stop_requested:
            return None
        with stop_held_back():
            return (*taken, self.hand_over(*taken))

    def _take(self, seconds: int | None) -> tuple[Job, Queue] | None:
        with suppress(DequeueTimeout):
            taken: tuple[Job, Queue] | None = self.queue_class.dequeue_any(
                self.queues, seconds, connection=self.connection, job_class=self.job_class, serializer=self.serializer
            )
            return taken
        return None

    def run_maintenance_tasks(self) -> None:
        """As rq's, at the start and each minute; and clear away what killed horses of this host left."""
        super().run_maintenance_tasks()
        try:
            scratch_sweep()
        except (DatabaseError, OSError) as error:
            logger.info("sweep_failed", extra={"worker": self.name, "error": str(error).strip()})
        finally:
            connections.close_all()

    def _register(self) -> None:
        # Our own record may still be there from before Redis went away; rq would take it for a namesake.
        self.connection.delete(self.key)
        self.register_birth()
        self.last_cleaned_at = None

    def _reconnected(self, outages: int) -> int:
        if outages:
            logger.info("redis_reachable", extra={"worker": self.name})
        return 0

    def _wait_for_redis(self, error: Exception, outages: int) -> int:
        if not outages:
            logger.warning("redis_unreachable", extra={"worker": self.name, "error": str(error)})
        shortest, longest = RECONNECT_SECONDS
        pause = min(longest, shortest * 2**outages)
        time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
        return min(outages + 1, 10)

    def _say_goodbye(self) -> None:
        with suppress(RedisError, OSError):  # the record expires by itself, and the bells are rung again
            self._put_back()
            self.register_death()
        self.heart.stop()
        logger.info("worker_stopped", extra={"worker": self.name})

    def _put_back(self) -> None:
        """Redis may have given us a message in the moment in which we were told to stop. Another's may be among them,
        which then comes twice: that does no harm.
        """
        queue = self.queues[0]
        for message_id in queue.intermediate_queue.get_job_ids():
            if message_id not in queue.started_job_registry:
                queue.intermediate_queue.remove(message_id)
                queue.push_job_id(message_id, at_front=True)

    def maintain_heartbeats(self, job: Job, execution: Any) -> None:
        """As rq's, but a Redis that is away must not make us turn our back on a horse at work."""
        self.heart.beat()
        try:
            super().maintain_heartbeats(job, execution)
        except (RedisError, OSError):
            logger.debug("heartbeat_unanswered", extra={"worker": self.name})

    # Stopping

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT: idle, stop at once; else ask the horse to stop, and kill it when it does not."""
        if self._stop_requested:
            return
        self._stop_requested = True
        if not self.horse_pid:
            raise Stopping
        with suppress(ProcessLookupError):
            os.kill(self.horse_pid, signal.SIGTERM)
        # A thread, not an alarm: rq uses the alarm to wait for the horse.
        killer = threading.Timer(STOP_SECONDS, self._kill_group, (self.horse_pid,))
        killer.daemon = True
        killer.start()

    def _kill_group(self, pid: int) -> None:
        """Kill the horse and what it started; nothing when it has been waited for meanwhile."""
        if self.horse_pid == pid:
            logger.warning("horse_killed", extra={"worker": self.name, "seconds": STOP_SECONDS})
            os.killpg(pid, signal.SIGKILL)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """Say that a horse ended without a word: killed from outside, or by us because it would not stop."""
        if not self._stop_requested:
            extra = {"task": job.func_name, "message_id": job.id, "wait_status": ret_val}
            logger.error("horse_died", extra=extra)
        with suppress(DatabaseError):  # then its lease has to run out
            job_abandon(owner=worker_name(retpid))
        connections.close_all()

    def handle_job_failure(
        self, job: Job, queue: Queue, started_job_registry: Any = None, exc_string: str = "", execution: Any = None
    ) -> None:
        """As rq's, but what it keeps in Redis of a traceback goes through the net under secrets."""
        super().handle_job_failure(job, queue, started_job_registry, redact(exc_string), execution)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log through our own configuration, once; a task that was asked to stop has not failed."""
        extra = {"task": job.func_name, "message_id": job.id}
        if isinstance(exc_info[1], Stopping):
            logger.info("task_stopped", extra=extra)
        else:
            logger.error("task_crashed", extra=extra, exc_info=exc_info)
