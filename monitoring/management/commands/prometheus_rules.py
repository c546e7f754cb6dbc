"""`manage.py prometheus_rules`: write the files of Prometheus and Alertmanager from the alerts' definition."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.alerts.exports import differing, files


class Command(BaseCommand):
    help = "Writes deploy/prometheus and deploy/alertmanager from the alerts' definition."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        folder = settings.BASE_DIR / "deploy"
        stale = differing(folder)
        if check and stale:
            raise CommandError(f"Not up to date: {', '.join(stale)}. Run `manage.py prometheus_rules`.")
        for name in stale:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[name], encoding="utf-8")
            self.stdout.write(f"deploy/{name}")
