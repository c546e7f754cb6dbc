"""Runs a set of programs on supervisor: restarts what dies, hands out their lines, stops all of them cleanly.

supervisor is used as a library inside our own process, so that there is one process to start and to stop, no
control socket, and its hooks (events, and the call between fork and exec) are at hand.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.supervisord import Supervisor

from subiteya.lib.processes import die_with_parent

#: A program that has not ended this long after SIGTERM is killed, with all of its process group.
STOP_SECONDS = 4
#: A program that ends sooner than this after its start is started again after a growing pause.
STEADY_SECONDS = 2
LONGEST_PAUSE_SECONDS = 30
#: supervisor looks around once a second; a clean stop takes several rounds of that and has five seconds.
ROUND_SECONDS = 0.1

_SUPERVISORD = """\
[supervisord]
nodaemon = true
silent = true
logfile = /dev/null
logfile_maxbytes = 0
pidfile = %(folder)s/supervisord.pid
umask = 077
minfds = 256
minprocs = 1
"""
_PROGRAM = """
[program:{name}]
command = {command}
priority = {priority}
autorestart = true
startsecs = {steady}
startretries = 1000000000
stopsignal = TERM
stopwaitsecs = {stop}
killasgroup = true
redirect_stderr = true
stdout_logfile = NONE
stdout_events_enabled = true
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command line under a `name`. Those of a lower `rank` start first, and stop after the others have."""

    name: str
    argv: Sequence[str]
    rank: int = 1


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """What the caller is told: each line a program prints, each unexpected end, and the start of the stop."""

    line: Callable[[str, str], None]
    ended: Callable[[str], None]
    stopping: Callable[[], None]
    _rest: dict[str, bytes] = field(default_factory=dict)

    def printed(self, event: Any) -> None:
        """Cut what came through the pipe into lines; the unfinished rest waits for more."""
        name = event.process.config.name
        *lines, rest = (self._rest.pop(name, b"") + event.data).split(b"\n")
        self._rest[name] = rest[-65536:]
        for line in lines:
            self.line(name, line.decode(errors="replace").rstrip("\r"))

    def exited(self, event: Any) -> None:
        """Pass on an unexpected end, and keep the pause before the next start below its limit."""
        process = event.process
        process.backoff = min(process.backoff, LONGEST_PAUSE_SECONDS)
        self.ended(process.config.name)


def run(programs: Sequence[Program], *, folder: Path, watcher: Watcher) -> None:
    """Run `programs` until SIGTERM, SIGINT or SIGHUP; all of them have ended when this returns.

    Their environment is ours. `folder` receives the generated supervisord.conf. If this process is killed,
    the kernel kills the programs. Call it from the main thread.
    """
    path = folder / "supervisord.conf"
    path.write_text(configuration(programs, folder=folder), encoding="utf-8")
    options = _Options()
    options.realize(["-c", str(path)])
    options.first = True
    options.test = False
    try:
        _Supervision(options, watcher).main()
    except ExitNow:
        pass
    finally:
        options.close_logger()


def configuration(programs: Sequence[Program], *, folder: Path) -> str:
    """supervisord.conf for `programs`: one group per rank, because groups are stopped one after the other."""
    parts = [_SUPERVISORD % {"folder": _escaped(str(folder))}]
    for program in programs:
        parts.append(
            _PROGRAM.format(
                name=program.name,
                command=_escaped(shlex.join(program.argv)),
                priority=program.rank,
                steady=STEADY_SECONDS,
                stop=STOP_SECONDS,
            )
        )
    for rank in sorted({program.rank for program in programs}):
        names = ",".join(program.name for program in programs if program.rank == rank)
        parts.append(f"\n[group:rank-{rank}]\nprograms = {names}\npriority = {rank}\n")
    return "".join(parts)


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


class _Rounds(Poller):  # type: ignore[misc]
    def poll(self, timeout: float) -> Any:
        return super().poll(ROUND_SECONDS)


class _Options(ServerOptions):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.poller = _Rounds(self)
        self._parent = os.getpid()

    def setpgrp(self) -> None:
        """Between fork and exec: away from the terminal's Ctrl-C, and never to outlive us."""
        os.setsid()
        die_with_parent(self._parent)


class _Supervision(Supervisor):  # type: ignore[misc]
    def __init__(self, options: ServerOptions, watcher: Watcher) -> None:
        super().__init__(options)
        self._watcher = watcher

    def runforever(self) -> None:
        # Here, because `run` forgets earlier subscriptions.
        events.subscribe(events.ProcessLogEvent, self._watcher.printed)
        events.subscribe(events.ProcessStateExitedEvent, self._watcher.exited)
        events.subscribe(events.ProcessStateBackoffEvent, self._watcher.exited)
        events.subscribe(events.SupervisorStoppingEvent, lambda event: self._watcher.stopping())
        super().runforever()
