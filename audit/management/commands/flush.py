"""Django's `flush` empties every table, the audit record among them: it has to ask the triggers first."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connections

from audit.triggers import triggers_install, triggers_remove


class Command(Flush):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        triggers_remove(connection)
        try:
            super().handle(**options)
        finally:
            triggers_install(connection)
