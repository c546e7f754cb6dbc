"""The database's own part in the sums: triggers that insert a delta with every change of a video or a job.

So whatever changes a row is counted in its transaction: a service, a batch of inserts, a cascade, the admin, SQL by
hand, and the old code during a rolling deploy. They only insert: nobody waits for anybody. What a row counts as is said
once, in FACTS, for the triggers and for the rebuild. See docs/adr/0007-sums-are-kept-by-triggers.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.models.summaries import EVERY, NOW
from publishing.states import FAMILIES, Family

DELTAS, TOTALS = "monitoring_summarydelta", "monitoring_summarytotal"
RED = ", ".join(f"'{status}'" for status in sorted(FAMILIES[Family.ATTENTION]))
#: SQLite knows no time zones: the changes of the clock between these are written into its triggers.
CLOCKS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Fact:
    """What one row of a table counts as, in SQL with `{row}` for it: `moment` is the column whose day it is, if any."""

    table: str
    what: str
    moment: str = ""
    account: str = str(EVERY)
    when: str = "TRUE"


FACTS = [
    Fact("publishing_video", "'video:' || {row}.status", account="{row}.account_id"),
    Fact("publishing_video", "'created'", "created_at"),
    Fact("publishing_video", "'posted:' || {row}.subtitle_variant", "posted_at", when="{row}.posted_at IS NOT NULL"),
    Fact("publishing_video", "'stuck:' || {row}.subtitle_variant", "updated_at", when=f"{{row}}.status IN ({RED})"),
    Fact("publishing_job", "'job:' || {row}.kind || ':' || {row}.status"),
]
#: The columns that FACTS read.
COLUMNS = {
    "publishing_video": "status, account_id, created_at, posted_at, updated_at, subtitle_variant",
    "publishing_job": "kind, status",
}
#: A video ends in red, and is not put back there by an undo: counted once a day, however often it does.
EVENTS = "publishing_videoevent"
FAILING = f"""{{row}}."new" IN ({RED}) AND {{row}}."old" <> {{row}}."new" AND {{row}}.code <> 'undone'"""


def day(column: str, vendor: str) -> str:
    """The day of a moment in the agency's time zone."""
    zone = settings.TIME_ZONE
    if vendor == "postgresql":
        return f"({column} AT TIME ZONE '{zone}')::date"
    before, last = offsets(zone)
    cases = " ".join(
        f"WHEN {column} < '{until:%Y-%m-%d %H:%M:%S}' THEN '{seconds} seconds'" for until, seconds in before
    )
    shift = f"CASE {cases} ELSE '{last} seconds' END" if cases else f"'{last} seconds'"
    return f"date({column}, {shift})"


@cache
def offsets(zone: str) -> tuple[list[tuple[datetime, int]], int]:
    """`[(until, seconds east of UTC), …]` within CLOCKS, and the offset after the last of them."""
    place, (at, end) = ZoneInfo(zone), CLOCKS
    found = []
    while at < end:
        after = at + timedelta(days=1)
        if _offset(at, place) != _offset(after, place):
            found.append((_change(at, after, place), _offset(at, place)))
        at = after
    return found, _offset(end, place)


def _offset(at: datetime, place: ZoneInfo) -> int:
    return round((at.astimezone(place).utcoffset() or timedelta()).total_seconds())


def _change(low: datetime, high: datetime, place: ZoneInfo) -> datetime:
    """The first second of the new offset."""
    old = _offset(low, place)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(middle, place) == old else (low, middle)
    return high


def fact_day(fact: Fact, row: str, vendor: str) -> str:
    if fact.moment:
        return day(f"{row}.{fact.moment}", vendor)
    return f"DATE '{NOW.isoformat()}'" if vendor == "postgresql" else f"'{NOW.isoformat()}'"


def _counted(table: str, vendor: str, *rows: tuple[str, int]) -> str:
    """Insert what changes when `rows` (OLD or NEW, and how much each counts) do; nothing where they agree."""
    parts = [
        f"SELECT {fact.account.format(row=row)} AS account, {fact_day(fact, row, vendor)} AS day,"
        f" {fact.what.format(row=row)} AS what, {n} AS n WHERE {fact.when.format(row=row)}"
        for row, n in rows for fact in FACTS if fact.table == table
    ]  # fmt: skip
    return (
        f"INSERT INTO {DELTAS} (account, day, what, n) SELECT account, day, what, SUM(n)"
        f" FROM ({' UNION ALL '.join(parts)}) AS facts GROUP BY account, day, what HAVING SUM(n) <> 0;"
    )


def _failed(vendor: str, row: str, n: int, *, but: str) -> str:
    """Insert the failure that comes or goes with an event, unless another (`but` this one) counts for that day."""
    that_day = f"{day('e.at', vendor)} = {day(f'{row}.at', vendor)}"
    others = f"e.video_id = {row}.video_id AND {FAILING.format(row='e')} AND {that_day}{but}"
    return (
        f"INSERT INTO {DELTAS} (account, day, what, n) SELECT {EVERY}, {day(f'{row}.at', vendor)}, 'failed', {n}"
        f" WHERE {FAILING.format(row=row)} AND NOT EXISTS (SELECT 1 FROM {EVENTS} e WHERE {others});"
    )


def bodies(vendor: str) -> dict[tuple[str, str], str]:
    """`(table, event)` → what is to be done for a row.

    Of an event before it is written: then what the same statement did to other rows is seen, and nothing after it.
    """
    found = {}
    for table in COLUMNS:
        found[table, "INSERT"] = _counted(table, vendor, ("NEW", 1))
        found[table, "UPDATE"] = _counted(table, vendor, ("OLD", -1), ("NEW", 1))
        found[table, "DELETE"] = _counted(table, vendor, ("OLD", -1))
    but = " AND e.id <> OLD.id"
    comes, goes = _failed(vendor, "NEW", 1, but=""), _failed(vendor, "OLD", -1, but=but)
    found[EVENTS, "INSERT"] = comes
    found[EVENTS, "UPDATE"] = f"{goes} {_failed(vendor, 'NEW', 1, but=but)}"
    found[EVENTS, "DELETE"] = goes
    return found


def _name(table: str, event: str) -> str:
    return f"summary_{table.removeprefix('publishing_')}_{event.lower()}"


def _wanted(vendor: str) -> dict[str, str]:
    """Name → its text, as the database keeps it: of the trigger on SQLite, of its function's body on PostgreSQL."""
    texts = {}
    for (table, event), body in bodies(vendor).items():
        name = _name(table, event)
        if vendor == "postgresql":
            texts[name] = f" BEGIN {body} RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END "
        else:
            texts[name] = f"CREATE TRIGGER {name} {_on(table, event)} BEGIN {body} END"
    return texts


def _on(table: str, event: str) -> str:
    columns = f" OF {COLUMNS[table]}" if event == "UPDATE" and table in COLUMNS else ""
    return f"{'BEFORE' if table == EVENTS else 'AFTER'} {event}{columns} ON {table}"


def triggers_current(connection: BaseDatabaseWrapper) -> bool:
    """Are they all there, switched on, as this version and time zone want them?"""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE starts_with(t.tgname::text, 'summary_') AND t.tgenabled IN ('O', 'A')"
            )
        else:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'summary\\_%' ESCAPE '\\'"
            )
        return dict(cursor.fetchall()) == _wanted(connection.vendor)


def triggers_install(connection: BaseDatabaseWrapper) -> None:
    """Put them there, all anew."""
    wanted = _wanted(connection.vendor)
    with connection.cursor() as cursor:
        for table, event in bodies(connection.vendor):
            name = _name(table, event)
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${wanted[name]}$$"
                )
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {name} {_on(table, event)} FOR EACH ROW EXECUTE FUNCTION {name}()"
                )
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(wanted[name])


def triggers_remove(connection: BaseDatabaseWrapper) -> None:
    """Stop counting: before rows are loaded by the million, or SQLite copies a table. A rebuild must follow."""
    with connection.cursor() as cursor:
        for table, event in bodies(connection.vendor):
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table, event)}{on}")
