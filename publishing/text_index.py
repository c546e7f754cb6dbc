"""The index of every three letters of what the list's search looks into, which no `Meta.indexes` can name.

PostgreSQL: a GIN index by `pg_trgm`, which comes with it; where the extension may not be created there is no index, and
the search looks only into the newest videos (`publishing.selectors.looks`). SQLite: an FTS5 table beside the rows, kept
by triggers in the transaction of the change. It holds letters, not texts, and no positions: what it finds is still held
against the text.

Made after every `migrate`, because a later migration of the table would drop the triggers of SQLite unasked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, models, transaction
from django.db.models.expressions import RawSQL

logger = logging.getLogger(__name__)

#: What is indexed is this long; a shorter word is found without the index.
LETTERS = 3


@dataclass(frozen=True)
class TextIndex:
    """One column of one table."""

    table: str
    column: str
    condition: str = ""

    @property
    def name(self) -> str:
        return f"{self.table}_letters"


CAPTIONS = TextIndex("publishing_video", "caption")
FILES = TextIndex("publishing_asset", "original_name", "kind = 'source'")
INDEXED = (CAPTIONS, FILES)
_known: set[str] = set()


def make_text_indexes(using: str = "default", **_signal: Any) -> None:
    """Make what is not there yet; receives `post_migrate`."""
    connection = connections[using]
    make = {"postgresql": _make_gin, "sqlite": _make_fts}.get(connection.vendor)
    for index in INDEXED:
        if make and index.table in connection.introspection.table_names():
            make(connection, index)


def is_indexed(using: str = "default") -> bool:
    """Are all of them there? Asked until they are."""
    if using not in _known:
        connection = connections[using]
        ask = {"postgresql": _GIN_VALID, "sqlite": _FTS_THERE}.get(connection.vendor, "SELECT 0 WHERE %s = ''")
        with connection.cursor() as cursor:
            found = [bool(cursor.execute(ask, [index.name]) and cursor.fetchone()) for index in INDEXED]
        if all(found):
            _known.add(using)
    return using in _known


def holding(index: TextIndex, rows: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
    """Those of `rows` that hold `text`, of three letters or more, by the index."""
    if rows.query.get_meta().db_table != index.table:
        raise ValueError(f"{index.name} does not index these rows")
    rows = rows.filter(**{f"{index.column}__icontains": text})
    if connections[rows.db].vendor != "sqlite":
        return rows
    threes = (text[start : start + LETTERS] for start in range(len(text) - LETTERS + 1))
    match = " ".join('"' + three.replace('"', '""') + '"' for three in threes)
    found = f"SELECT rowid FROM {index.name} WHERE {index.name} MATCH %s"  # noqa: S608  # names of our own
    return rows.filter(pk__in=RawSQL(found, [match]))  # noqa: S611  # the text is a parameter


_GIN_VALID = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid"
_FTS_THERE = "SELECT 1 FROM sqlite_master WHERE name = %s"


def _make_gin(connection: Any, index: TextIndex) -> None:
    """Without holding up who writes. A build that was broken off leaves an index that is no use: it is made anew."""
    with connection.cursor() as cursor:
        cursor.execute(_GIN_VALID, [index.name])
        if cursor.fetchone():
            return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        logger.warning("text_index_not_made", extra={"index": index.name, "why": str(error).strip()})
        return
    meanwhile = "" if connection.in_atomic_block else "CONCURRENTLY"
    where = f"WHERE {index.condition}" if index.condition else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {meanwhile} IF EXISTS {index.name}")
        cursor.execute(
            f"CREATE INDEX {meanwhile} {index.name} ON {index.table}"
            f" USING gin (UPPER({index.column}) gin_trgm_ops) {where}"
        )


def _make_fts(connection: Any, index: TextIndex) -> None:
    table, column, name = index.table, index.column, index.name
    forget = f"INSERT INTO {name}({name}, rowid, {column}) VALUES ('delete', old.id, old.{column})"  # noqa: S608  # names of our own
    learn = f"INSERT INTO {name}(rowid, {column}) VALUES (new.id, new.{column})"  # noqa: S608  # names of our own
    triggers = {
        f"{name}_insert": f"AFTER INSERT ON {table} BEGIN {learn}; END",
        f"{name}_update": f"AFTER UPDATE OF {column} ON {table} BEGIN {forget}; {learn}; END",
        f"{name}_delete": f"AFTER DELETE ON {table} BEGIN {forget}; END",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE tbl_name = %s AND type = 'trigger'", [table])
        if triggers.keys() <= {row[0] for row in cursor.fetchall()}:
            return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5({column}, content='{table}', content_rowid='id',"
            " tokenize='trigram', detail='none', columnsize=0)"
        )
        for trigger, does in triggers.items():
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {trigger} {does}")
        text_index_fill(connection, index)


def text_index_fill(connection: Any, index: TextIndex) -> None:
    """SQLite: read every text anew, for rows that came while the triggers were not there."""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {index.name}({index.name}) VALUES ('rebuild')")  # noqa: S608  # names of our own
