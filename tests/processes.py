"""Helpers for tests that run real processes: started with us, ended with us, waited for with a limit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from subiteya.lib.processes import die_with_parent
from subiteya.lib.processes import free_port as free_port

ROOT = Path(__file__).resolve().parents[1]
MANAGE = [sys.executable, str(ROOT / "manage.py")]


def wait_for(what: Callable[[], Any], *, seconds: float = 15.0, every: float = 0.05) -> Any:
    """Call `what` until it answers something true, and return that; fail the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(every)
    raise AssertionError(f"nothing after {seconds} s: {what}")


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie only waits to be counted."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def descendants(pid: int) -> list[psutil.Process]:
    """Every process below `pid`, at whatever depth."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def command_of(process: psutil.Process) -> list[str]:
    """The words that it was started with; none when it has ended meanwhile, which a work-horse does at any moment."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


@contextmanager
def running(argv: Sequence[str], *, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes to `log`; killed with everything below it at the end of the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
    try:
        yield process
    finally:
        left = descendants(process.pid)
        process.kill()
        process.wait(timeout=10)
        for child in left:
            with suppress(psutil.NoSuchProcess):
                child.kill()
