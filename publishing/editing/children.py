"""Child processes for untrusted files: limits of their own, and none that outlives what started it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subiteya.lib.processes import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
NICENESS = 5


class ChildFailed(Exception):
    """The child crashed, took too long or answered nonsense."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one child may use: seconds of CPU, bytes of address space, bytes of any file that it writes.

    A 4096×4096 HDR edit needs under 2 GB of address space with the threads that `spec` asks for (measured).
    """

    cpu_s: int = 600
    memory_bytes: int = 6 << 30
    file_bytes: int = 4_500_000_000


def limited(limits: Limits) -> Callable[[], None]:
    """For Popen's `preexec_fn`: die with the starting thread, stay within `limits`, leave no core, be nice."""
    parent = os.getpid()
    wanted = [
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ]
    # Worked out before the fork: a limit may be lowered below what this host allows, never raised above it.
    allowed = [(what, _at_most(value, resource.getrlimit(what)[1])) for what, value in wanted]

    def prepare() -> None:
        die_with_parent(parent)
        for what, value in allowed:
            resource.setrlimit(what, (value, value))
        os.nice(NICENESS)

    return prepare


def _at_most(value: int, hard: int) -> int:
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def ask(module: str, question: Any, *, timeout: float, limits: Limits) -> Any:
    """Run `python -m module` on `question`: JSON in, JSON out (see `answer`). Raises ChildFailed.

    The module works on bytes that may crash or hang it; here that costs a child, not a worker.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module], input=json.dumps(question).encode(), capture_output=True, check=False,
            timeout=timeout, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, start_new_session=True,
            preexec_fn=limited(limits),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ChildFailed(f"{module} did not answer in {timeout:.0f} s") from None
    if done.returncode:
        raise ChildFailed(f"{module} ended with {done.returncode}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise ChildFailed(f"{module} answered no JSON") from None


def answer(reply: Callable[[Any], Any]) -> None:
    """The other side of `ask`, for a module's `__main__`."""
    sys.stdout.write(json.dumps(reply(json.load(sys.stdin))))
