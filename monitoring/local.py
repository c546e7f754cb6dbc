"""Prometheus and Alertmanager on this machine, beside the running product: their files, and how to start them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitoring.alerts.exports import RETENTION, alerting, alertmanager, prometheus, recording, text
from subiteya.lib.supervision import Program


class NotInstalled(Exception):
    """A program is missing; str() says how to get it."""


@dataclass(frozen=True, kw_only=True)
class Local:
    """Everything below `folder`; `web` is the product's address, `also` are further webhooks to tell."""

    folder: Path
    web: str
    prometheus_port: int
    alertmanager_port: int
    seconds: int
    also: Sequence[str] = ()

    def prepare(self, *, metrics_key: str, alerts_key: str) -> None:
        """Write the configuration, and the keys, for nobody else's eyes."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _private(self.folder / "metrics.token", metrics_key)
        _private(self.folder / "alerts.token", alerts_key)
        target = self.web.partition("://")[2]
        for name, document in {
            "prometheus.yml": prometheus(
                target=target, rules="rules-*.yml", token_file=str(self.folder / "metrics.token"), site=self.web,
                alertmanager=f"127.0.0.1:{self.alertmanager_port}", seconds=self.seconds,
                scheme=self.web.partition("://")[0],
            ),
            "rules-recording.yml": recording(),
            "rules-alerts.yml": alerting(),
            "alertmanager.yml": alertmanager(
                app=self.web, token_file=str(self.folder / "alerts.token"), mail=False, also=self.also, wait_seconds=1
            ),
        }.items():  # fmt: skip
            (self.folder / name).write_text(text(document), encoding="utf-8")

    def programs(self) -> list[Program]:
        """Both, listening on this machine only. Raises NotInstalled."""
        server = _program("prometheus")
        router = _program("prometheus-alertmanager", "alertmanager")
        return [
            Program(name="prometheus", argv=[
                server, f"--config.file={self.folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.folder / 'prometheus'}", f"--storage.tsdb.retention.time={RETENTION}",
                f"--web.listen-address=127.0.0.1:{self.prometheus_port}", "--log.level=warn",
            ]),
            Program(name="alertmanager", argv=[
                router, f"--config.file={self.folder / 'alertmanager.yml'}",
                f"--storage.path={self.folder / 'alertmanager'}", "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.alertmanager_port}", "--log.level=warn",
            ]),
        ]  # fmt: skip


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    hint = "apt-get install prometheus prometheus-alertmanager" if sys.platform == "linux" else "install it"
    raise NotInstalled(f'{names[0]} was not found: run "{hint}" as root, or use deploy/compose.yml.')


def _private(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")
