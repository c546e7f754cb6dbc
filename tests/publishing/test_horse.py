"""The work-horse and what it does after its first message: real forks of this process, a real Redis."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis
from rq.job import Job as Message

from publishing import horse as module
from publishing.horse import Horse, _mend_connections, stop_held_back
from publishing.models import Job
from publishing.queues import MESSAGE_TTL_SECONDS, get_queue
from publishing.services.jobs import job_claim, worker_name
from publishing.worker import QueueWorker, make_worker
from tests.factories import JobFactory
from tests.processes import alive, wait_for
from tests.publishing.test_worker import ring, started

pytestmark = pytest.mark.integration


@pytest.fixture
def worker(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[QueueWorker]:
    """A worker in this process; what it forks ends with the test, and stays young on a busy machine."""
    monkeypatch.setattr(module, "HORSE_SECONDS", 60.0)
    worker = make_worker("edit")
    yield worker
    worker.dismiss_horse()
    worker.connection.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def serve(worker: QueueWorker) -> int:
    """Serve what waits, as the worker's loop does; how many messages that were."""
    count = 0
    while in_hand := worker._take_up(None):
        worker.see_through(*in_hand)
        count += 1
    return count


def noted(out: Path, field: int) -> list[str]:
    return [line.split()[field] for line in out.read_text().splitlines()]


def test_it_performs_several_short_messages_in_one_process(worker: QueueWorker, redis: Redis, out: Path) -> None:
    messages = [ring("note", str(out)) for _ in range(5)]

    serve(worker)

    assert noted(out, 1) == [message.id for message in messages]
    assert len(set(noted(out, 0))) == 1
    assert noted(out, 0)[0] != str(os.getpid())
    assert noted(out, 2) == ["0"] * 5  # nothing that one has bound is on the log lines of the next
    assert not redis.keys("rq:job:*")
    assert not redis.keys("rq:executions:*")
    assert not redis.exists("rq:queue:subiteya-edit:intermediate")
    assert not worker.executions


def test_it_ends_with_a_message_that_took_long(worker: QueueWorker, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HORSE_SECONDS", 0.5)
    ring("note", str(out), seconds=0.5)
    ring("note", str(out))

    serve(worker)

    assert len(set(noted(out, 0))) == 2


def test_it_ends_when_there_is_nothing_more_to_do(worker: QueueWorker, out: Path) -> None:
    ring("note", str(out))
    serve(worker)
    horse = psutil.Process(int(noted(out, 0)[0]))
    assert alive(horse)

    worker.dismiss_horse()

    assert not alive(horse)


def test_it_notes_the_failure_of_a_later_message_as_its_own(worker: QueueWorker, redis: Redis, out: Path) -> None:
    first = ring("note", str(out))
    failing = ring("crash", "act.verysecretvalue")
    last = ring("note", str(out))

    assert serve(worker) == 3

    assert get_queue("edit").failed_job_registry.get_job_ids() == [failing.id]
    assert "RuntimeError: Bearer [redacted]" in failing.latest_result().exc_string
    assert 0 < redis.ttl(failing.key) <= 300
    assert noted(out, 1) == [first.id, last.id]
    assert len(set(noted(out, 0))) == 2
    assert not Message.exists(first.id, connection=redis)
    assert not get_queue("edit").started_job_registry.get_job_ids()


def test_it_notes_as_much_of_a_failure_whoever_fails(worker: QueueWorker, redis: Redis, out: Path) -> None:
    """The first message of a horse was forked with it, a later one handed over."""
    first = ring("crash", "ñandú 😀")
    serve(worker)
    ring("note", str(out))
    later = ring("crash", "ñandú 😀")
    serve(worker)

    fields, others = redis.hgetall(first.key), redis.hgetall(later.key)
    own = {b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat"}
    assert fields.keys() == others.keys() >= own
    assert {name: fields[name] for name in fields.keys() - own} == {name: others[name] for name in others.keys() - own}
    one, other = first.latest_result(), later.latest_result()
    assert one.exc_string.splitlines()[-1] == other.exc_string.splitlines()[-1]
    assert one.worker_name == other.worker_name == worker.name
    assert other.execution_id
    assert len(worker.connection.smembers(f"rq:worker:{worker.name}:executions")) == 0


@pytest.mark.django_db(transaction=True)
def test_it_gives_back_the_job_that_its_horse_died_on(worker: QueueWorker, out: Path, caplog: Any) -> None:
    """Not the one with which the horse began."""
    job, others = JobFactory(), JobFactory()
    first = ring("note", str(out))
    serve(worker)
    lost = ring("work", str(out.parent))
    in_hand = worker._take_up(None)
    horse, _ = started(out.parent)
    assert str(horse.pid) == noted(out, 0)[0]

    job_claim(job.pk, owner=worker_name(horse.pid))
    job_claim(others.pk, owner=worker_name())

    horse.kill()
    worker.see_through(*in_hand)

    assert Job.objects.get(pk=job.pk).lease_until <= timezone.now() < Job.objects.get(pk=others.pk).lease_until
    (died,) = [record for record in caplog.records if record.message == "horse_died"]
    assert died.message_id == lost.id
    assert get_queue("edit").failed_job_registry.get_job_ids() == [lost.id] != [first.id]
    ring("note", str(out))
    assert serve(worker) == 1


def test_it_takes_another_horse_when_one_died_between_two_messages(worker: QueueWorker, out: Path) -> None:
    ring("note", str(out))
    serve(worker)
    horse = psutil.Process(int(noted(out, 0)[0]))
    horse.kill()
    wait_for(lambda: not alive(horse))
    ring("note", str(out))

    assert serve(worker) == 1

    assert len(set(noted(out, 0))) == 2


def test_it_puts_a_message_back_that_it_may_not_begin(worker: QueueWorker, redis: Redis, out: Path) -> None:
    """The signal to stop came between two messages: the next worker finds the second at once, and first of all."""
    ring("note", str(out))
    serve(worker)
    second, third = ring("note", str(out)), ring("note", str(out))
    os.kill(int(noted(out, 0)[0]), signal.SIGTERM)

    worker.see_through(*worker._take_up(None))

    queue = get_queue("edit")
    assert queue.job_ids == [second.id, third.id]
    assert second.get_status() == "queued"
    assert 0 < redis.ttl(second.key) <= MESSAGE_TTL_SECONDS
    assert not queue.started_job_registry.get_job_ids()
    assert not queue.failed_job_registry.get_job_ids()
    serve(worker)
    assert noted(out, 1)[1:] == [second.id, third.id]


def test_it_takes_no_message_when_it_is_to_stop(worker: QueueWorker, out: Path) -> None:
    message = ring("note", str(out))
    caught: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, frame: caught.append(signum))
    try:
        with stop_held_back():
            # To this thread: another of the suite's would take it, and hold nothing back.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
            assert worker._take_up(None) is None
            assert not caught
    finally:
        signal.signal(signal.SIGTERM, before)

    assert caught == [signal.SIGTERM]
    assert get_queue("edit").job_ids == [message.id]


def test_it_kills_a_horse_that_does_not_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GOODBYE_SECONDS", 0.1)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if not pid:
        os.setpgrp()
        time.sleep(60)
        os._exit(0)
    wait_for(lambda: os.getpgid(pid) == pid)

    Horse(pid, ours).dismiss()

    theirs.close()
    assert not psutil.pid_exists(pid)


@pytest.mark.django_db(transaction=True)
def test_it_connects_anew_when_the_database_hung_up_between_two_messages() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite does not hang up")
    connection.ensure_connection()
    kept = connection.connection
    _mend_connections()
    assert connection.connection is kept
    kept.close()

    _mend_connections()

    assert not Job.objects.exists()
