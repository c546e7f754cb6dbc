"""The work-horse: a fork of the worker that performs a message, and while it is young the ones that come next.

Half of a short job is the start of its process: the fork, a database connection, cold caches. So a horse whose task
was quick is handed the next message if one waits, over a socket; one that has worked longer than HORSE_SECONDS ends
with its task. The worker keeps the message in hand, and makes all of rq's notes about it before and after, so that it
knows what was lost when the horse dies; the horse talks to Redis only to ring or when a task fails.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

from django.db import connections
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.utils import now
from rq.worker.base import WorkerStatus

from publishing.queues import MESSAGE_TTL_SECONDS
from publishing.stopping import Stopping
from subiteya.lib import spans
from subiteya.lib.processes import die_with_parent

#: So old a horse takes no further message: a task that was long leaves its memory, threads and connections to nobody.
HORSE_SECONDS = 1.0
#: A horse without a message that does not go by itself is killed: what it did is written.
GOODBYE_SECONDS = 3.0
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: What the horse answers. It refuses a message when it was asked to stop before it had begun.
DONE, REFUSED, GONE = b"done", b"refused", b""
PACKET_BYTES = 65_536


@contextmanager
def stop_held_back() -> Iterator[None]:
    """A signal to stop waits until the end of the block: between taking a message and passing it on, none is lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Horse:
    """A horse as the worker sees it."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line = line
        self._born = time.monotonic()

    @property
    def is_young(self) -> bool:
        return time.monotonic() - self._born < HORSE_SECONDS

    def take(self, packet: bytes) -> bool:
        """Hand it a message; False when it is dead (or the message too long for it)."""
        try:
            return len(packet) <= PACKET_BYTES and self._line.send(packet) > 0
        except OSError:
            return False

    def answer(self, seconds: float) -> bytes | None:
        """DONE, REFUSED, or GONE when it ended without a word; None when it has said nothing yet."""
        ready, _, _ = select.select([self._line], [], [], seconds)
        if not ready:
            return None
        try:
            return self._line.recv(PACKET_BYTES)
        except ConnectionResetError:  # it died with a message unread
            return GONE

    def dismiss(self) -> None:
        """Wait for its end, which comes when it is told that there is nothing more; not for long."""
        self._line.close()
        end = time.monotonic() + GOODBYE_SECONDS
        pause = 0.001
        with suppress(ChildProcessError, ProcessLookupError):
            while not os.waitpid(self.pid, os.WNOHANG)[0]:
                if time.monotonic() > end:
                    os.killpg(self.pid, signal.SIGKILL)
                time.sleep(pause)
                pause = min(0.05, pause * 1.5)

    def buried(self) -> None:
        """It has been waited for."""
        self._line.close()


class HorseWorker(Worker):
    """A worker's dealings with its horse; `horse_pid` is set while that has a message in hand."""

    _horse: Horse | None = None

    # In the worker

    def hand_over(self, job: Job, queue: Queue) -> Execution:
        """Note in Redis that the message is taken up, and pass it on. Call it with the signals to stop held back."""
        execution = self.prepare_execution(job)
        self.prepare_job_execution(job, remove_from_intermediate_queue=True)
        horse = self._horse
        if horse and horse.is_young and horse.take(_packet(job, execution)):
            self._horse_pid = horse.pid
        else:
            self.dismiss_horse()
            self.fork_work_horse(job, queue)
        return execution

    def see_through(self, job: Job, queue: Queue, execution: Execution) -> None:
        """Wait for what becomes of the message, and note it in Redis: rq's way for one that ended its horse."""
        answer = self.monitor_work_horse(job, queue, execution)
        with stop_held_back(), self.connection.pipeline() as pipeline:
            if answer == DONE:
                with suppress(InvalidJobOperation):  # a Redis that came back empty knows no such message
                    job.delete(pipeline=pipeline, remove_from_queue=False)
            elif answer == REFUSED:
                job.set_status(JobStatus.QUEUED, pipeline=pipeline)
                job.cleanup(MESSAGE_TTL_SECONDS, pipeline=pipeline)
                queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            if answer != GONE:
                self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            self.set_state(WorkerStatus.IDLE, pipeline=pipeline)
            pipeline.execute()
        if self._horse and (answer == REFUSED or not self._horse.is_young):
            self.dismiss_horse()

    def monitor_work_horse(self, job: Job, queue: Queue, execution: Execution) -> bytes:
        """As rq's, but it need not be the horse's end that ends the job."""
        horse = self._horse
        assert horse
        job.started_at = now()
        while (answer := horse.answer(self.job_monitoring_interval)) is None:
            self.maintain_heartbeats(job, execution)
        if answer == GONE:
            self._horse = None
            horse.buried()
            super().monitor_work_horse(job, queue, execution)
            return answer
        self._horse_pid = 0
        self.executions.pop(execution.id, None)
        return answer

    def dismiss_horse(self) -> None:
        """There is nothing more to do for the horse, if there is one: an idle worker has none."""
        horse, self._horse = self._horse, None
        if horse:
            horse.dismiss()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork with the stop signals held back: the child must not run the parent's handler."""
        connections.close_all()
        self._parent_pid = os.getpid()
        self._ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with stop_held_back():
                super().fork_work_horse(job, queue)
                self._horse = Horse(self._horse_pid, self._ends[0])
        finally:
            self._ends[1].close()

    # In the horse. The stop signals are held back except while a task runs.

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        """In the child: never returns into the parent's loop, and never outlives the parent."""
        try:
            die_with_parent(self._parent_pid)
            self._ends[0].close()
            super().main_work_horse(job, queue)
        finally:
            os._exit(1)

    def setup_work_horse_signals(self) -> None:
        """SIGTERM becomes `Stopping` in the task, once; Ctrl-C is the parent's business."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _raise_stopping)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Perform message after message until there is none. One that fails is noted, and ends the horse."""
        line = self._ends[1]
        while signal.SIGTERM not in signal.sigpending():
            try:
                self._perform(job)
            except BaseException:  # noqa: BLE001
                connections.close_all()
                self._finalize_failure(job, queue, execution, sys.exc_info())
                os._exit(1)
            line.send(DONE)
            packet = line.recv(PACKET_BYTES)
            if not packet:
                break
            job, execution = self._unpacked(packet)
            _mend_connections()
        else:
            line.send(REFUSED)
        connections.close_all()
        return True

    def _perform(self, job: Job) -> None:
        """Run the task, and leave nothing of it to the next: no context, no waiting span, no signal to stop."""
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            copy_context().run(job.perform)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
            spans.drain()

    def _unpacked(self, packet: bytes) -> tuple[Job, Execution]:
        key, fields, execution_id, began = json.loads(packet)
        job = self.job_class(key, connection=self.connection, serializer=self.serializer)
        job.restore({name: value.encode("latin-1") for name, value in fields.items()})
        execution = Execution(execution_id, key, self.connection, worker_name=self.name)
        execution.created_at = datetime.fromtimestamp(began, UTC)
        return job, execution


def _packet(job: Job, execution: Execution) -> bytes:
    """A message for a horse that runs already, whole: its failure is noted as that of a message forked with."""
    fields = {name: value if isinstance(value, bytes | str) else str(value) for name, value in job.to_dict().items()}
    octets = {name: value.encode() if isinstance(value, str) else value for name, value in fields.items()}
    texts = {name: value.decode("latin-1") for name, value in octets.items()}  # JSON knows no octets
    return json.dumps([job.id, texts, execution.id, execution.created_at.timestamp()]).encode()


def _mend_connections() -> None:
    """A database connection that broke since the last task must not cost the next one its try."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.is_usable():
            connection.close()


def _raise_stopping(signum: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopping
