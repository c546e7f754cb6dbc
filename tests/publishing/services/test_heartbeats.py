"""Signs of life: written seldom, taken along by a process that ends as it should, missed only by the monitor."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from publishing.models import WorkerHeartbeat, WorkerKind
from publishing.services.heartbeats import BEAT_SECONDS, Heart
from publishing.services.jobs import worker_name
from tests.processes import MANAGE, running, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_says_who_lives_and_where(settings: Any) -> None:
    Heart(WorkerKind.UPLOAD).beat()

    row = WorkerHeartbeat.objects.get()

    assert (row.name, row.kind, row.host, row.pid) == (worker_name(), "upload", settings.HOST_NAME, os.getpid())


def test_it_is_silent_between_two_beats() -> None:
    heart = Heart(WorkerKind.EDIT)
    heart.beat()

    with CaptureQueriesContext(connection) as captured:
        heart.beat()

    assert not captured


def test_it_renews_its_row_and_keeps_its_start() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        Heart(WorkerKind.EDIT).beat()
        started = WorkerHeartbeat.objects.get().started_at
        clock.shift(BEAT_SECONDS)

        Heart(WorkerKind.EDIT).beat()

    row = WorkerHeartbeat.objects.get()
    assert row.started_at == started
    assert row.seen_at == started + timedelta(seconds=BEAT_SECONDS)


def test_it_starts_anew_when_another_process_had_its_number() -> None:
    Heart(WorkerKind.EDIT).beat()
    Heart(WorkerKind.SCHEDULER).beat()

    assert WorkerHeartbeat.objects.get().kind == "scheduler"


def test_it_leaves_nothing_behind() -> None:
    heart = Heart(WorkerKind.EDIT)
    heart.beat()

    heart.stop()

    assert not WorkerHeartbeat.objects.exists()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["worker", "edit"], "edit"),
        (["worker", "upload"], "upload"),
        (["worker", "edit", "--host-queue"], "host"),
        (["scheduler"], "scheduler"),
    ],
)
def test_it_beats_in_every_process(arguments: list[str], kind: str, redis_server: str, tmp_path: Path) -> None:
    with running(
        [*MANAGE, *arguments], log=tmp_path / "log", DJANGO_SETTINGS_MODULE="subiteya.settings.test",
        DATABASE_URL=database(), REDIS_URL=redis_server,
    ) as process:  # fmt: skip
        wait_for(WorkerHeartbeat.objects.filter(kind=kind, pid=process.pid).exists, seconds=40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, (tmp_path / "log").read_text()

    assert not WorkerHeartbeat.objects.exists()


def database() -> str:
    """The address of the test's own database."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    return f"postgres://{known['USER']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
