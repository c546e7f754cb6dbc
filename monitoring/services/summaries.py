"""Folding and rebuilding the sums that the triggers keep."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.models import SummaryDelta, SummaryTotal
from monitoring.models.summaries import EVERY
from monitoring.triggers import (
    DELTAS,
    EVENTS,
    FACTS,
    FAILING,
    TOTALS,
    day,
    fact_day,
    triggers_current,
    triggers_install,
    triggers_remove,
)

FOLD_AT_ONCE = 5_000
#: PostgreSQL's lock of whoever writes totals: a number of our own.
LOCK = 0x53756D73

#: `(account, day, what)` of a sum.
Key = tuple[int, date, str]


@transaction.atomic
def summaries_fold() -> int:
    """Move the oldest deltas into the totals; how many. One process at a time: while another does, or counts
    everything anew, none, for the scheduler has more to do than to wait.
    """
    if not _is_only_one():
        return 0
    new = list(SummaryDelta.objects.order_by("pk")[:FOLD_AT_ONCE])
    sums: dict[Key, int] = defaultdict(int)
    for delta in new:
        for account in {delta.account, EVERY}:
            sums[account, delta.day, delta.what] += delta.n
    rows = [(account, day_.isoformat(), what, n) for (account, day_, what), n in sums.items() if n]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {TOTALS} (account, day, what, n) VALUES (%s, %s, %s, %s)"
            f" ON CONFLICT (account, day, what) DO UPDATE SET n = {TOTALS}.n + excluded.n",
            rows,
        )
    SummaryDelta.objects.filter(pk__in=[delta.pk for delta in new]).delete()
    return len(new)


def summaries() -> dict[Key, int]:
    """Every sum that is not 0, folded or not."""
    found: dict[Key, int] = defaultdict(int)
    for account, at, what, n in SummaryTotal.objects.values_list("account", "day", "what", "n"):
        found[account, at, what] += n
    for delta in SummaryDelta.objects.all():
        for account in {delta.account, EVERY}:
            found[account, delta.day, delta.what] += delta.n
    return {key: n for key, n in found.items() if n}


@transaction.atomic
def summaries_rebuild() -> None:
    """Count everything anew from the rows, while workers write.

    One statement counts and takes the deltas away, so that both are of the same moment: what is committed later
    leaves its delta. On SQLite nobody else writes meanwhile.
    """
    _only_one(connection)
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TOTALS}")
        if not postgresql:
            cursor.execute(f"DELETE FROM {DELTAS}")
        cursor.execute(
            f"WITH {f'gone AS (DELETE FROM {DELTAS}), ' if postgresql else ''}counted AS ({_counts()})"
            f" INSERT INTO {TOTALS} (account, day, what, n) SELECT account, day, what, n FROM counted UNION ALL"
            f" SELECT {EVERY}, day, what, SUM(n) FROM counted WHERE account <> {EVERY} GROUP BY day, what"
        )


def _counts() -> str:
    """Every fact of every row, counted."""
    vendor = connection.vendor
    parts = [
        f"SELECT {fact.account.format(row='r')} AS account, {fact_day(fact, 'r', vendor)} AS day,"
        f" {fact.what.format(row='r')} AS what, COUNT(*) AS n FROM {fact.table} r WHERE {fact.when.format(row='r')}"
        " GROUP BY 1, 2, 3"
        for fact in FACTS
    ]
    parts.append(
        f"SELECT {EVERY}, {day('r.at', vendor)}, 'failed', COUNT(DISTINCT r.video_id) FROM {EVENTS} r"
        f" WHERE {FAILING.format(row='r')} GROUP BY 1, 2, 3"
    )
    return " UNION ALL ".join(parts)


def _is_only_one() -> bool:
    """Does nobody else write totals now? On SQLite a transaction is alone anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _only_one(connection: BaseDatabaseWrapper) -> None:
    """Wait until nobody else writes totals; on SQLite a transaction is alone anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


# What `migrate` does


def summaries_pause(*, using: str, plan: Any = None, **_signal: Any) -> None:
    """Before migrations: SQLite changes a table by copying it, and its triggers would be in the way."""
    if plan and connections[using].vendor != "postgresql" and _has_tables(using):
        triggers_remove(connections[using])


def summaries_keep(*, using: str, plan: Any = None, **_signal: Any) -> None:
    """After `migrate`: the triggers of this version and time zone, and what happened without them counted.

    A `flush` has no plan; on SQLite it has told the triggers of every row that it took.
    """
    if not _has_tables(using):
        return
    is_current = triggers_current(connections[using])
    if not is_current:
        triggers_install(connections[using])
    if not is_current or plan is None:
        summaries_rebuild()


def _has_tables(using: str) -> bool:
    return {DELTAS, TOTALS, EVENTS} <= set(connections[using].introspection.table_names())
