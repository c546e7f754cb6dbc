"""Work beside the scheduler's tick: what may wait for a network must not hold up the videos."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

logger = logging.getLogger(__name__)


class Aside:
    """A thread that does `work`, one at a time: a server that does not answer must not stop the videos."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self.name, self.work = name, work
        self._busy = threading.Lock()

    def start(self) -> None:
        """Begin, unless it is going on."""
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def _run(self) -> None:
        try:
            close_old_connections()
            self.work()
        except Exception:
            logger.exception("aside_failed", extra={"aside": self.name})
        finally:
            connections.close_all()
            self._busy.release()
