"""`manage.py up`: the whole product on this machine, in one command."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from subiteya import stack
from subiteya.lib import env
from subiteya.lib.processes import AlreadyRunning, PortUnusable, only_one, require_port
from subiteya.lib.redis_server import NoRedisServer
from subiteya.lib.supervision import Program, Watcher, run


class Command(BaseCommand):
    help = "Runs everything on this machine until Ctrl-C: web, workers, scheduler, Redis, TikTok's sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-sandbox", action="store_true", help="publish to the real TikTok")
        parser.add_argument("--web-port", type=int, help="instead of SUBITEYA_WEB_PORT")
        parser.add_argument("--quiet", action="store_true", help="write the processes' lines to up.log only")

    def handle(self, *args: Any, no_sandbox: bool, web_port: int | None, quiet: bool, **options: Any) -> None:
        os.umask(0o077)  # the database and the bucket are nobody else's business
        sandbox = settings.TIKTOK_SANDBOX and not no_sandbox
        port = web_port or settings.WEB_PORT
        _export(sandbox=sandbox, port=port)
        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with only_one(settings.VAR_DIR / "up.lock"):
                _require_ports(sandbox=sandbox, port=port)
                self._serve(sandbox=sandbox, port=port, quiet=quiet)
        except AlreadyRunning as error:
            raise CommandError(
                f"SubiteYa already runs on {settings.VAR_DIR} (process {error.pid or 'unknown'}): "
                "stop it first, or set SUBITEYA_VAR_DIR to another folder."
            ) from None
        except NoRedisServer as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    def _serve(self, *, sandbox: bool, port: int, quiet: bool) -> None:
        card = _Card(sandbox=sandbox, port=port)
        stack.prepare()
        connections.close_all()  # supervisor forks
        programs = stack.programs(site_url=card.site_url, sandbox=sandbox)
        with ExitStack() as closing:
            closing.callback(card.withdraw)
            console = _Console(self.stdout, programs, closing.enter_context(_log_file()) if quiet else None)
            watcher = Watcher(
                line=console.line,
                ended=lambda name: console.say(f"{name} ended unexpectedly and is started again."),
                stopping=lambda: console.say("Stopping…"),
            )
            threading.Thread(target=card.publish_when_ready, args=(console,), daemon=True).start()
            run(programs, folder=settings.VAR_DIR, watcher=watcher)
            console.say("Everything has stopped.")


def _export(*, sandbox: bool, port: int) -> None:
    """Put into the environment, which the processes inherit, what this command decided."""
    os.environ["SUBITEYA_VAR_DIR"] = str(settings.VAR_DIR)
    os.environ["SUBITEYA_WEB_PORT"] = str(port)
    os.environ["TIKTOK_SANDBOX"] = str(sandbox).lower()
    if sandbox:
        os.environ["TIKTOK_CLIENT_KEY"] = settings.TIKTOK_CLIENT_KEY
        os.environ["TIKTOK_CLIENT_SECRET"] = settings.TIKTOK_CLIENT_SECRET
    else:
        env.text("TIKTOK_CLIENT_KEY")
        env.text("TIKTOK_CLIENT_SECRET")


def _require_ports(*, sandbox: bool, port: int) -> None:
    wanted = [(settings.WEB_HOST, port, "--web-port or SUBITEYA_WEB_PORT")]
    if sandbox:
        wanted.append(("127.0.0.1", settings.SANDBOX_PORT, "SUBITEYA_SANDBOX_PORT"))
    for host, number, setting in wanted:
        try:
            require_port(host, number)
        except PortUnusable as error:
            raise CommandError(f"The {error}: free it, or choose another with {setting}.") from None


def _log_file() -> TextIO:
    return (settings.VAR_DIR / "up.log").open("w", encoding="utf-8", buffering=1)


class _Console:
    """Prints what happens; the processes' own lines, under their names, go to `log` instead when there is one."""

    def __init__(self, out: Any, programs: list[Program], log: TextIO | None) -> None:
        self._out = out
        self._log = log
        self._width = max(len(program.name) for program in programs)

    def line(self, name: str, text: str) -> None:
        self._write(self._log or self._out, f"{name:<{self._width}} | {text}\n")

    def say(self, text: str) -> None:
        self._write(self._out, f"{text}\n")

    def _write(self, out: Any, text: str) -> None:
        with suppress(OSError, ValueError):  # a terminal that went away must not stop the product
            out.write(text)
            out.flush()


class _Card:
    """`up.json`: where the running product is, for other programs; there from the first answer to the stop."""

    def __init__(self, *, sandbox: bool, port: int) -> None:
        host = settings.WEB_HOST
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        self._port = port
        self._path: Path = settings.VAR_DIR / "up.json"
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.web_url = f"http://{shown}:{port}"
        self.site_url = env.url("SUBITEYA_SITE_URL", self.web_url)
        self.sandbox_url: str | None = settings.SANDBOX_URL if sandbox else None
        self._writing = threading.Lock()
        self._withdrawn = threading.Event()
        self._path.unlink(missing_ok=True)  # left by one that was killed

    def withdraw(self) -> None:
        """Take the card away for good: we are stopping."""
        with self._writing:
            self._withdrawn.set()
            self._path.unlink(missing_ok=True)

    def publish_when_ready(self, console: _Console) -> None:
        """Wait for the web application to answer, then write the card and print the addresses."""
        while not self._answers():
            if self._withdrawn.wait(0.2):
                return
        self._write()
        console.say(f"SubiteYa is ready: {self.site_url}")
        if self.sandbox_url:
            console.say(f"TikTok's sandbox: {self.sandbox_url}")
        console.say("Ctrl-C stops everything.")

    def _answers(self) -> bool:
        return self._web_answers() and (self.sandbox_url is None or self._sandbox_listens())

    def _sandbox_listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", settings.SANDBOX_PORT), timeout=2):
            return True
        return False

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _write(self) -> None:
        addresses = {"web_url": self.web_url, "sandbox_url": self.sandbox_url}
        part = self._path.with_suffix(".part")
        with self._writing:
            if not self._withdrawn.is_set():
                part.write_text(json.dumps({"pid": os.getpid(), **addresses, "started": time.time()}))
                part.replace(self._path)
