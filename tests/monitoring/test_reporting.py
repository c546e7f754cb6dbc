"""The views that Metabase reads, and the user that may read nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from monitoring.reporting.views import COLUMNS
from publishing.models import VideoEvent
from publishing.states import VideoStatus
from tests.factories import TikTokAccountFactory, VideoFactory
from tests.processes import ROOT

METABASE = ROOT / "deploy" / "metabase"
READER = "subiteya_reader"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the views are PostgreSQL's"),
]


def rows(sql: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column.name for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def address(user: str) -> str:
    at = connection.settings_dict
    return f"host={at['HOST']} port={at['PORT']} dbname={at['NAME']} user={user} password=reader"


@pytest.fixture
def reader() -> psycopg.Connection:
    """A session of Metabase's user, which is made twice: the second time changes nothing."""
    owner = connection.settings_dict["USER"]
    for _time in range(2):
        argv = [
            "psql",
            address(owner),
            "--quiet",
            "--no-psqlrc",
            "--set",
            "ON_ERROR_STOP=1",
            "--set",
            "password=reader",
        ]
        subprocess.run([*argv, "--file", str(METABASE / "role.sql")], check=True, capture_output=True, timeout=30)
    with psycopg.connect(address(READER), autocommit=True) as session:
        yield session


def test_it_freezes_the_columns() -> None:
    found: dict[str, list[str]] = {}
    for row in rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'reporting' ORDER BY table_name, ordinal_position"
    ):
        found.setdefault(row["table_name"], []).append(row["column_name"])

    assert found == COLUMNS


def test_it_counts_a_video_that_failed_twice_and_went_out() -> None:
    now = timezone.now()
    video = VideoFactory(status=VideoStatus.POSTED, posted_at=now)
    for _time in range(2):
        VideoEvent.objects.create(
            video=video, old=VideoStatus.UPLOADING, new=VideoStatus.FAILED_UPLOAD, code="upload_cut", at=now
        )

    day = rows("SELECT * FROM reporting.v_publication_daily")
    assert [(row["account"], row["created"], row["published"], row["failed"]) for row in day] == [
        (video.account.username, 1, 1, 1)
    ]
    assert [(row["cause"], row["videos"]) for row in rows("SELECT * FROM reporting.v_failures_by_cause")] == [
        ("upload_cut", 1)
    ]
    assert [(row["ended"], row["published"]) for row in rows("SELECT * FROM reporting.v_ab_strata")] == [(1, 1)]
    health = rows("SELECT * FROM reporting.v_account_health")[0]
    assert (health["failures_7d"], health["failures_last_hour"], health["published_7d"]) == (1, 1, 1)
    assert health["breaker"] == "closed"


def test_it_counts_failures_that_no_table_join_multiplies() -> None:
    account = TikTokAccountFactory()
    now = timezone.now()
    for _video in range(3):
        video = VideoFactory(account=account, status=VideoStatus.FAILED_EDIT)
        VideoEvent.objects.create(video=video, old=VideoStatus.EDITING, new=VideoStatus.FAILED_EDIT, at=now)
        VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=now)
        VideoFactory(account=account, status=VideoStatus.HELD)

    health = rows("SELECT * FROM reporting.v_account_health")

    assert [(row["failures_7d"], row["published_7d"], row["held_videos"]) for row in health] == [(3, 3, 3)]


@pytest.mark.parametrize("path", sorted(METABASE.glob("questions/*.sql")), ids=lambda path: path.stem)
def test_it_answers_every_model_question(path: Path, reader: psycopg.Connection) -> None:
    assert reader.execute(path.read_text(encoding="utf-8")).description


@pytest.mark.parametrize(
    "table", ["accounts_oauthtoken", "accounts_user", "publishing_uploadsession", "monitoring_apikey"]
)
def test_it_keeps_the_reader_from_tables(table: str, reader: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(f"SELECT * FROM public.{table}")


def test_it_lets_the_reader_write_nothing_and_not_think_for_long(reader: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute("CREATE TABLE reporting.x (id int)")
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("CREATE TABLE reporting.x (id int)")
    assert reader.execute("SHOW statement_timeout").fetchone() == ("30s",)


def test_it_keeps_the_reader_s_rights_over_a_migration(reader: psycopg.Connection) -> None:
    call_command("migrate", verbosity=0)

    for view in COLUMNS:
        reader.execute(f"SELECT * FROM {view}")


def test_it_stands_in_the_way_of_no_migration() -> None:
    """Back and forth over columns that views read."""
    call_command("migrate", "monitoring", "zero", verbosity=0)
    assert rows("SELECT table_name FROM information_schema.views WHERE table_schema = 'reporting'") == []

    call_command("migrate", verbosity=0)

    views = rows("SELECT table_name FROM information_schema.views WHERE table_schema = 'reporting'")
    assert {row["table_name"] for row in views} == set(COLUMNS)
