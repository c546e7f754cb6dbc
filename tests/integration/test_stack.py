"""`manage.py up` as a person runs it: real processes, free ports, a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from tests.processes import MANAGE, alive, command_of, descendants, free_port, running, wait_for

pytestmark = pytest.mark.integration


class Stack:
    """One installation: its folder, its ports, and the `up` command in it."""

    def __init__(self, folder: Path, static: Path) -> None:
        self.var = folder / "var"
        self.log = folder / "log"
        self.port = free_port()
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "SUBITEYA_VAR_DIR": str(self.var),
            "SUBITEYA_STATIC_ROOT": str(static),
            "SUBITEYA_WEB_PORT": str(self.port),
            "SUBITEYA_SANDBOX_PORT": str(free_port()),
            "SUBITEYA_WEB_PROCESSES": "1",
        }

    @contextmanager
    def up(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        with running([*MANAGE, "up", *arguments], log=self.log, **self.environment) as process:
            wait_for(lambda: self.card_of(process) or process.poll() is not None, seconds=90)
            assert process.poll() is None, self.log.read_text()
            yield process

    def card(self) -> dict[str, Any] | None:
        path = self.var / "up.json"
        return json.loads(path.read_text()) if path.exists() else None

    def card_of(self, process: subprocess.Popen[bytes]) -> bool:
        return (self.card() or {}).get("pid") == process.pid

    def refused(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit code and words of an `up` that must not start."""
        done = subprocess.run(
            [*MANAGE, "up", *arguments],
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stderr

    def workers(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        below = [child for child in descendants(process.pid) if alive(child)]
        return [child for child in below if command_of(child)[-2:] == ["worker", "edit"]]


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture
def stack(tmp_path: Path, static: Path) -> Stack:
    return Stack(tmp_path, static)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[tuple[Stack, subprocess.Popen[bytes]]]:
    stack = Stack(tmp_path_factory.mktemp("served"), static)
    with stack.up() as process:
        yield stack, process


def test_it_says_where_it_is_once_it_answers(served: tuple[Stack, subprocess.Popen[bytes]]) -> None:
    stack, process = served

    card = stack.card()

    assert card is not None
    assert card["pid"] == process.pid
    assert card["web_url"] == f"http://127.0.0.1:{stack.port}"
    with urlopen(f"{card['web_url']}/healthz", timeout=5) as answer:
        assert answer.status == 200
    wait_for(lambda: "SubiteYa is ready: http://127.0.0.1" in stack.log.read_text())


def test_it_keeps_its_files_private(served: tuple[Stack, subprocess.Popen[bytes]]) -> None:
    stack, _ = served

    open_to_others = [path for path in stack.var.rglob("*") if path.stat().st_mode & 0o077]

    assert not open_to_others


def test_it_refuses_to_run_twice_on_the_same_folder(served: tuple[Stack, subprocess.Popen[bytes]]) -> None:
    stack, process = served

    code, words = stack.refused()

    assert code != 0
    assert f"already runs on {stack.var} (process {process.pid})" in words
    assert "Traceback" not in words
    assert stack.card() is not None


def test_it_starts_again_what_dies(served: tuple[Stack, subprocess.Popen[bytes]]) -> None:
    stack, process = served
    (worker,) = wait_for(lambda: stack.workers(process))

    worker.kill()

    wait_for(lambda: [w for w in stack.workers(process) if w.pid != worker.pid], seconds=10)
    wait_for(lambda: "edit-1 ended unexpectedly and is started again." in stack.log.read_text())


def test_it_runs_quietly_on_another_port_and_takes_everything_along(stack: Stack) -> None:
    port = free_port()
    with stack.up("--quiet", f"--web-port={port}") as process:
        card = stack.card()
        assert card is not None
        assert card["web_url"] == f"http://127.0.0.1:{port}"
        below = wait_for(lambda: stack.workers(process) and descendants(process.pid))

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=20) == 0
        assert not [child for child in below if alive(child)]
        assert stack.card() is None
    assert " | " not in stack.log.read_text()
    assert "worker_started" in (stack.var / "up.log").read_text()


def test_it_takes_everything_along_when_it_is_killed(stack: Stack) -> None:
    with stack.up() as process:
        below = wait_for(lambda: stack.workers(process) and descendants(process.pid))

        process.kill()
        process.wait()

        wait_for(lambda: not [child for child in below if alive(child)], seconds=3)
    with stack.up() as next_process:  # what it left lying about does not hinder the next start
        assert next_process.pid != process.pid


@pytest.mark.parametrize("name", ["SUBITEYA_WEB_PORT", "SUBITEYA_SANDBOX_PORT"])
def test_it_names_the_port_that_is_taken_and_its_setting(stack: Stack, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])

        code, words = stack.refused(**{name: port})

    assert code != 0
    assert f"port {port} on 127.0.0.1 is taken by another program" in words
    assert name in words
    assert "Traceback" not in words


def test_it_wants_the_keys_of_the_real_tiktok(stack: Stack) -> None:
    code, words = stack.refused("--no-sandbox", TIKTOK_CLIENT_KEY="", TIKTOK_CLIENT_SECRET="")

    assert code == 2
    assert words == "error: TIKTOK_CLIENT_KEY is required: set it, or TIKTOK_CLIENT_KEY_FILE, in the environment.\n"
