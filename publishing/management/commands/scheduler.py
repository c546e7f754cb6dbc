"""`manage.py scheduler`: starts what is due and repairs what was left half done, each second, or sooner when behind."""

from __future__ import annotations

import logging
import signal
import sys
import time
from types import FrameType
from typing import Any, NoReturn

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections

from publishing.models import WorkerKind
from publishing.services.heartbeats import Heart
from publishing.services.reconcile import is_behind, lead, reconcile_tick
from publishing.services.sweep import bucket_sweep
from publishing.signals import ticked
from subiteya.lib.turns import Turns

logger = logging.getLogger(__name__)

TICK_SECONDS, BEHIND_SECONDS = 1.0, 0.25
LONGEST_PAUSE_SECONDS = 10.0
#: Between two looks for stored files that no row names.
SWEEP_SECONDS = 3600.0
turns = Turns()


class Command(BaseCommand):
    help = "Starts due videos and repairs what crashes left behind; several may run, one at a time leads."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        # Leaving in the middle of a tick is safe: every step is a transaction that the next tick finds again.
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        logger.info("scheduler_started")
        heart = Heart(WorkerKind.SCHEDULER)
        try:
            _work(heart)
        finally:
            heart.stop()


def _work(heart: Heart) -> NoReturn:
    failures, swept = 0, time.monotonic()
    while True:
        started = time.monotonic()
        heart.beat()
        done = _tick(failures)
        failures = 0 if done is not None else failures + 1
        if not failures and started - swept > SWEEP_SECONDS:
            swept = started
            _sweep()
        shortest = BEHIND_SECONDS if done and is_behind(done) else TICK_SECONDS
        pause = min(LONGEST_PAUSE_SECONDS, shortest * 2 ** min(failures, 10))
        time.sleep(max(0.0, started + pause - time.monotonic()))


def _tick(failures: int) -> dict[str, int] | None:
    """One tick, and what it did. None when the database does not answer, said once per outage."""
    close_old_connections()
    try:
        done = reconcile_tick()
        if done and turns.is_due("ticked", 0.9 * TICK_SECONDS):
            ticked.send_robust(reconcile_tick)  # what breaks there is logged, and must not stop the videos
    except DatabaseError as error:
        if not failures:
            logger.warning("scheduler_database_unreachable", extra={"error": str(error).strip()})
        connections.close_all()
        return None
    except Exception:
        # One row that breaks the tick must not stop every other video for good.
        logger.exception("scheduler_tick_failed")
        return None
    if failures:
        logger.info("scheduler_recovered", extra={"failures": failures})
    return done


def _sweep() -> None:
    """Clear the bucket of files that no row names. What goes wrong here waits for the next time."""
    try:
        if lead("sweeper"):
            bucket_sweep()
    except Exception:
        logger.exception("bucket_sweep_failed")


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)
