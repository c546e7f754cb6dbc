"""What tests of the alerts share: an installation in which nothing is wrong, and a clock that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from monitoring.models import TikTokFailure
from publishing.models import Leadership, WorkerHeartbeat
from publishing.services.reconcile import LEADERSHIP

NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def alive(db: None) -> Callable[[], None]:
    """Every process gives a sign of life now."""

    def alive() -> None:
        now = timezone.now()
        for kind in ("edit", "upload", "host", "scheduler"):
            row = {"kind": kind, "host": "h", "pid": 1, "started_at": now, "seen_at": now}
            WorkerHeartbeat.objects.update_or_create(name=kind, defaults=row)
        Leadership.objects.update_or_create(name="reconciler", defaults={"owner": "h:1", "until": now + LEADERSHIP})

    return alive


@pytest.fixture
def healthy(clock: Any, alive: Callable[[], None]) -> None:
    alive()


@pytest.fixture
def fail() -> Callable[..., None]:
    """A call to TikTok fails now, or `ago`."""

    def fail(times: int = 1, *, ago: timedelta = timedelta(0), **fields: Any) -> None:
        for _time in range(times):
            values = {"endpoint": "init", "reason": "unavailable", "code": "internal_error", "seconds": 0.1}
            TikTokFailure.objects.create(at=timezone.now() - ago, **values | fields)

    return fail
