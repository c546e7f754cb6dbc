"""Hosts that are namespaces: each with a network card, a name, processes and a folder of its own, on one bridge."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import ROOT, CannotMeasure
from subiteya.lib.processes import die_with_parent

NETWORK = "10.77.0"
BRIDGE = "hosts"
#: What a host is made of; --kill-child: whoever ends the first process of a host ends all of it at once.
NAMESPACES = ("--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
TOOLS = {"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux", "taskset": "util-linux"}
STOP_SECONDS = 20.0


class Failed(Exception):
    """The scenario cannot go on; str() says where."""


def require_namespaces() -> None:
    """Raises CannotMeasure where there can be no hosts."""
    for program, package in TOOLS.items():
        if shutil.which(program) is None:
            raise CannotMeasure(
                f'hosts: {program} is not installed: on Debian, run "apt-get install {package}" as root'
            )
    trial = f"ip link add {BRIDGE} type bridge && unshare {' '.join(NAMESPACES)} true"
    argv = ["unshare", *own_rights(), *NAMESPACES, "sh", "-c", trial]
    tried = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    if tried.returncode:
        why = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotMeasure(f"hosts: this kernel, or our rights here, allow no network namespaces ({why})")


def own_rights() -> list[str]:
    """Root has the right to make namespaces; others have it in a user namespace of their own."""
    return [] if os.geteuid() == 0 else ["--user", "--map-root-user"]


def wait(what: Callable[[], Any], *, seconds: float, about: str, every: float = 0.05) -> Any:
    """Call `what` until it answers something true, and return that. Raises Failed after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(every)
    raise Failed(f"{about}: not within {seconds:.0f} s")


def make_bridge() -> None:
    """The switch that all hosts hang on, and our own address on it."""
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


def _ip(*argv: str, prefix: Sequence[str] = ()) -> None:
    subprocess.run([*prefix, "ip", *argv], check=True, timeout=30, stdout=subprocess.DEVNULL)


class Running:
    """A process on a host. `pid` is ours, not the host's own count."""

    def __init__(self, entered: subprocess.Popen[bytes], log: Path) -> None:
        self._entered, self.log = entered, log
        found = wait(self._inner, seconds=20, about=f"start of {log.stem}", every=0.01)
        self.pid: int = found[0].pid

    def _inner(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._entered.pid).children()
        raise Failed(f"{self.log.stem} ended at once: {self.tail()}")

    @property
    def alive(self) -> bool:
        return self._entered.poll() is None

    def children(self) -> list[psutil.Process]:
        """What it started itself: of a worker, the work-horse."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children()
        return []

    def stop(self) -> None:
        """SIGTERM, as systemd does it, and wait. Raises Failed when it does not end."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        wait(lambda: not self.alive, seconds=STOP_SECONDS, about=f"stop of {self.log.stem}")

    def said(self, words: str) -> bool:
        """Whether it has printed that. Raises Failed when it has ended."""
        if not self.alive:
            raise Failed(f"{self.log.stem} ended: {self.tail()}")
        return words in self.log.read_text(encoding="utf-8", errors="replace")

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-1500:]


class Host:
    """A machine that is switched on and off. Its folder is its disk, and outlives it."""

    def __init__(self, name: str, number: int, folder: Path) -> None:
        self.name, self.address = name, f"{NETWORK}.{number}"
        self.cable, self.card = f"v-{name}", f"02:00:00:00:00:{number:02x}"
        self.folder = folder / name
        self.folder.mkdir()
        self.running: dict[str, Running] = {}
        self._starts = 0
        self._machine: subprocess.Popen[bytes] | None = None
        self._init = 0

    @property
    def is_on(self) -> bool:
        return self._machine is not None

    def power_on(self) -> None:
        """Start the machine and plug its cable in."""
        words = ["sh", "-c", 'hostname "$0" && exec sleep infinity', self.name]
        self._machine = subprocess.Popen(
            ["unshare", *NAMESPACES, *words], preexec_fn=partial(die_with_parent, os.getpid()),
            stderr=subprocess.DEVNULL,  # how its end looks to it
        )  # fmt: skip
        self._init = wait(self._first_process, seconds=20, about=f"power on of {self.name}", every=0.01)
        # The same card each time: its neighbours know it still.
        card = ["peer", "name", "eth0", "address", self.card, "netns", str(self._init)]
        _ip("link", "add", self.cable, "type", "veth", *card)
        _ip("link", "set", self.cable, "master", BRIDGE, "up")
        inside = ["nsenter", "--target", str(self._init), "--net"]
        _ip("link", "set", "lo", "up", prefix=inside)
        _ip("addr", "add", f"{self.address}/24", "dev", "eth0", prefix=inside)
        _ip("link", "set", "eth0", "up", prefix=inside)

    def _first_process(self) -> int:
        assert self._machine is not None
        for child in psutil.Process(self._machine.pid).children():
            with suppress(psutil.NoSuchProcess):
                if child.name() == "sleep":
                    return child.pid
        return 0

    def power_off(self) -> None:
        """Pull the plug: the network is gone before any connection could be closed, and every process with it."""
        if self._machine is None:
            return
        _ip("link", "del", self.cable)
        os.kill(self._init, signal.SIGKILL)
        self._machine.wait(timeout=STOP_SECONDS)
        for process in self.running.values():
            wait(lambda process=process: not process.alive, seconds=STOP_SECONDS, about=f"power off of {self.name}")
        self.running.clear()
        self._machine = None

    def run(
        self, name: str, argv: Sequence[str], *, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> Running:
        """Start a program here; it prints into a file of its own."""
        self._starts += 1
        log = self.folder / f"{name}-{self._starts}.log"
        spaces = ["--net", "--uts", "--pid", "--mount"]
        enter = ["nsenter", "--target", str(self._init), *spaces, "sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *argv]
        with log.open("ab") as out:
            entered = subprocess.Popen(
                enter, env=dict(environment or os.environ), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=partial(die_with_parent, os.getpid()), start_new_session=True,
            )  # fmt: skip
        self.running[name] = Running(entered, log)
        return self.running[name]

    def call(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> None:
        """Run a program here to its end. Raises Failed when it fails."""
        process = self.run("call", argv, cwd=cwd, environment=environment)
        wait(lambda: not process.alive, seconds=180, about=" ".join(argv[-3:]))
        del self.running["call"]
        if process._entered.returncode:
            raise Failed(f"{' '.join(argv[-3:])}: {process.tail()}")

    def stop(self) -> None:
        """Stop all programs, as at an orderly restart; the machine stays on."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        for name in list(self.running):
            self.running.pop(name).stop()
