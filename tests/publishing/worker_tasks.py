"""Tasks for the worker's tests: plain functions that leave traces in files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from rq import get_current_job
from structlog.contextvars import bind_contextvars, get_contextvars

from publishing.stopping import Stopping
from subiteya.lib.processes import die_with_parent


def write(path: str, text: str, trace_id: str = "") -> None:
    """Write `text` to `path`."""
    Path(path).write_text(text, encoding="utf-8")


def note(path: str, seconds: float = 0.0, trace_id: str = "") -> None:
    """Add the process and the message to `path`, and what an earlier task of the process has left bound."""
    message = get_current_job()
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {message.id} {len(get_contextvars())}\n")
    bind_contextvars(job_id=message.id)
    time.sleep(seconds)


def crash(secret: str, trace_id: str = "") -> None:
    """Fail with a secret in the message."""
    raise RuntimeError(f"Bearer {secret}")


def crash_over(path: str, trace_id: str = "") -> None:
    """Fail with what is in a file in the message."""
    raise RuntimeError(f"Bearer {Path(path).read_text(encoding='utf-8')}")


def work(folder: str, stubborn: bool = False, seconds: float = 60.0, trace_id: str = "") -> None:
    """Work for a long time with a program of our own below; say when asked to stop, and then stop, or not."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=partial(die_with_parent, os.getpid())
    )
    Path(folder, "child").write_text(str(child.pid))
    Path(folder, "horse").write_text(str(os.getpid()))
    try:
        time.sleep(seconds)
        Path(folder, "finished").touch()
    except Stopping:
        Path(folder, "stopped").touch()
        if stubborn:
            time.sleep(60)
    finally:
        child.kill()
        child.wait()
