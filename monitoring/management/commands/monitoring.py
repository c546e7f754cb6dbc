"""`manage.py monitoring`: Prometheus and Alertmanager beside the product that runs here, until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.urls import reverse

from monitoring.alerts.exports import SCRAPE_SECONDS
from monitoring.local import Local, NotInstalled
from monitoring.models import ApiKey, KeyScope
from monitoring.services.keys import key_make, key_revoke
from subiteya.lib.processes import AlreadyRunning, PortUnusable, only_one, require_port
from subiteya.lib.supervision import Watcher, run

NAME = "manage.py monitoring"


class Command(BaseCommand):
    help = "Runs Prometheus and Alertmanager on this machine against the running product, until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prometheus-port", type=int, default=9090)
        parser.add_argument("--alertmanager-port", type=int, default=9093)
        parser.add_argument("--seconds", type=int, default=SCRAPE_SECONDS, help="between two scrapes, at most 30")
        parser.add_argument("--also", action="append", default=[], metavar="URL", help="another webhook to tell")

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)
        if not 1 <= options["seconds"] <= 30:
            raise CommandError("--seconds must be from 1 to 30: with rarer scrapes three failures can look like four.")
        local = Local(
            folder=settings.VAR_DIR / "monitoring", web=_address(), seconds=options["seconds"], also=options["also"],
            prometheus_port=options["prometheus_port"], alertmanager_port=options["alertmanager_port"],
        )  # fmt: skip
        try:
            local.programs()
            for port in (local.prometheus_port, local.alertmanager_port):
                require_port("127.0.0.1", port)
            local.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with only_one(local.folder / "lock"):
                self._serve(local)
        except (NotInstalled, PortUnusable) as error:
            raise CommandError(f"{error}") from None
        except AlreadyRunning as error:
            raise CommandError(f"The monitoring already runs (process {error.pid or 'unknown'}).") from None
        except KeyboardInterrupt:
            sys.exit(130)

    def _serve(self, local: Local) -> None:
        _revoke()
        texts = {scope: key_make(name=NAME, scope=scope)[1] for scope in (KeyScope.METRICS, KeyScope.ALERTS)}
        local.prepare(metrics_key=texts[KeyScope.METRICS], alerts_key=texts[KeyScope.ALERTS])
        connections.close_all()  # supervisor forks
        self._say(
            f"Prometheus:    http://127.0.0.1:{local.prometheus_port}/alerts",
            f"Alertmanager:  http://127.0.0.1:{local.alertmanager_port}/",
            f"SubiteYa:      {local.web}{reverse('monitoring:alerts')}",
            "Ctrl-C stops both.",
        )
        watcher = Watcher(
            line=lambda name, line: self._say(f"{name:<12} | {line}"),
            ended=lambda name: self._say(f"{name} ended unexpectedly and is started again."),
            stopping=lambda: self._say("Stopping…"),
        )
        try:
            run(local.programs(), folder=local.folder, watcher=watcher)
        finally:
            _revoke()

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()


def _address() -> str:
    """Where the product that runs on our folder answers."""
    try:
        return str(json.loads((settings.VAR_DIR / "up.json").read_text(encoding="utf-8"))["web_url"])
    except (OSError, ValueError, KeyError):
        raise CommandError(
            f"SubiteYa does not run on {settings.VAR_DIR}: start it first with `make demo` or `make up`."
        ) from None


def _revoke() -> None:
    """The keys of an earlier run open nothing any more."""
    for key in ApiKey.objects.filter(name=NAME, revoked_at=None):
        key_revoke(key=key)
