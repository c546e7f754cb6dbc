"""The signs of life of workers and scheduler, written where every host and the monitor can see them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from publishing.models import WorkerHeartbeat, WorkerKind
from publishing.services.jobs import worker_name
from publishing.signals import beaten

logger = logging.getLogger(__name__)

#: A process writes this often, and is taken for dead after the other.
BEAT_SECONDS = 15.0
DEAD_AFTER = timedelta(seconds=60)


class Heart:
    """The sign of life of this process. A database that is away only makes it look dead."""

    def __init__(self, kind: WorkerKind) -> None:
        self.kind = kind
        self._beaten = -BEAT_SECONDS

    def beat(self) -> None:
        """Say that we live, unless we have just done so."""
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            self._try(self._beat)

    def stop(self) -> None:
        """We end as we should: nobody needs to miss us."""
        self._try(WorkerHeartbeat.objects.filter(pk=worker_name()).delete)

    def _beat(self) -> None:
        self._write()
        beaten.send_robust(Heart)

    def _write(self) -> None:
        now = timezone.now()
        alive = WorkerHeartbeat.objects.filter(pk=worker_name(), kind=self.kind)
        if not alive.update(seen_at=now):
            fields = {"kind": self.kind, "host": settings.HOST_NAME, "pid": os.getpid()}
            times = {"started_at": now, "seen_at": now}
            WorkerHeartbeat.objects.update_or_create(name=worker_name(), defaults=fields | times)

    def _try(self, what: Callable[[], object]) -> None:
        try:
            what()
        except DatabaseError as error:
            logger.info("heartbeat_unwritten", extra={"error": str(error).strip()})
        finally:
            connections.close_all()  # an idle process holds no connection, and a fork inherits none
