"""The product as a child of the demo: started on free ports, asked through its own commands, ended with us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext

from subiteya.lib.processes import PortUnusable, die_with_parent, free_port, require_port

READY_SECONDS = 180.0
#: `up` needs less than five seconds to stop everything; what is slower is killed, and takes its children along.
STOP_SECONDS = 8.0
LOOK_SECONDS = 0.1
TAIL_LINES = 30


class ShowFailed(Exception):
    """The demo cannot go on; str() is a sentence, `tail` the end of the log."""

    def __init__(self, message: str, tail: str = "") -> None:
        self.tail = tail
        super().__init__(message)


@dataclass(frozen=True)
class Answered:
    """What a command with --json answered; `document` is empty when it wrote none."""

    code: int
    document: Mapping[str, Any]


class Product:
    """`manage.py up` in a process below this one."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, environment: Mapping[str, str]) -> None:
        self._process, self._log, self._environment = process, log, environment
        self.web_url = self.sandbox_url = ""

    @property
    def pid(self) -> int:
        """The process above all others of the product."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Return once the web application answers; `web_url` and `sandbox_url` are known then. Raises ShowFailed."""
        deadline = time.monotonic() + READY_SECONDS
        while (card := self._card()) is None:
            self.require_alive()
            if time.monotonic() > deadline:
                raise ShowFailed(gettext("SubiteYa did not answer in time."), self.tail())
            time.sleep(LOOK_SECONDS)
        self.web_url, self.sandbox_url = card["web_url"], card["sandbox_url"]

    def ask(self, *arguments: str, screen: bool = False) -> Answered:
        """Run a command of manage.py with --json; `screen`: its progress goes to our terminal, else to the log."""
        with self._log.open("ab") as log:
            process = start_command([*arguments, "--json"], self._environment, subprocess.PIPE, None if screen else log)
        with ended(process):
            output, _none = process.communicate()
        try:
            return Answered(process.returncode, json.loads(output))
        except ValueError:
            return Answered(process.returncode, {})

    def serve(self) -> None:
        """Stay until it ends, which it never does by itself. Raises ShowFailed then."""
        self._process.wait()
        self.require_alive()

    def require_alive(self) -> None:
        if self._process.poll() is not None:
            raise ShowFailed(gettext("SubiteYa stopped by itself."), self.tail())

    def tail(self) -> str:
        """The end of the log."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:])

    def _card(self) -> dict[str, Any] | None:
        """What `up` says about itself once it answers; an older one's card is not ours."""
        with suppress(OSError, ValueError):
            card: dict[str, Any] = json.loads((settings.VAR_DIR / "up.json").read_text(encoding="utf-8"))
            return card if card.get("pid") == self._process.pid else None
        return None


@contextmanager
def product() -> Iterator[Product]:
    """Start the product; it is gone, with every child, when the block ends, however it ends."""
    settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    path: Path = settings.VAR_DIR / "demo.log"
    environment = {**os.environ, **_ports(), "PYTHONUNBUFFERED": "1"}
    with path.open("wb") as log:
        process = start_command(["up"], environment, log, log)
    with ended(process):
        yield Product(process, path, environment)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens in the block, the process is over after it."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start_command(
    arguments: list[str], environment: Mapping[str, str], out: IO[bytes] | int, error: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    """A command of manage.py in a session of its own: Ctrl-C is for us, and our death is its own."""
    return subprocess.Popen(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=error,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )


def _ports() -> dict[str, str]:
    """The default ports, or free ones when they are taken; what the environment names stays."""
    wanted = {"SUBITEYA_WEB_PORT": settings.WEB_PORT, "SUBITEYA_SANDBOX_PORT": settings.SANDBOX_PORT}
    return {name: str(_port(port)) for name, port in wanted.items() if not os.environ.get(name)}


def _port(preferred: int) -> int:
    try:
        require_port("127.0.0.1", preferred)
    except PortUnusable:
        return free_port()
    return preferred
