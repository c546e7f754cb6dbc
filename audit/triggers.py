"""What the database itself refuses: to change, remove or replace an entry; all that it lets happen is its sealing.

They are there after every `migrate`. docs/audit.md says how to take them away for a moment, and what shows it.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "audit_auditentry"
PLACE = ("sequence", "previous_hash", "hash")
REFUSAL = "the audit record is append-only"

SQLITE = {
    "audit_entry_insert": (
        "BEFORE INSERT ON {table} WHEN NEW.sequence IS NOT NULL OR EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
    ),
    "audit_entry_update": (
        "BEFORE UPDATE ON {table} WHEN OLD.sequence IS NOT NULL OR NEW.sequence IS NULL OR {others}"
    ),
    "audit_entry_delete": "BEFORE DELETE ON {table}",
}
POSTGRESQL = """
CREATE OR REPLACE FUNCTION audit_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.sequence IS NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND to_jsonb(NEW) - ARRAY[{place}] = to_jsonb(OLD) - ARRAY[{place}] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '{refusal}' USING ERRCODE = 'restrict_violation';
END
$guard$;
CREATE OR REPLACE TRIGGER audit_entry_row BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_entry_guard();
CREATE OR REPLACE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_guard();
"""


def triggers_keep(*, using: str, **_signal: Any) -> None:
    """After a `migrate`: a migration that made the table anew has lost them."""
    triggers_install(connections[using])


def triggers_install(connection: BaseDatabaseWrapper) -> None:
    """Put them there; twice is the same as once. Nothing before the table is there."""
    if not _has_table(connection):
        return
    with connection.cursor() as cursor:
        for statement in _statements(connection):
            cursor.execute(statement)


def triggers_remove(connection: BaseDatabaseWrapper) -> None:
    """For `flush`, which empties every table."""
    if not _has_table(connection):
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER IF EXISTS audit_entry_row ON {TABLE}")
            cursor.execute(f"DROP TRIGGER IF EXISTS audit_entry_truncate ON {TABLE}")
        else:
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def triggers_present(connection: BaseDatabaseWrapper) -> bool:
    """Are they there, and switched on?"""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A')"
                " AND tgname IN ('audit_entry_row', 'audit_entry_truncate')",
                [TABLE],
            )
            wanted = 2
        else:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
            wanted = len(SQLITE)
        return bool(cursor.fetchone()[0] == wanted)


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    return TABLE in connection.introspection.table_names()


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor == "postgresql":
        place = ", ".join(f"'{name}'" for name in PLACE)
        return [POSTGRESQL.format(table=TABLE, place=place, refusal=REFUSAL)]
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, TABLE)]
    others = " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in columns if name not in PLACE)
    made = []
    for name, when in SQLITE.items():
        made.append(f"DROP TRIGGER IF EXISTS {name}")
        made.append(
            f"CREATE TRIGGER {name} {when.format(table=TABLE, others=others)}"
            f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
    return made
