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
#: What a pipe holds at least: a question of so many bytes never waits for the child that is to read it.
QUESTION_BYTES = 4096
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
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(BrokenPipeError):  # a question that nobody read
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
            with _reader(module, limits, asked) as process:
                return _heard(module, process, deadline)
    except (IsolationMissing, OSError, subprocess.SubprocessError) as error:
        raise ChildFailed(f"{module} could not be started: {error}") from error


@contextlib.contextmanager
def standing_by(module: str, *, limits: Limits) -> Iterator[StandBy]:
    """Start a child before there is a question: it loads its libraries while something else is waited for.

    It is shut in from its first moment like any other, and gone when the block ends, asked or not.
    """
    with contextlib.ExitStack() as stack:
        process = None
        with contextlib.suppress(IsolationMissing, OSError, subprocess.SubprocessError):  # `StandBy.ask` will tell
            process = stack.enter_context(_reader(module, limits, subprocess.PIPE))
        yield StandBy(module, limits, process)


class StandBy:
    """A child that waits for its one question; where there is none, or it died waiting, another is started."""

    def __init__(self, module: str, limits: Limits, process: subprocess.Popen[bytes] | None) -> None:
        self._module, self._limits, self._process = module, limits, process

    def ask(self, question: Any, *, timeout: float) -> Any:
        """As `ask` of the module; `timeout` counts from now. Raises ChildFailed."""
        deadline = time.monotonic() + timeout
        process, self._process = self._process, None
        if process is None or not _put(process, json.dumps(question).encode()):
            return ask(self._module, question, timeout=timeout, limits=self._limits)
        return _heard(self._module, process, deadline)


def _put(process: subprocess.Popen[bytes], question: bytes) -> bool:
    """Whether the child has the question now, and the end of it."""
    assert process.stdin
    if len(question) > QUESTION_BYTES:
        return False
    try:
        process.stdin.write(question)
        process.stdin.close()
    except OSError:
        return False
    return True


def _reader(
    module: str, limits: Limits, stdin: IO[bytes] | int
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return started(
        [sys.executable, "-m", module], limits=limits, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdin=stdin,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _heard(module: str, process: subprocess.Popen[bytes], deadline: float) -> Any:
    """What the child answers until `deadline`; it is over then. Raises ChildFailed."""
    told = _told(process, deadline)
    ended = has_ended(process, within=max(0.0, deadline - time.monotonic()))
    _end(process)
    if told is None or not ended:
        raise ChildFailed(f"{module} did not answer in time")
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
