"""Rows into a database, as fast as it takes them: one transaction, so that an interruption leaves nothing behind.

PostgreSQL: COPY. SQLite: executemany. In both, the secondary indexes are taken away before and built afterwards, which
sorts once instead of searching once per row; on PostgreSQL so are the foreign keys, which are then checked as a whole.
The triggers rest, and what they keep is made at the end. CHECK constraints and primary keys stay. Everything comes back
as the database itself had described it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import OperationalError, connection, transaction

from monitoring.seeding import sums
from monitoring.seeding.tables import Row, Table
from publishing.text_index import INDEXED, text_index_fill

Say = Callable[[str], None]


class Loading(ABC):
    """One transaction that fills tables. `say` hears what takes long."""

    def __init__(self, tables: Sequence[Table], say: Say) -> None:
        self.tables, self.say = tables, say
        self._later: list[str] = []

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Everything inside is written, or nothing of it."""
        with self._quick(), transaction.atomic():
            with connection.cursor() as cursor:
                self._take_away(cursor)
            yield
            self.wait()
            with connection.cursor() as cursor:
                for statement in self._later:
                    self.say(statement.split(" (")[0].split(" USING")[0])
                    cursor.execute(statement)
                for statement in connection.ops.sequence_reset_sql(no_style(), [table.model for table in self.tables]):
                    cursor.execute(statement)
            self._catch_up()
        self.say("ANALYZE")
        self._analyse()

    @abstractmethod
    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Append `rows`, perhaps not yet when this returns: nothing else uses the connection before `wait`."""

    def wait(self) -> None:  # noqa: B027  # not everybody has to
        """Until everything is written."""

    @abstractmethod
    def _take_away(self, cursor: Any) -> None:
        """Drop what is slow to keep up, and remember in `_later` how to make it."""

    def _catch_up(self) -> None:
        """What triggers would have kept."""
        self.say("sums")
        sums.sums_write()

    @contextmanager
    def _quick(self) -> Iterator[None]:
        yield

    def _analyse(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


class PostgreSQL(Loading):
    """The server stores what it was sent while the next rows are told: two processors share the work."""

    def __init__(self, tables: Sequence[Table], say: Say) -> None:
        super().__init__(tables, say)
        self._aside = ThreadPoolExecutor(max_workers=1)
        self._pending: list[Future[None]] = []

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        columns = ", ".join(f'"{name}"' for name in (*table.columns, *table.fixed))
        line = "\t".join(["%s"] * len(table.columns) + [str(value) for value in table.fixed.values()]) + "\n"
        sql = f"COPY \"{table.name}\" ({columns}) FROM STDIN WITH (NULL 'None')"
        data = "".join([line % row for row in rows]).encode()
        self._pending.append(self._aside.submit(_copy, connection.connection, sql, data))

    def wait(self) -> None:
        for pending in self._pending:
            pending.result()
        self._pending.clear()

    def _take_away(self, cursor: Any) -> None:
        names = [table.name for table in self.tables]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may wait that refers to them
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute(
            "SELECT format('ALTER TABLE %%s', conrelid::regclass), quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = ANY(%s::regclass[]) ORDER BY contype DESC",
            [names],
        )
        constraints = cursor.fetchall()
        for table, name, _definition in constraints:
            cursor.execute(f"{table} DROP CONSTRAINT {name}")
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE NOT indisprimary AND indrelid = ANY(%s::regclass[]) ORDER BY indrelid",
            [names],
        )
        for name, definition in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
            self._later.append(definition)
        for table in names:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
            self._later.append(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
        self._later += [f"{table} ADD CONSTRAINT {name} {definition}" for table, name, definition in constraints]

    def _analyse(self) -> None:
        with connection.cursor() as cursor:
            if connection.in_atomic_block:  # a test's
                cursor.execute("ANALYZE")
                return
            for name in [*(table.name for table in self.tables), *sums.TABLES]:
                cursor.execute(f'VACUUM ANALYZE "{name}"')


def _copy(server: Any, sql: str, data: bytes) -> None:
    with server.cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(data)


class SQLite(Loading):
    def write(self, table: Table, rows: Sequence[Row]) -> None:
        columns = ", ".join(f'"{name}"' for name in (*table.columns, *table.fixed))
        fixed = [str(value) if isinstance(value, int) else f"'{value}'" for value in table.fixed.values()]
        values = ", ".join(["?"] * len(table.columns) + fixed)
        sql = f'INSERT INTO "{table.name}" ({columns}) VALUES ({values})'  # noqa: S608  # our own names
        connection.connection.executemany(sql, rows)

    def _take_away(self, cursor: Any) -> None:
        names = {table.name for table in self.tables}
        cursor.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master"
            " WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type"
        )
        for kind, name, table, sql in cursor.fetchall():
            if table in names:
                cursor.execute(f'DROP {kind} "{name}"')
                self._later.append(sql)

    def _catch_up(self) -> None:
        super()._catch_up()
        names = {table.name for table in self.tables}
        for index in INDEXED:
            if index.table in names:
                self.say(index.name)
                text_index_fill(connection, index)

    @contextmanager
    def _quick(self) -> Iterator[None]:
        """A rollback journal holds what was there before, here next to nothing; a write-ahead log holds all twice."""
        if connection.in_atomic_block:  # a test's: these cannot be changed inside
            yield
            return
        with connection.cursor() as cursor:
            before = {name: self._ask(cursor, name) for name in ("synchronous", "cache_size", "journal_mode")}
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -1000000")
            cursor.execute("PRAGMA threads = 2")
            try:
                cursor.execute("PRAGMA journal_mode = DELETE")
            except OperationalError:
                self.say("Somebody else has the database open: slower, with its write-ahead log.")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                for name, value in before.items():
                    cursor.execute(f"PRAGMA {name} = {value}")

    @staticmethod
    def _ask(cursor: Any, name: str) -> str:
        cursor.execute(f"PRAGMA {name}")
        return str(cursor.fetchone()[0])


def loading(tables: Sequence[Table], say: Say) -> Loading:
    return {"postgresql": PostgreSQL, "sqlite": SQLite}[connection.vendor](tables, say)
