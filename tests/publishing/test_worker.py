"""The worker as it runs: a real process, real forks, a real Redis."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from publishing.queues import get_queue
from publishing.worker import make_worker
from subiteya.lib.redis_server import find_redis_server, redis_argv
from tests.processes import MANAGE, alive, running, wait_for

pytestmark = pytest.mark.integration

TASKS = "tests.publishing.worker_tasks"


def start(redis_url: str, log: Path, *options: str, **names: str) -> AbstractContextManager[Popen[bytes]]:
    settings = "subiteya.settings.test"
    argv = [*MANAGE, "worker", "edit", *options]
    return running(argv, log=log, DJANGO_SETTINGS_MODULE=settings, REDIS_URL=redis_url, **names)


def ring(task: str, *args: Any, host: str = "", **kwargs: Any) -> Any:
    return get_queue("edit", host).enqueue(
        f"{TASKS}.{task}", args=args, kwargs=kwargs, job_timeout=-1, result_ttl=0, failure_ttl=300
    )


def started(folder: Path) -> tuple[psutil.Process, psutil.Process]:
    """The horse and its child, once the task `work` runs."""
    wait_for(lambda: (folder / "horse").exists() and (folder / "horse").read_text())
    return tuple(psutil.Process(int((folder / name).read_text())) for name in ("horse", "child"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def worker(redis: Redis, redis_server: str, log: Path) -> Iterator[Popen[bytes]]:
    with start(redis_server, log) as process:
        wait_for(lambda: log.exists() and "worker_started" in log.read_text())
        wait_for(lambda: redis.scard("rq:workers") == 1)
        yield process


def test_it_asks_whether_a_silent_redis_is_still_there(settings: Any, redis_server: str) -> None:
    """One whose machine is gone says no goodbye, and its messages are waited for without a word."""
    asked = {}
    for url in ("redis://127.0.0.1:6379/0", redis_server):
        settings.REDIS_URL = url
        asked[url] = make_worker("edit").connection.connection_pool.connection_kwargs.get("socket_keepalive")

    assert asked == {"redis://127.0.0.1:6379/0": True, redis_server: None}


def test_it_runs_a_message_and_keeps_nothing_of_it(worker: Popen[bytes], redis: Redis, tmp_path: Path) -> None:
    ring("write", str(tmp_path / "out"), "ñandú")

    wait_for(lambda: (tmp_path / "out").exists())

    assert (tmp_path / "out").read_text(encoding="utf-8") == "ñandú"
    wait_for(lambda: not redis.keys("rq:job:*"))


def test_it_logs_a_crash_once_without_the_secret_and_goes_on(worker: Popen[bytes], tmp_path: Path, log: Path) -> None:
    ring("crash", "act.verysecretvalue")
    ring("write", str(tmp_path / "out"), "after")

    wait_for(lambda: (tmp_path / "out").exists())

    text = log.read_text()
    assert text.count("task_crashed") == 1
    assert "RuntimeError: Bearer [redacted]" in text
    assert "verysecretvalue" not in text


def test_it_keeps_no_secret_of_a_traceback_in_redis(worker: Popen[bytes], redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("act.verysecretvalue")
    message = ring("crash_over", str(tmp_path / "secret"))

    result = wait_for(lambda: message.latest_result())

    assert "RuntimeError: Bearer [redacted]" in result.exc_string
    assert "verysecretvalue" not in result.exc_string


def test_it_stops_at_once_when_idle(worker: Popen[bytes], log: Path) -> None:
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=20) == 0
    assert "Traceback" not in log.read_text()


def test_it_puts_back_what_it_was_given_in_the_moment_of_its_stop(worker: Popen[bytes], redis: Redis) -> None:
    queue = get_queue("edit")
    redis.rpush(queue.intermediate_queue_key, "run_job-1-abcd")

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=20) == 0
    assert queue.job_ids == ["run_job-1-abcd"]
    assert not redis.exists(queue.intermediate_queue_key)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_lets_the_running_task_persist_before_it_stops(
    worker: Popen[bytes], tmp_path: Path, log: Path, sign: signal.Signals
) -> None:
    ring("work", str(tmp_path))
    horse, child = started(tmp_path)

    worker.send_signal(sign)

    assert worker.wait(timeout=20) == 0
    assert (tmp_path / "stopped").exists()
    assert not alive(horse)
    assert not alive(child)
    assert "Traceback" not in log.read_text()


def test_it_kills_a_task_that_does_not_stop(worker: Popen[bytes], tmp_path: Path) -> None:
    ring("work", str(tmp_path), stubborn=True)
    horse, child = started(tmp_path)
    began = time.monotonic()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=20) == 0
    assert time.monotonic() - began > 2.5  # it was given its time
    assert (tmp_path / "stopped").exists()
    assert not alive(horse)
    wait_for(lambda: not alive(child), seconds=15)


@pytest.mark.parametrize("after", [1, 7, 20])
def test_it_loses_no_message_when_it_is_stopped_between_short_ones(
    redis: Redis, redis_server: str, tmp_path: Path, log: Path, after: int
) -> None:
    """A new bell would come half a minute later: each message was performed, was being performed, or still waits."""
    out = tmp_path / "out"
    messages = {ring("note", str(out), seconds=0.01).id for _ in range(60)}
    with start(redis_server, log) as worker:
        wait_for(lambda: out.exists() and len(out.read_text().splitlines()) >= after, seconds=60, every=0.001)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0

    queue = get_queue("edit")
    begun = [line.split()[1] for line in out.read_text().splitlines()]
    stopped = queue.failed_job_registry.get_job_ids()
    assert len(begun) == len(set(begun))
    assert set(begun) | set(stopped) | set(queue.job_ids) == messages
    assert not redis.exists(queue.intermediate_queue_key)
    assert len(stopped) <= 1


def test_it_leaves_no_horse_and_no_grandchild_when_killed(worker: Popen[bytes], tmp_path: Path) -> None:
    ring("work", str(tmp_path))
    horse, child = started(tmp_path)

    worker.kill()
    worker.wait()

    wait_for(lambda: not alive(horse) and not alive(child), seconds=15)
    assert not (tmp_path / "stopped").exists()


def test_it_takes_the_next_message_after_its_horse_was_killed(worker: Popen[bytes], tmp_path: Path, log: Path) -> None:
    ring("work", str(tmp_path))
    horse, _ = started(tmp_path)
    ring("write", str(tmp_path / "out"), "next")

    horse.kill()

    wait_for(lambda: (tmp_path / "out").exists())
    assert log.read_text().count("horse_died") == 1


def test_it_takes_only_what_is_meant_for_its_host(redis: Redis, redis_server: str, log: Path, tmp_path: Path) -> None:
    for name, host in (("any", ""), ("other", "two"), ("mine", "one")):
        ring("write", str(tmp_path / name), name, host=host)

    with start(redis_server, log, "--host-queue", SUBITEYA_HOST_NAME="one"):
        wait_for(lambda: (tmp_path / "mine").exists())
        time.sleep(1)

    assert not (tmp_path / "any").exists()
    assert not (tmp_path / "other").exists()


class OwnRedis:
    """A Redis that the test may stop and start."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "own.sock"
        self.url = f"unix://{self.socket}"
        self._argv = redis_argv(server=find_redis_server(), socket=self.socket, folder=folder)
        self._log = folder / "redis.log"

    def start(self) -> AbstractContextManager[Popen[bytes]]:
        return running(self._argv, log=self._log)

    def answers(self) -> bool:
        with suppress(RedisError):
            return bool(Redis.from_url(self.url).ping())
        return False


@pytest.fixture
def own_redis(tmp_path: Path, settings: Any) -> OwnRedis:
    own = OwnRedis(tmp_path)
    settings.REDIS_URL = own.url
    return own


def test_it_waits_for_a_redis_that_is_not_there_yet(own_redis: OwnRedis, tmp_path: Path, log: Path) -> None:
    with start(own_redis.url, log) as worker:
        wait_for(lambda: log.exists() and "redis_unreachable" in log.read_text())
        time.sleep(2)
        assert worker.poll() is None
        with own_redis.start():
            wait_for(own_redis.answers)
            ring("write", str(tmp_path / "out"), "late")
            wait_for(lambda: (tmp_path / "out").exists())
            text = log.read_text()

    assert text.count("redis_unreachable") == 1
    assert text.count("redis_reachable") == 1
    assert "Traceback" not in text


def test_it_stays_with_its_task_while_redis_is_away(own_redis: OwnRedis, tmp_path: Path, log: Path) -> None:
    """Longer than the worker's heartbeats: turning to the next message would run two tasks at once."""
    with start(own_redis.url, log) as worker:
        with own_redis.start() as server:
            wait_for(own_redis.answers)
            ring("work", str(tmp_path), seconds=9)
            started(tmp_path)
            server.kill()
            server.wait()
            time.sleep(6)
        with own_redis.start():
            wait_for(own_redis.answers)
            ring("write", str(tmp_path / "out"), "after")
            wait_for(lambda: (tmp_path / "out").exists())
            assert (tmp_path / "finished").exists()

        assert worker.poll() is None
