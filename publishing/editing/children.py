"""Child processes for untrusted files: limits of their own, no network, and none that outlives what started it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from publishing.editing.isolation import IsolationMissing, cut_off, isolation
from subiteya.lib.processes import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
NICENESS = 5
READ_BYTES = 65536
#: A child's answer; the cues of an hour's talk take less than a tenth of it.
ANSWER_BYTES = 16_000_000
#: How long a child whose pipes are closed may take to end.
ENDING_SECONDS = 10.0


class ChildFailed(Exception):
    """The child crashed, took too long or answered nonsense."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one child may use: seconds of CPU, bytes of address space, bytes of any file that it writes, open files.

    A 4096×4096 HDR edit needs under 2 GB of address space with the threads that `spec` asks for (measured).
    """

    cpu_s: int = 600
    memory_bytes: int = 6 << 30
    file_bytes: int = 4_500_000_000
    files: int = 256


def limited(limits: Limits) -> Callable[[], None]:
    """For Popen's `preexec_fn`: cut off from the network, die with the starting thread, stay within `limits`.

    Raises IsolationMissing.
    """
    parent = os.getpid()
    wanted = [
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    ]
    # Worked out before the fork: a limit may be lowered below what this host allows, never raised above it.
    allowed = [(what, _at_most(value, resource.getrlimit(what)[1])) for what, value in wanted]
    isolate = cut_off(isolation())

    def prepare() -> None:
        isolate()
        die_with_parent(parent)  # after the namespace: new credentials would make the kernel forget it
        for what, value in allowed:
            resource.setrlimit(what, (value, value))
        os.nice(NICENESS)

    return prepare


def _at_most(value: int, hard: int) -> int:
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


@contextlib.contextmanager
def started(
    argv: Sequence[str], *, limits: Limits, cwd: Path | None, env: Mapping[str, str], stdin: IO[bytes] | int,
    stderr: int,
) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    """The only way in which a program gets to see an untrusted file: a group of its own, killed however this ends."""
    process = subprocess.Popen(
        argv, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True, preexec_fn=limited(limits),
        cwd=cwd, env=dict(env),
    )  # fmt: skip
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, and only then reap its leader: until then no other group can have its number."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def has_ended(process: subprocess.Popen[bytes], *, within: float = ENDING_SECONDS) -> bool:
    """Whether the leader ends by itself; it is not reaped, so that its group can still be killed."""
    deadline = time.monotonic() + within
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def ask(module: str, question: Any, *, timeout: float, limits: Limits) -> Any:
    """Run `python -m module` on `question`: JSON in, JSON out (see `answer`). Raises ChildFailed.

    The module works on bytes that may crash or hang it; here that costs a child, not a worker. `timeout` is in
    seconds of wall-clock time.
    """
    deadline = time.monotonic() + timeout
    try:
        with tempfile.TemporaryFile() as asked:
            asked.write(json.dumps(question).encode())
            asked.seek(0)
            with started(
                [sys.executable, "-m", module], limits=limits, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdin=asked,
                stderr=subprocess.DEVNULL,
            ) as process:  # fmt: skip
                told = _told(process, deadline)
                ended = has_ended(process, within=max(0.0, deadline - time.monotonic()))
    except (IsolationMissing, OSError, subprocess.SubprocessError) as error:
        raise ChildFailed(f"{module} could not be started: {error}") from error
    if told is None or not ended:
        raise ChildFailed(f"{module} did not answer in {timeout:.0f} s")
    if process.returncode:
        raise ChildFailed(f"{module} ended with {process.returncode}")
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        raise ChildFailed(f"{module} answered no JSON") from None


def _told(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """All that it says; None when it did not come to an end in time. Raises ChildFailed when it says too much."""
    assert process.stdout
    parts: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(timeout=left):
                return None
            data = os.read(process.stdout.fileno(), READ_BYTES)
            if not data:
                return b"".join(parts)
            parts.append(data)
            size += len(data)
            if size > ANSWER_BYTES:
                raise ChildFailed("the answer is too long")
    return None


def answer(reply: Callable[[Any], Any]) -> None:
    """The other side of `ask`, for a module's `__main__`."""
    sys.stdout.write(json.dumps(reply(json.load(sys.stdin))))
