"""The bell: a message in Redis that says "look at this row". It may come twice, late or never."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from subiteya.lib.tracing import SpanKind, current_trace_id, current_traceparent, failed, span

logger = logging.getLogger(__name__)

#: A submission must not wait for a Redis that is gone.
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
#: Each horse connects anew: it says no more than it must (redis-py would look up its own version each time).
SHORT_HANDSHAKE: dict[str, Any] = {"driver_info": None, "protocol": 2}
#: Messages that nobody fetched: the reconciler rings again long before.
MESSAGE_TTL_SECONDS = 3600
#: The scheduler lets so many bells wait in a queue for each worker that listens to it, but at least LEAST: enough
#: until it looks again. The others wait in the database, where what came later can still go first.
AHEAD, LEAST = 2, 4


def queue_name(kind: str, host: str = "") -> str:
    """The Redis queue of `edit` or `upload` work, of any host or only of `host`; each worker listens to exactly one."""
    return f"{settings.QUEUE_PREFIX}-{kind}" + (f"@{host}" if host else "")


@lru_cache(maxsize=2)
def _connection(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, **SHORT_HANDSHAKE)


def get_queue(kind: str, host: str = "") -> Queue:
    """The rq queue for `kind` (and `host`), with short time-outs and messages that are plain JSON."""
    return Queue(queue_name(kind, host), connection=_connection(settings.REDIS_URL), serializer=JSONSerializer)


def waiting(kind: str, task: str = "run_job") -> set[int]:
    """The rows that a bell for `task` in the queue of `kind` already names; none when Redis does not answer."""
    try:
        names = get_queue(kind).job_ids
    except (RedisError, OSError):
        return set()
    return {int(name.split("-")[1]) for name in names if name.startswith(f"{task}-")}


@dataclass(frozen=True)
class Line:
    """How many bells for jobs wait in a queue, and how many the scheduler lets wait there."""

    length: int
    most: int

    @property
    def room(self) -> int:
        return max(0, self.most - self.length)

    @property
    def is_full(self) -> bool:
        """Then nobody adds to it: what is rung for at once has as much room as the scheduler's choice."""
        return self.length >= 2 * self.most


def line(kind: str) -> Line | None:
    """The queue of `kind`, of any host; None when Redis is silent. Files that wait to be looked at are no jobs."""
    queue = get_queue(kind)
    try:
        with queue.connection.pipeline(transaction=False) as asked:
            asked.lrange(queue.key, 0, -1)
            asked.scard(WORKERS_BY_QUEUE_KEY % queue.name)
            names, workers = asked.execute()
    except (RedisError, OSError):
        return None
    return Line(sum(name.startswith(b"run_job-") for name in names), max(LEAST, AHEAD * workers))


def ring(kind: str, task: str, pk: int, trace: str, *, host: str = "") -> bool:
    """Ask a worker of `kind` (on `host`) to call `publishing.tasks.<task>(pk)`; False when Redis does not answer.

    Nothing is lost then: the row is written, and the reconciler rings again. The message brings along the span of
    the ringing, and the one at hand. `trace`: the traceparent, or just the trace id, of what it is about; the span
    of the ringing hangs on the one at hand where that is of the same trace, or where `trace` is empty.
    """
    queue, asked_by = queue_name(kind, host), current_traceparent()
    about: dict[str, str | int] = {
        "messaging.system": "rq", "messaging.operation.name": "send", "messaging.operation.type": "send",
        "messaging.destination.name": queue, "subiteya.task": task, "subiteya.pk": pk,
    }  # fmt: skip
    within = not trace or (current_trace_id() or "none") in trace
    with span(f"send {kind}", kind=SpanKind.PRODUCER, parent=None if within else trace, attributes=about) as at:
        meta = {"traceparent": current_traceparent(), "asked_by": asked_by}
        try:
            message = _send(kind, task, pk, host, meta)
        except (RedisError, OSError) as error:
            failed(at, type(error).__qualname__)
            logger.warning("bell_unanswered", extra={"queue": queue, "task": task, "pk": pk})
            return False
        at.set_attribute("messaging.message.id", message.id)
    return True


def _send(kind: str, task: str, pk: int, host: str, meta: dict[str, str]) -> Job:
    return get_queue(kind, host).enqueue(
        f"publishing.tasks.{task}",
        args=(pk,),
        job_id=f"{task}-{pk}-{secrets.token_hex(4)}",
        meta=meta,
        job_timeout=-1,
        result_ttl=0,
        failure_ttl=300,
        ttl=MESSAGE_TTL_SECONDS,
    )


def ring_after_commit(kind: str, task: str, pk: int, trace: str, *, host: str = "") -> None:
    """Ring once the current transaction is committed; a rollback rings nothing."""
    after_commit(partial(ring, kind, task, pk, trace, host=host))


def after_commit(act: Callable[[], object]) -> None:
    """Do `act` once the current transaction is committed, as part of the span at hand and for whom it works now."""
    transaction.on_commit(partial(copy_context().run, act))
