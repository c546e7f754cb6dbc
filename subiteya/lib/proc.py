"""What Linux tells of processes in /proc: who is below whom, and who belongs to a folder. Empty elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One line of the process table, as it was when it was read. `argv` is what the process shows now."""

    pid: int
    parent: int
    argv: tuple[str, ...]


def processes() -> list[Process]:
    """Every process that runs; zombies have ended."""
    return [found for entry in PROC.glob("[0-9]*") if (found := _read(entry)) is not None]


def below(pid: int) -> list[Process]:
    """Everything that runs below `pid`, at whatever depth, nearest first."""
    table = processes()
    found, parents = [], {pid}
    while parents:
        children = [process for process in table if process.parent in parents]
        found += children
        parents = {process.pid for process in children}
    return found


def that_mention(folder: Path) -> list[Process]:
    """Processes that name `folder` in their command line or environment, without this one and those above it."""
    needle = os.fsencode(folder)
    above = set(_above(os.getpid()))
    return [process for process in processes() if process.pid not in above and needle in _words(process.pid)]


def _above(pid: int) -> Iterator[int]:
    while pid > 1:
        yield pid
        found = _read(PROC / str(pid))
        pid = found.parent if found else 0


def _words(pid: int) -> bytes:
    words = b""
    for name in ("cmdline", "environ"):
        with suppress(OSError):
            words += (PROC / str(pid) / name).read_bytes()
    return words


def _read(entry: Path) -> Process | None:
    """None when it has ended."""
    try:
        # The name between the brackets may hold anything; the state and the parent come after the last one.
        state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
        argv = (entry / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else Process(int(entry.name), int(parent), tuple(argv))
