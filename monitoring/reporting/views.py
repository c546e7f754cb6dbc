"""The schema `reporting`: views for Metabase, on PostgreSQL only.

PostgreSQL refuses to change a column that a view reads, so the views would block later migrations. They go before
every `migrate` and come back after it, once nothing is left to apply. Rights survive: deploy/metabase/role.sql
grants them on whatever is created in the schema.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from publishing.states import FAMILIES, Family

SQL = Path(__file__).with_name("views.sql")
#: View → its columns, frozen: questions in Metabase name them.
COLUMNS = {
    "v_publication_daily": ["day", "sector", "account", "subtitles", "created", "published", "failed"],
    "v_account_health": [
        "account", "sector", "connection", "breaker", "paused_until", "failures_7d", "failures_last_hour",
        "published_7d", "last_published_at", "held_videos", "access_expires_at", "refresh_expires_at",
    ],
    "v_ab_strata": ["sector", "account", "week", "day_part", "subtitles", "ended", "published"],
    "v_failures_by_cause": ["day", "account", "status", "cause", "videos"],
    "v_tiktok_failures": [
        "hour", "account", "endpoint", "reason", "code", "http_status", "failures", "average_seconds",
    ],
}  # fmt: skip


def views_drop(*, using: str, **_signal: Any) -> None:
    """Take the views away, so that a migration may change what they read."""
    if connections[using].vendor == "postgresql":
        _drop(connections[using])


def views_create(*, using: str, plan: Any = None, **_signal: Any) -> None:
    """Make the views anew. Not after a `flush` (which has no `plan`), nor while a migration is not applied."""
    connection = connections[using]
    if connection.vendor != "postgresql" or plan is None or _is_behind(connection):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS reporting")
        _drop(connection)
        cursor.execute(_sql())


def _drop(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for view in COLUMNS:
            cursor.execute(f"DROP VIEW IF EXISTS reporting.{view}")


def _is_behind(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _sql() -> str:
    """views.sql with our own constants in it: a view takes no parameters."""
    words = {
        "zone": _quoted(settings.TIME_ZONE),
        "failed": ", ".join(_quoted(status) for status in sorted(FAMILIES[Family.ATTENTION])),
    }
    return re.sub(r"(?<!:):(zone|failed)\b", lambda found: words[found[1]], SQL.read_text(encoding="utf-8"))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
