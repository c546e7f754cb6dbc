"""Where chaos takes place: a folder, ports and a database of its own, so that nothing else can be touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from subiteya.lib.processes import free_port

#: Ours, but not taken over from the caller's environment: the stage must not meet its data or keys.
OURS = ("SUBITEYA_", "TIKTOK_", "S3_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS")
KEPT = frozenset({"SUBITEYA_FFMPEG", "SUBITEYA_TIME_SCALE"})
#: A lease of 9 s and pauses of 6, 30 and 90 s: long enough for a busy machine, short enough to wait for.
TIME_SCALE = "0.1"
EDIT_WORKERS, UPLOAD_WORKERS = 2, 3
POSTGRESQL = ("postgres", "postgresql")
#: How the private installation's connections are called in PostgreSQL, and those of the run itself.
STACK_NAME, OWN_NAME = "subiteya-chaos-stack", "subiteya-chaos-run"


def is_postgresql(url: str) -> bool:
    return urlsplit(url).scheme in POSTGRESQL


@contextmanager
def stage(*, database: str, keep: bool) -> Iterator[dict[str, str]]:
    """The environment of a private installation in an empty folder (`SUBITEYA_VAR_DIR`), gone afterwards.

    `database` is the address of a PostgreSQL server on which an empty database may be made, or empty for SQLite.
    Raises psycopg.Error. `keep` leaves folder and database.
    """
    folder = Path(tempfile.mkdtemp(prefix="subiteya-chaos-"))
    try:
        if database:
            with _private_database(database, keep=keep) as address:
                yield _environment(folder, address)
        else:
            yield _environment(folder, "")
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _private_database(server: str, *, keep: bool) -> Iterator[str]:
    """The address of a new database beside the one that `server` names, which is not looked into."""
    name = f"subiteya_chaos_{token_hex(4)}"
    _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        if not keep:
            _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _environment(folder: Path, database: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(OURS)}
    return {
        "SUBITEYA_TIME_SCALE": TIME_SCALE,
        **inherited,
        "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": database,
        "PGAPPNAME": STACK_NAME,
        "SUBITEYA_VAR_DIR": str(folder),
        "SUBITEYA_STATIC_ROOT": str(folder / "static"),
        "SUBITEYA_HOST_NAME": "chaos",
        "SUBITEYA_WEB_PORT": str(free_port()),
        "SUBITEYA_SANDBOX_PORT": str(free_port()),
        "SUBITEYA_WEB_PROCESSES": "1",
        "SUBITEYA_EDIT_WORKERS": str(EDIT_WORKERS),
        "SUBITEYA_UPLOAD_WORKERS": str(UPLOAD_WORKERS),
        "SUBITEYA_UPLOAD_SINGLE_PART_MAX": "5000000",
        "SUBITEYA_UPLOAD_PART_TARGET": "10000000",
    }
