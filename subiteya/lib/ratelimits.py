"""How often somebody may ask: django-ratelimit counts in Redis, and here is the one place that calls it.

A window is fixed: it begins at a second of its own for each principal, and an INCR in Redis decides, so that
concurrent requests cannot pass together. Across the edge of two windows twice the rate can pass.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from subiteya.lib.addresses import client_address, neighbourhood

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
View = Callable[Concatenate[R, P], HttpResponseBase]
MINUTE = 60
#: A Redis that did not answer is not asked again for so many seconds: no request waits for it but the first.
AWAY_SECONDS = 5.0
_local: Counter[tuple[str, str, int]] = Counter()
_lock = threading.Lock()
_away_until = 0.0


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
    global _away_until
    if time.monotonic() < _away_until:
        return _use_locally(group, principal, per_minute)
    try:
        found = get_usage(
            request, group=group, key=lambda _group, _request: principal, rate=f"{per_minute}/m", increment=True
        )
    except (RedisError, OSError) as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("ratelimit_counts_locally", extra={"group": group, "error": str(error)})
        return _use_locally(group, principal, per_minute)
    return Usage(found["count"], found["limit"], max(1, found["time_left"]))


def limited(
    group: str, *, per_minute: int, by: Literal["person", "address"] = "person", methods: tuple[str, ...] = ("POST",)
) -> Callable[[View[R, P]], View[R, P]]:
    """Let `per_minute` requests of each person, or of each address (IPv6: its /64), through; the others get 429.

    Somebody who has not logged in is counted by address. Requests of other `methods` are not counted. Outside of
    `signed_in` and of `require_POST`, so that a refused request costs nothing else.
    """

    def decorate(view: View[R, P]) -> View[R, P]:
        @wraps(view)
        def counted(request: R, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method in methods:
                usage = use(request, group=group, principal=_principal(request, by), per_minute=per_minute)
                if usage.exceeded:
                    return refusal(request, usage)
            return view(request, *args, **kwargs)

        return cast(View[R, P], counted)

    return decorate


def _principal(request: HttpRequest, by: str) -> str:
    user: Any = getattr(request, "user", None)
    if by == "person" and user is not None and user.is_authenticated:
        return f"person:{user.pk}"
    return f"address:{neighbourhood(client_address(request))}"


def refusal(request: HttpRequest, usage: Usage) -> HttpResponse:
    """429 with `Retry-After`: a sentence in JSON for a script, alone for a fragment, in a page for everybody else."""
    sentence = gettext("That was too much at once. Try again in %(seconds)s s.") % {"seconds": usage.seconds}
    response: HttpResponse
    if request.headers.get("Accept", "").startswith("application/json"):
        response = JsonResponse({"error": sentence, "code": "too_many"}, status=429)
    elif getattr(request, "htmx", False):
        response = HttpResponse(sentence, status=429, content_type="text/plain; charset=utf-8")
    else:
        response = render(request, "429.html", {"sentence": sentence}, status=429)
    response["Retry-After"] = str(usage.seconds)
    response["Cache-Control"] = "no-store"
    return response


def forget() -> None:
    """As after a start of the process: nothing counted here, and Redis is asked again."""
    global _away_until
    with _lock:
        _local.clear()
        _away_until = 0.0


def _use_locally(group: str, principal: str, per_minute: int) -> Usage:
    now = int(time.time())
    window = now // MINUTE
    with _lock:
        for old in [key for key in _local if key[2] < window]:
            del _local[old]
        _local[group, principal, window] += 1
        count = _local[group, principal, window]
    return Usage(count, per_minute, MINUTE - now % MINUTE)
