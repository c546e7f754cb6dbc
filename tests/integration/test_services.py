"""The integration suite runs on what production runs on."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from redis import Redis

from publishing.models import JobEvent
from publishing.queues import get_queue, ring

pytestmark = pytest.mark.integration


@pytest.mark.django_db
def test_it_runs_on_postgresql() -> None:
    assert connection.vendor == "postgresql", "run it with `make integration`"
    assert JobEvent.objects.count() == 0


def test_it_keeps_files_in_a_real_s3_bucket(s3_bucket: Any) -> None:
    data = bytes(range(256)) * 40_000

    name = default_storage.save("sources/ab/abc.mp4", io.BytesIO(data))

    assert [item.key for item in s3_bucket.objects.all()] == [name]
    with default_storage.open(name) as file:
        assert file.read() == data
    default_storage.delete(name)
    assert not default_storage.exists(name)


def test_it_rings_with_plain_json(redis: Redis) -> None:
    assert ring("edit", "run_job", 7, "a" * 32)

    (message,) = get_queue("edit").jobs
    assert message.args == [7]
    assert message.kwargs == {}


def test_it_loses_no_submission_when_redis_is_gone(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"

    assert ring("edit", "run_job", 7, "a" * 32) is False


@pytest.mark.django_db
def test_it_compiles_no_statement_and_keeps_no_lock_of_the_frozen() -> None:
    """What is said at connecting has arrived."""
    with connection.cursor() as cursor:
        found = {}
        for name in ("jit", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SHOW {name}")
            [found[name]] = cursor.fetchone()
    assert found == {"jit": "off", "idle_in_transaction_session_timeout": "1min"}
