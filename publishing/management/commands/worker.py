"""`manage.py worker edit|upload`: one worker process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from publishing.states import JobKind
from publishing.worker import make_worker


class Command(BaseCommand):
    help = "Works on one queue until SIGTERM or Ctrl-C: edits videos, or uploads them to TikTok."
    requires_system_checks = ["publishing"]  # a worker has no use for the pages that the other checks load

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=JobKind.values)
        parser.add_argument("--name", default="", help="how the worker is called; made up when absent")
        parser.add_argument(
            "--host-queue",
            action="store_true",
            help="only edits whose files this host keeps, and the cleaning of its disk; one such worker for each host",
        )

    def handle(self, *args: Any, kind: str, name: str, host_queue: bool, **options: Any) -> None:
        if host_queue and kind != JobKind.EDIT:
            raise CommandError("--host-queue is for edit workers: only edits keep files on a host.")
        make_worker(kind, name, host_queue=host_queue).run()
