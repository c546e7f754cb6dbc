"""Small facts of the operating system: who dies with whom, which port is free, who runs already."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Loaded here, not in the child: between fork and exec nothing should import or allocate much.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


class AlreadyRunning(Exception):
    """Another process holds the lock; `pid` is what it wrote there, or empty."""

    def __init__(self, pid: str) -> None:
        self.pid = pid
        super().__init__(f"held by process {pid or 'unknown'}")


class PortUnusable(Exception):
    """Nothing can listen there; str() is one sentence without a full stop."""


def die_with_parent(parent: int) -> None:
    """Have the kernel SIGKILL this process when its parent dies. Call it first in a child; `parent` is its pid.

    The kernel watches the *thread* that forked: start children from a thread that lives as long as they do.
    Elsewhere than on Linux this only checks that the parent is still there.
    """
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)


def require_port(host: str, port: int) -> None:
    """Raise PortUnusable, naming the port, when no server could listen on `host`:`port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be opened ({error.strerror})"
        raise PortUnusable(f"port {port} on {host} {why}") from None


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock file `path` (the kernel frees it however we end), or raise AlreadyRunning."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise AlreadyRunning(file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
