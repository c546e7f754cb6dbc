"""The running sandbox: restarts, many callers, a stop that waits for nobody, the command."""

from __future__ import annotations

import hashlib
import signal
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from subiteya.tiktok.sandbox import Sandbox, SandboxSettings, serve
from tests.processes import MANAGE, free_port, running, wait_for
from tests.tiktok.sandbox.app import MB, App, video

PART = 5 * MB


def test_it_goes_on_after_a_restart_where_it_was(serving: Any) -> None:
    size = 3 * PART
    data = video(size)
    old = serving()
    old.sandbox.add_account("luna")
    tokens = old.sandbox.mint_tokens("luna")
    publish_id, url = old.started(tokens["access_token"], size, chunk=PART)
    old.put(url, data[:PART], total=size)
    old.sandbox.fault("refuse", "creator_info", times=2)
    old.creator_info(tokens["access_token"])
    old.sandbox.configure(daily_post_cap=7)
    old.sandbox.close()

    new = serving()
    new_url = url.replace(old.sandbox.url, new.sandbox.url)
    codes = [new.creator_info(tokens["access_token"]).status_code for _ in range(2)]

    assert codes == [503, 200]
    assert new.sandbox.settings.daily_post_cap == 7
    assert new.status(tokens["access_token"], publish_id)["uploaded_bytes"] == PART
    assert new.put(new_url, data[PART : 2 * PART], PART, total=size).status_code == 206
    assert new.put(new_url, data[2 * PART :], 2 * PART, total=size).status_code == 201
    assert new.sandbox.path_of(publish_id).read_bytes() == data
    assert new.entry(publish_id)["sha256"] == hashlib.sha256(data).hexdigest()


def test_it_drops_what_a_kill_left_behind_the_last_whole_part(serving: Any) -> None:
    size = 2 * PART
    data = video(size)
    app = serving()
    publish_id, url = app.started(app.account(), size, chunk=PART)
    app.put(url, data[:PART], total=size)
    with app.sandbox.path_of(publish_id).open("ab") as file:
        file.write(bytes(PART + 10))

    assert app.put(url, data[PART:], PART, total=size).status_code == 201

    assert app.sandbox.path_of(publish_id).read_bytes() == data


def test_it_forgets_changes_that_the_start_overrules(tmp_path: Path) -> None:
    first = Sandbox(tmp_path, SandboxSettings())
    first.configure(processing_seconds=50, audited=False)
    first.close()
    second = Sandbox(tmp_path, SandboxSettings(processing_seconds=1))

    second.forget_changes("processing_seconds")

    assert (second.settings.processing_seconds, second.settings.audited) == (1, False)
    second.close()


def test_it_answers_many_callers_at_once(app: App) -> None:
    tokens = [app.account(f"cuenta{n}") for n in range(60)]
    codes: list[int] = []
    start = threading.Barrier(len(tokens))

    def work(token: str) -> None:
        start.wait()
        codes.append(app.creator_info(token).status_code)
        codes.append(app.init(token).status_code)

    threads = [threading.Thread(target=work, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert codes == [200] * 120
    assert len({row["publish_id"] for row in app.sandbox.ledger()}) == 60


def test_it_works_on_beside_stalled_and_silent_connections(app: App) -> None:
    token = app.account()
    _, url = app.started(token, PART)
    app.sandbox.fault("stall", "init", seconds=60)
    threading.Thread(target=lambda: _ignore_drop(lambda: app.init(token)), daemon=True).start()
    address = (app.sandbox.url.rpartition("/")[2].split(":")[0], int(app.sandbox.url.rpartition(":")[2]))
    silent = [socket.create_connection(address) for _ in range(50)]

    wait_for(lambda: not app.sandbox.faults())
    started = time.monotonic()
    answer = app.creator_info(token)

    assert answer.status_code == 200
    assert time.monotonic() - started < 2
    for connection in silent:
        connection.close()


def test_it_stops_within_a_second_whatever_is_going_on(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, SandboxSettings(processing_seconds=0))
    server = serve(sandbox)
    app = App(sandbox)
    token = app.account()
    publish_id, url = app.started(token, PART)
    sandbox.fault("stall", "creator_info", seconds=60)
    sandbox.fault("slow", bytes_per_second=1000)
    calls = (lambda: app.creator_info(token), lambda: app.put(url, video(PART)))
    threads = [threading.Thread(target=_ignore_drop, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    wait_for(lambda: not sandbox.faults())

    started = time.monotonic()
    server.shutdown()
    took = time.monotonic() - started
    for thread in threads:
        thread.join(timeout=5)

    assert took < 1
    assert not any(thread.is_alive() for thread in threads)
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=2)
    assert sandbox.ledger()[0]["publish_id"] == publish_id
    sandbox.close()


def test_it_cuts_connections_that_wait_for_a_body_when_it_stops(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, SandboxSettings())
    server = serve(sandbox)
    app = App(sandbox)
    publish_id, url = app.started(app.account(), 1000)
    target = urlsplit(url)
    head = f"PUT {target.path} HTTP/1.1\r\nHost: x\r\nContent-Type: video/mp4\r\nContent-Length: 1000\r\n"
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=5) as line:
        line.sendall(head.encode() + b"Content-Range: bytes 0-999/1000\r\n\r\n" + video(500))
        wait_for(lambda: list((tmp_path / "parts").iterdir()))

        server.shutdown()

        assert line.recv(100) == b""
    wait_for(lambda: sandbox.ledger()[0]["bytes_received"] == 500)
    assert sandbox.ledger()[0]["uploaded_bytes"] == 0
    sandbox.close()


def test_it_can_be_away_for_a_while(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, SandboxSettings(processing_seconds=0, moderation_seconds=0))
    first = serve(sandbox)
    app = App(sandbox)
    token = app.account()
    publish_id, url = app.started(token, 1000)
    first.shutdown()
    with pytest.raises(requests.ConnectionError):
        app.put(url, video(1000))

    second = serve(sandbox, port=int(first.url.rpartition(":")[2]))

    assert app.put(url, video(1000)).status_code == 201
    assert app.status(token, publish_id)["status"] == "PUBLISH_COMPLETE"
    second.shutdown()
    sandbox.close()


def _ignore_drop(call: Any) -> None:
    with pytest.raises(requests.ConnectionError):
        call()


@contextmanager
def command(tmp_path: Path, *arguments: str) -> Any:
    port = free_port()
    argv = [*MANAGE, "tiktok_sandbox", f"--port={port}", f"--data-dir={tmp_path / 'data'}", *arguments]
    url = f"http://127.0.0.1:{port}"
    with running(argv, log=tmp_path / "log", SUBITEYA_VAR_DIR=str(tmp_path / "var")) as process:
        wait_for(lambda: _healthy(url), seconds=30)
        yield process, url


def _healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/_sandbox/healthz", timeout=2).ok
    except requests.ConnectionError:
        return False


@pytest.mark.integration
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_as_a_command_and_stops_on_a_signal(tmp_path: Path, how: signal.Signals) -> None:
    arguments = ("--client-key=mi-clave", "--processing-seconds=7", "--unaudited", "--redirect-uri=https://app.test/cb")
    with command(tmp_path, *arguments) as (process, url):
        settings = requests.get(f"{url}/_sandbox/api/settings", timeout=5).json()
        link = f"{url}/v2/auth/authorize/?client_key=mi-clave&response_type=code&state=x&scope=video.list"
        known = requests.get(f"{link}&redirect_uri=https://app.test/cb", timeout=5)
        other = requests.get(f"{link}&redirect_uri=http://127.0.0.1/cb", timeout=5)
        requests.post(f"{url}/_sandbox/api/faults", json={"kind": "stall", "endpoint": "token"}, timeout=5)
        stalled = threading.Thread(
            target=_ignore_drop, args=(lambda: requests.post(f"{url}/v2/oauth/token/", data={}, timeout=20),)
        )
        stalled.start()
        wait_for(lambda: not requests.get(f"{url}/_sandbox/api/faults", timeout=5).json()["faults"])
        started = time.monotonic()
        process.send_signal(how)
        process.wait(timeout=10)
        took = time.monotonic() - started
        stalled.join()

    assert (settings["processing_seconds"], settings["audited"]) == (7, False)
    assert (known.status_code, other.status_code) == (200, 400)
    assert process.returncode == 0
    assert took < 3  # under a second on an idle machine, most of it Python's own end
    assert f"{url}/_sandbox/" in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.integration
def test_it_survives_a_kill(tmp_path: Path) -> None:
    with command(tmp_path) as (process, url):
        requests.post(f"{url}/_sandbox/api/accounts", json={"username": "luna"}, timeout=5)
        token = requests.post(f"{url}/_sandbox/api/accounts/luna/tokens", timeout=5).json()["access_token"]
        process.kill()
        process.wait()
    with command(tmp_path) as (_, url):
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{url}/v2/user/info/?fields=open_id", headers=headers, timeout=5)

    assert answer.status_code == 200
