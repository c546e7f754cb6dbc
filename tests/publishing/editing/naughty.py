"""A child that does what a reader of untrusted files might be made to do; `python -m`, asked like the real ones."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from publishing.editing.children import answer

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def _sleep(_told: Any) -> Any:
    subprocess.Popen([*SLEEP[:-1], SLEEP[-1] + f"  # {_told}"])
    time.sleep(600)


def _leave(told: Any) -> Any:
    """Answer at once, and leave another process behind that holds no pipe of ours."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen([*SLEEP[:-1], SLEEP[-1] + f"  # {told}"], **quiet)
    return "answered"


def _hog(_told: Any) -> Any:
    return len(bytearray(4 << 30))


def _spin(_told: Any) -> Any:
    while True:
        pass


def _write(told: Any) -> Any:
    with Path(told).open("wb") as file:
        file.write(b"x" * 100_000)


def _shout(_told: Any) -> Any:
    return "x" * 20_000_000


def _open(_told: Any) -> Any:
    return len([Path("/dev/null").open() for _each in range(500)])


def _call(told: Any) -> Any:
    with socket.create_connection(("127.0.0.1", told), timeout=5):
        return "connected"


def _tell(_told: Any) -> Any:
    names = ("RLIMIT_CORE", "RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE")
    limits = {name: resource.getrlimit(getattr(resource, name))[1] for name in names}
    with Path("/proc/self/status").open() as status:
        no_new_privileges = "NoNewPrivs:\t1\n" in status.read()
    return {
        "environment": sorted(os.environ), "limits": limits, "nice": os.nice(0), "locked": no_new_privileges,
        "leads": os.getpid() == os.getpgid(0),
    }  # fmt: skip


DEEDS = {
    "sleep": _sleep, "leave": _leave, "hog": _hog, "spin": _spin, "write": _write, "shout": _shout, "open": _open,
    "call": _call, "tell": _tell,
}  # fmt: skip


if __name__ == "__main__":
    answer(lambda question: DEEDS[question[0]](question[1]))
