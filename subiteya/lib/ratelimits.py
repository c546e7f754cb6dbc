"""How often somebody may ask: django-ratelimit counts in Redis, and here is the one place that calls it.

A window is fixed: it begins at a second of its own for each principal, and an INCR in Redis decides, so that
concurrent requests cannot pass together. Across the edge of two windows twice the rate can pass.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass

from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

MINUTE = 60
_local: Counter[tuple[str, str, int]] = Counter()
_lock = threading.Lock()


@dataclass(frozen=True)
class Usage:
    """`count` requests of `limit` in this window, which ends in `seconds`."""

    count: int
    limit: int
    seconds: int

    @property
    def exceeded(self) -> bool:
        return self.count > self.limit

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)


def use(request: HttpRequest, *, group: str, principal: str, per_minute: int) -> Usage:
    """Count this request of `principal` in `group`.

    While Redis is away each process counts for itself: a dead Redis neither opens the door nor closes it.
    """
    try:
        found = get_usage(
            request, group=group, key=lambda _group, _request: principal, rate=f"{per_minute}/m", increment=True
        )
    except (RedisError, OSError) as error:
        logger.warning("ratelimit_counts_locally", extra={"group": group, "error": str(error)})
        return _use_locally(group, principal, per_minute)
    return Usage(found["count"], found["limit"], max(1, found["time_left"]))


def _use_locally(group: str, principal: str, per_minute: int) -> Usage:
    now = int(time.time())
    window = now // MINUTE
    with _lock:
        for old in [key for key in _local if key[2] < window]:
            del _local[old]
        _local[group, principal, window] += 1
        count = _local[group, principal, window]
    return Usage(count, per_minute, MINUTE - now % MINUTE)
