"""Parts of a tick, each at its own pace."""

from __future__ import annotations

import time


class Turns:
    """When each part had its turn, in this process."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def is_due(self, part: str, seconds: float) -> bool:
        """Is it the turn of `part`, `seconds` after its last one? Then it counts as taken, whatever becomes of it."""
        now = time.monotonic()
        if now - self._last.get(part, -seconds) < seconds:
            return False
        self._last[part] = now
        return True

    def forget(self) -> None:
        """As at the start of the process."""
        self._last.clear()
