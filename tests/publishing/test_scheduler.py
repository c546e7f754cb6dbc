"""The scheduler's process: it outlives its database, and leaves when told to."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.processes import MANAGE, running, wait_for

pytestmark = pytest.mark.integration


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'db.sqlite3'}"


def start(folder: Path, log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    test = "subiteya.settings.test"
    return running([*MANAGE, "scheduler"], log=log, DJANGO_SETTINGS_MODULE=test, DATABASE_URL=database(folder))


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A folder with an empty database in it."""
    folder = tmp_path / "migrated"
    folder.mkdir()
    migrate = [*MANAGE, "migrate", "--no-input", "--verbosity=0", "--skip-checks"]
    with running(
        migrate, log=tmp_path / "m", DJANGO_SETTINGS_MODULE="subiteya.settings.test", DATABASE_URL=database(folder)
    ) as process:
        assert process.wait(timeout=60) == 0, (tmp_path / "m").read_text()
    return folder


def test_it_waits_for_its_database_and_stops_within_a_second(migrated: Path, tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "later"
    with start(folder, log) as process:
        wait_for(lambda: log.exists() and "scheduler_database_unreachable" in log.read_text())
        time.sleep(3)
        migrated.rename(folder)
        wait_for(lambda: "scheduler_recovered" in log.read_text(), seconds=20)

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=20) == 0
    text = log.read_text()
    assert text.count("scheduler_database_unreachable") == 1
    assert "Traceback" not in text
