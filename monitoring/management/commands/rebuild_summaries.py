"""`manage.py rebuild_summaries`: count every sum anew from the rows, and say which was wrong."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from monitoring.services.rebuilding import REBUILDERS


class Command(BaseCommand):
    help = (
        "Counts every sum that is kept beside the rows anew, while the workers go on, and prints what differed:"
        " what they changed meanwhile too."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        differences = 0
        for rebuild in REBUILDERS:
            for difference in rebuild():
                differences += 1
                self.stdout.write(f"{difference.name}: {difference.kept} -> {difference.counted}")
        self.stdout.write(f"{differences} sums differed." if differences else "Every sum agreed with the rows.")
