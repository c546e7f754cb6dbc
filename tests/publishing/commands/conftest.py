"""Running commands as a shell does: arguments in, exit code, stdout and stderr out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import load_command_class
from django.db import connection
from django.utils import timezone

from publishing.models import Job
from publishing.services.runner import job_run
from publishing.states import JOB_CLAIMABLE


class Ran:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> dict[str, Any]:
        """stdout as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        assert set(self.document) == {"error"}
        assert set(self.document["error"]) == {"code", "message", "field"}
        return self.document["error"]


@pytest.fixture
def run(transactional_db: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """`run("publish", "file.mp4", "--json")`. The database is real: commands ask TikTok from several threads."""

    def run(name: str, *arguments: object, app: str = "publishing") -> Ran:
        capsys.readouterr()
        code = 0
        try:
            load_command_class(app, name).run_from_argv(["manage.py", name, *map(str, arguments)])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@contextmanager
def workers_at_work() -> Iterator[None]:
    """A thread that runs every job at once, also those whose pause is not over, until the block ends."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            jobs = Job.objects.filter(status__in=sorted(JOB_CLAIMABLE))
            jobs.filter(run_at__gt=timezone.now()).update(run_at=timezone.now())
            for pk in list(jobs.order_by("pk").values_list("pk", flat=True)):
                job_run(pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


@pytest.fixture
def at_work(transactional_db: None) -> Iterator[None]:
    with workers_at_work():
        yield
