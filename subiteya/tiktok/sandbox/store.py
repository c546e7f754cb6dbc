"""The sandbox's memory: one SQLite file. Every write is one short transaction, so that a kill loses nothing told."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    username TEXT PRIMARY KEY, open_id TEXT NOT NULL UNIQUE, union_id TEXT NOT NULL, nickname TEXT NOT NULL,
    bio_description TEXT NOT NULL, privacy_level_options TEXT NOT NULL, comment_disabled INTEGER NOT NULL,
    duet_disabled INTEGER NOT NULL, stitch_disabled INTEGER NOT NULL,
    max_video_post_duration_sec INTEGER NOT NULL, is_private INTEGER NOT NULL, is_banned INTEGER NOT NULL,
    daily_post_cap INTEGER, follower_count INTEGER NOT NULL, following_count INTEGER NOT NULL,
    created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, username TEXT NOT NULL, scopes TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL, expires_at REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS grants (
    id INTEGER PRIMARY KEY, username TEXT NOT NULL, scopes TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL);
CREATE INDEX IF NOT EXISTS grants_username ON grants(username);
CREATE TABLE IF NOT EXISTS tokens (
    hash TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_id INTEGER NOT NULL, expires_at REAL NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS tokens_grant ON tokens(grant_id);
CREATE TABLE IF NOT EXISTS publishes (
    publish_id TEXT PRIMARY KEY, username TEXT NOT NULL, kind TEXT NOT NULL, url_hash TEXT NOT NULL UNIQUE,
    url_expires_at REAL NOT NULL, video_size INTEGER NOT NULL, chunk_size INTEGER NOT NULL,
    total_chunk_count INTEGER NOT NULL, uploaded_bytes INTEGER NOT NULL DEFAULT 0,
    bytes_received INTEGER NOT NULL DEFAULT 0, title TEXT NOT NULL, privacy_level TEXT NOT NULL,
    post_info TEXT NOT NULL, note TEXT NOT NULL, status TEXT NOT NULL, fail_reason TEXT NOT NULL DEFAULT '',
    stuck INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, uploaded_at REAL, settle_at REAL, settled_at REAL,
    sha256 TEXT NOT NULL DEFAULT '', duration REAL, check_failure TEXT NOT NULL DEFAULT '',
    content_type TEXT NOT NULL DEFAULT '', has_bytes INTEGER NOT NULL DEFAULT 0,
    post_id TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS publishes_username ON publishes(username, created);
CREATE INDEX IF NOT EXISTS publishes_due ON publishes(settle_at) WHERE status = 'PROCESSING_UPLOAD' AND stuck = 0;
CREATE TABLE IF NOT EXISTS parts (
    publish_id TEXT NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    received_at REAL NOT NULL, PRIMARY KEY (publish_id, part));
CREATE TABLE IF NOT EXISTS posts (
    post_id TEXT PRIMARY KEY, username TEXT NOT NULL, publish_id TEXT NOT NULL, create_time INTEGER NOT NULL,
    cursor INTEGER NOT NULL, title TEXT NOT NULL, duration INTEGER NOT NULL, privacy_level TEXT NOT NULL,
    public_at REAL, removed INTEGER NOT NULL DEFAULT 0, view_count INTEGER, like_count INTEGER,
    comment_count INTEGER, share_count INTEGER, UNIQUE (username, cursor));
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, endpoint TEXT NOT NULL, username TEXT NOT NULL,
    part INTEGER, remaining INTEGER, skip INTEGER NOT NULL, params TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, endpoint TEXT NOT NULL, username TEXT NOT NULL,
    publish_id TEXT NOT NULL, http INTEGER NOT NULL, code TEXT NOT NULL, log_id TEXT NOT NULL,
    fault TEXT NOT NULL, ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, username TEXT NOT NULL, body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_at REAL, delivered_at REAL, error TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS events_due ON events(next_at) WHERE next_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
#: Reset leaves these when the accounts are to stay connected.
ACCOUNT_TABLES = frozenset({"accounts", "codes", "grants", "tokens"})
TABLES = (
    "accounts",
    "codes",
    "grants",
    "tokens",
    "publishes",
    "parts",
    "posts",
    "faults",
    "calls",
    "events",
    "settings",
)

Row = sqlite3.Row


class Store:
    """One connection for all threads behind a lock: what is done under it is short and touches no network."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")

    @contextmanager
    def tx(self) -> Iterator[None]:
        """All or nothing; inside another `tx` of the same thread it joins that one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; return how many rows it changed."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def insert(self, table: str, row: dict[str, Any]) -> int:
        """Insert `row` (our own column names, never a caller's); return the new rowid."""
        marks = ", ".join("?" * len(row))
        with self._lock:
            cursor = self._db.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608
                tuple(row.values()),
            )
            return cursor.lastrowid or 0

    def all(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query, or None."""
        with self._lock:
            row: Row | None = self._db.execute(sql, values).fetchone()
            return row

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row; the statement always yields one."""
        row = self.one(sql, *values)
        return row[0] if row else None

    def clear(self, *, keep_accounts: bool) -> None:
        """Empty every table, or every table but those of the accounts."""
        with self.tx():
            for table in TABLES:
                if not (keep_accounts and table in ACCOUNT_TABLES):
                    self.run(f"DELETE FROM {table}")  # noqa: S608

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
