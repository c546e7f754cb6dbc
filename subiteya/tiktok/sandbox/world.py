"""What every part of the sandbox shares: memory, files, settings, time, and the sign to stop."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from subiteya.tiktok.sandbox.blobs import Blobs
from subiteya.tiktok.sandbox.errors import ApiError
from subiteya.tiktok.sandbox.settings import SandboxSettings, changed
from subiteya.tiktok.sandbox.store import Store

WINDOW = 60.0


class World:
    """Shared by all requests and both background threads; every member is safe to use from any of them."""

    def __init__(self, data_dir: Path, settings: SandboxSettings, clock: Callable[[], float]) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.store = Store(data_dir / "sandbox.sqlite3")
        self.blobs = Blobs(data_dir)
        self.now = clock
        self.stopping = threading.Event()
        self.windows = Windows()
        self._given = settings
        self._settings = self._with_overrides()

    @property
    def settings(self) -> SandboxSettings:
        """The settings in force: as given, and as changed since."""
        return self._settings

    def configure(self, values: dict[str, Any]) -> None:
        """Change settings from now on, also after a restart. Raises ValueError and changes nothing."""
        changed(self._settings, values)
        with self.store.tx():
            for name, value in values.items():
                self.store.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))
            self._settings = self._with_overrides()

    def forget_changes(self, names: Iterable[str]) -> None:
        """Drop what `configure` stored for these settings."""
        with self.store.tx():
            for name in names:
                self.store.run("DELETE FROM settings WHERE name = ?", name)
            self._settings = self._with_overrides()

    def reset(self, *, keep_accounts: bool) -> None:
        """Forget everything, or everything but accounts and their tokens."""
        self.store.clear(keep_accounts=keep_accounts)
        self.blobs.clear()
        self.windows.clear()
        self._settings = self._with_overrides()

    def sleep(self, seconds: float) -> bool:
        """Wait; False as soon as the sandbox stops."""
        return not self.stopping.wait(seconds)

    def _with_overrides(self) -> SandboxSettings:
        rows = self.store.all("SELECT name, value FROM settings")
        return changed(self._given, {row["name"]: json.loads(row["value"]) for row in rows})


class Windows:
    """Calls of the last minute per (endpoint, token), as `tiktok-api-v2-rate-limit` counts them: sliding."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, str], deque[float]] = {}

    def hit(self, bucket: str, key: str, *, limit: int, now: float) -> None:
        """Count one call, or refuse it (uncounted). Raises ApiError rate_limit_exceeded."""
        if not limit:
            return
        with self._lock:
            calls = self._fresh((bucket, key), now)
            if len(calls) >= limit:
                raise ApiError("rate_limit_exceeded", f"{bucket}: {limit} calls a minute.")
            calls.append(now)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def _fresh(self, key: tuple[str, str], now: float) -> deque[float]:
        if len(self._calls) > 5000:
            self._calls = {k: v for k, v in self._calls.items() if v and v[-1] > now - WINDOW}
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        return calls
