"""The sandbox as a library: a TikTok in this process, for tests, the demo and the command."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subiteya.tiktok.sandbox import accounts, faults, grants, hooks, ledger, posts, publishes
from subiteya.tiktok.sandbox.settings import SandboxSettings
from subiteya.tiktok.sandbox.web.app import application
from subiteya.tiktok.sandbox.web.replies import WORLD
from subiteya.tiktok.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)
TICK = 0.2


class Sandbox:
    """A stateful, scriptable TikTok below `data_dir`. `clock` gives Unix seconds; all delays follow it."""

    def __init__(
        self,
        data_dir: Path,
        settings: SandboxSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.world = World(Path(data_dir), settings or SandboxSettings(), clock)
        #: Where it is served; links in `ledger()` start with it.
        self.url = ""
        self._threads: list[threading.Thread] = []

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The sandbox for any WSGI server that has threads."""
        environ[WORLD] = self.world
        return application()(environ, start_response)

    @property
    def settings(self) -> SandboxSettings:
        """The settings in force."""
        return self.world.settings

    def configure(self, **values: Any) -> None:
        """Change settings from now on (they survive a restart). Raises ValueError naming the setting."""
        self.world.configure(values)

    def forget_changes(self, *names: str) -> None:
        """These settings are again what they were given as, whatever was changed in an earlier run."""
        self.world.forget_changes(names)

    def add_account(self, username: str, **fields: Any) -> dict[str, Any]:
        """Create or change a TikTok account; `fields` as `accounts.Account`. Raises ValueError."""
        account, _ = accounts.save_account(self.world, username, fields)
        return asdict(account)

    def mint_tokens(
        self,
        username: str,
        scopes: Iterable[str] = grants.SCOPES,
        *,
        expires_in: int | None = None,
        refresh_expires_in: int | None = None,
    ) -> dict[str, Any]:
        """The token endpoint's answer for `username`, without the browser. Lives in seconds. Raises OAuthRefused."""
        return grants.mint(
            self.world,
            username,
            list(scopes),
            expires_in=expires_in,
            refresh_expires_in=refresh_expires_in,
        )

    def fault(self, kind: str, endpoint: str = "", **where: Any) -> int:
        """Script a fault: `username`, `part`, `times` (None: until removed), `skip`, and the kind's parameters.

        Returns its id (0 for one that struck at once). Raises ValueError.
        """
        return faults.add_fault(self.world, kind, endpoint=endpoint, **where).id

    def remove_fault(self, fault_id: int) -> bool:
        """Take a fault back; False when it is already gone."""
        return faults.remove_fault(self.world, fault_id)

    def faults(self) -> list[dict[str, Any]]:
        """Faults that still wait."""
        return [asdict(fault) for fault in faults.all_faults(self.world)]

    def ledger(self, *, username: str = "") -> list[dict[str, Any]]:
        """Every publish, newest first (see docs/sandbox.md for the fields)."""
        return ledger.ledger(self.world, self.url, username=username)

    def calls(self, *, limit: int = 1000) -> list[dict[str, Any]]:
        """The last API calls, newest first; `http` 0 means no answer was given."""
        return ledger.recent_calls(self.world, limit=limit)

    def events(self, *, limit: int = 1000) -> list[dict[str, Any]]:
        """Webhooks sent or waiting, newest first."""
        return ledger.recent_events(self.world, limit=limit)

    def register_posts(self, entries: Iterable[dict[str, Any]]) -> tuple[int, int]:
        """Register historical posts; returns (new, changed). Raises ValueError."""
        return posts.register_posts(self.world, entries)

    def path_of(self, publish_id: str) -> Path:
        """The file with the bytes of a publish, as far as they came and are still kept."""
        return self.world.blobs.path(publish_id)

    def reset(self, *, keep_accounts: bool = False) -> None:
        """Forget everything: state, files, faults and changed settings."""
        self.world.reset(keep_accounts=keep_accounts)

    def start(self, url: str) -> None:
        """Start the threads that settle posts and send webhooks; `serve` does it."""
        self.url = url
        self.world.stopping.clear()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work,), name=f"sandbox-{work.__name__}", daemon=True)
            for work in (publishes.settle_due, hooks.deliver_due)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads and end every stall; a webhook that is just being sent is not waited for long."""
        self.world.stopping.set()
        for thread in self._threads:
            thread.join(timeout=0.4)

    def close(self) -> None:
        """Stop, and let go of the database."""
        self.stop()
        self.world.store.close()

    def _repeat(self, work: Callable[[World], None]) -> None:
        while not self.world.stopping.is_set():
            try:
                work(self.world)
            except sqlite3.Error as error:  # the next round tries again
                logger.warning("sandbox_tick_failed", extra={"work": work.__name__, "reason": str(error)})
            self.world.stopping.wait(TICK)
