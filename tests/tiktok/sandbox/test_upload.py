"""PUT upload_url: headers, order, progress, expiry, bytes."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
import time_machine

from tests.processes import wait_for
from tests.tiktok.sandbox.app import MB, App, code_of, video

PART = 5 * MB


def raw_put(url: str, head: dict[str, str], body: bytes) -> bytes:
    """A PUT with exactly these headers and this body, then the client is gone; what came back."""
    target = urlsplit(url)
    lines = [f"PUT {target.path} HTTP/1.1", f"Host: {target.netloc}", *(f"{k}: {v}" for k, v in head.items())]
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=10) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while data := line.recv(65536):
            answer += data
        return answer


def test_it_takes_a_small_video_whole(app: App) -> None:
    data = video(1000)
    publish_id, url = app.started(app.account(), 1000)

    answer = app.put(url, data)

    assert code_of(answer) == (201, "ok")
    assert answer.headers["Content-Range"] == "bytes 0-1000/1000"
    entry = app.entry(publish_id)
    assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert (entry["parts"], entry["uploaded_bytes"], entry["bytes_received"]) == (1, 1000, 1000)
    assert app.sandbox.path_of(publish_id).read_bytes() == data


@pytest.mark.parametrize(("progress", "shown"), [("count", PART), ("last_index", PART - 1)])
def test_it_takes_parts_in_order_and_tells_the_progress(app: App, progress: str, shown: int) -> None:
    app.sandbox.configure(progress=progress)
    size = 2 * PART + 777
    data, token = video(size), app.account()
    publish_id, url = app.started(token, size, chunk=PART)

    first = app.put(url, data[:PART], total=size)
    between = app.status(token, publish_id)
    last = app.put(url, data[PART:], PART, total=size)

    assert code_of(first) == (206, "ok")
    assert first.headers["Content-Range"] == f"bytes 0-{shown}/{size}"
    assert (between["status"], between["uploaded_bytes"]) == ("PROCESSING_UPLOAD", shown)
    assert last.status_code == 201
    assert app.entry(publish_id)["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "application/octet-stream"},
        {"Content_Type": "video/x-matroska"},
        {"Content_Type": ""},
        {"Content_Range": ""},
        {"Content_Range": "0-999/1000"},
        {"Content_Range": "bytes 0-999"},
        {"Content_Range": "bytes 0-999/*"},
        {"Content_Range": "bytes 0-1000/1000"},
        {"Content_Range": "bytes 00-999/1000"},
        {"Content_Range": "bytes 0-999/1001"},
        {"Content_Range": "bytes 0-998/1000"},
        {"Content_Range": "bytes 999-0/1000"},
        {"Content_Range": "bytes=0-999/1000"},
    ],
    ids=str,
)
def test_it_refuses_bad_headers(app: App, headers: dict[str, str]) -> None:
    publish_id, url = app.started(app.account(), 1000)

    answer = app.put(url, video(1000), **headers)

    assert code_of(answer) == (400, "invalid_params")
    assert app.entry(publish_id)["uploaded_bytes"] == 0


@pytest.mark.parametrize("content_type", ["video/mp4", "video/quicktime", "video/webm", "Video/MP4"])
def test_it_takes_the_three_kinds_of_video(app: App, content_type: str) -> None:
    _, url = app.started(app.account(), 1000)

    assert app.put(url, video(1000), Content_Type=content_type).status_code == 201


def test_it_wants_a_content_length(app: App) -> None:
    _, url = app.started(app.account(), 1000)
    headers = {"Content-Type": "video/mp4", "Content-Range": "bytes 0-999/1000"}

    answer = requests.put(url, data=iter([video(1000)]), headers=headers, timeout=10)

    assert code_of(answer) == (400, "invalid_params")


@pytest.mark.parametrize(
    ("first", "length", "status"),
    [
        (PART, PART, 416),  # a part too early
        (1, PART, 416),
        (0, PART - 1, 400),  # not the size that init announced
        (0, PART + 1, 400),
        (0, 2 * PART, 400),
    ],
)
def test_it_refuses_parts_that_are_not_next(app: App, first: int, length: int, status: int) -> None:
    publish_id, url = app.started(app.account(), 3 * PART, chunk=PART)

    answer = app.put(url, bytes(length), first, total=3 * PART)

    assert answer.status_code == status
    assert answer.headers["Content-Range"] == f"bytes 0-0/{3 * PART}"
    entry = app.entry(publish_id)
    assert (entry["uploaded_bytes"], entry["bytes_received"]) == (0, length)


def test_it_refuses_a_part_that_it_has_already(app: App) -> None:
    _, url = app.started(app.account(), 3 * PART, chunk=PART)
    app.put(url, video(PART), total=3 * PART)

    answer = app.put(url, video(PART), total=3 * PART)

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes 0-{PART}/{3 * PART}"


def test_it_refuses_anything_after_the_end(app: App) -> None:
    publish_id, url = app.started(app.account(), 1000)
    app.put(url, video(1000))

    answer = app.put(url, video(1000, seed=2))

    assert answer.status_code == 416
    assert app.entry(publish_id)["sha256"] == hashlib.sha256(video(1000)).hexdigest()


def test_it_knows_no_other_uploads(app: App) -> None:
    answer = app.put(f"{app.sandbox.url}/_upload/unknown", video(1000))

    assert code_of(answer) == (404, "upload_not_found")


def test_it_ends_an_upload_that_has_failed(app: App) -> None:
    publish_id, url = app.started(app.account(), 1000)
    app.api("POST", f"publishes/{publish_id}/fail", {"fail_reason": "publish_cancelled"})

    assert app.put(url, video(1000)).status_code == 404


def test_it_expires_an_upload_url_after_an_hour(app: App) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        _, url = app.started(app.account(), 2 * PART, chunk=PART)
        clock.shift(3599)
        assert app.put(url, video(PART), total=2 * PART).status_code == 206
        clock.shift(1)
        answer = app.put(url, bytes(PART), PART, total=2 * PART)

    assert code_of(answer) == (403, "upload_url_expired")
    assert answer.headers["Content-Range"] == f"bytes 0-{PART}/{2 * PART}"


def test_it_wants_the_upload_to_end_inside_the_hour(app: App) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        publish_id, url = app.started(app.account(), 1000)
        clock.shift(3599)
        app.sandbox.fault("slow", bytes_per_second=2500)
        answers: list[Any] = []
        sender = threading.Thread(target=lambda: answers.append(app.put(url, video(1000))))
        sender.start()
        wait_for(lambda: not app.sandbox.faults())
        clock.shift(2)
        sender.join()

    assert answers[0].status_code == 403
    assert app.entry(publish_id)["uploaded_bytes"] == 0


@pytest.mark.parametrize("sent", [0, 1, 500, 999])
def test_it_discards_a_part_whose_client_went_away(app: App, sent: int) -> None:
    publish_id, url = app.started(app.account(), 1000)
    head = {"Content-Type": "video/mp4", "Content-Length": "1000", "Content-Range": "bytes 0-999/1000"}

    answer = raw_put(url, head, video(1000)[:sent])

    assert answer == b""
    wait_for(lambda: app.entry(publish_id)["bytes_received"] == sent)
    assert app.entry(publish_id)["uploaded_bytes"] == 0
    assert not list(app.sandbox.path_of(publish_id).parent.parent.glob("parts/*"))
    assert app.put(url, video(1000)).status_code == 201


def test_it_takes_no_more_than_the_announced_length(app: App) -> None:
    publish_id, url = app.started(app.account(), 1000)
    head = {"Content-Type": "video/mp4", "Content-Length": "1000", "Content-Range": "bytes 0-999/1000"}

    answer = raw_put(url, head, video(1000) + b"tail")

    assert b" 201 " in answer.splitlines()[0]
    assert app.entry(publish_id)["sha256"] == hashlib.sha256(video(1000)).hexdigest()


def test_it_lets_one_of_two_equal_parts_win(app: App) -> None:
    size = 2 * PART
    token = app.account()
    for _ in range(5):
        publish_id, url = app.started(token, size, chunk=PART)
        answers: list[Any] = []
        start = threading.Barrier(2)

        def send(seed: int, url: str = url, answers: Any = answers, start: Any = start) -> None:
            data = video(PART, seed=seed)
            start.wait()
            answers.append((app.put(url, data, total=size).status_code, seed))

        threads = [threading.Thread(target=send, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (won, seed), (lost, _) = sorted(answers)
        assert (won, lost) == (206, 416)
        assert app.put(url, bytes(PART), PART, total=size).status_code == 201
        whole = video(PART, seed=seed) + bytes(PART)
        assert app.entry(publish_id)["sha256"] == hashlib.sha256(whole).hexdigest()


def test_it_keeps_many_uploads_apart(app: App) -> None:
    size, count = 3 * PART, 12
    tokens = [app.account(f"cuenta{n}") for n in range(count)]

    def upload(n: int) -> None:
        data = video(size, seed=n)
        _, url = app.started(tokens[n], size, chunk=PART, title=str(n))
        for first in range(0, size, PART):
            app.put(url, data[first : first + PART], first, total=size)

    threads = [threading.Thread(target=upload, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    got = {entry["title"]: entry["sha256"] for entry in app.sandbox.ledger()}
    assert got == {str(n): hashlib.sha256(video(size, seed=n)).hexdigest() for n in range(count)}


def test_it_keeps_the_newest_bytes_only(app: App) -> None:
    app.sandbox.configure(retention_bytes=2500)
    token = app.account()

    ids = [app.publish(token, video(1000, seed=n)) for n in range(4)]

    assert [app.entry(publish_id)["has_bytes"] for publish_id in ids] == [False, False, True, True]
    assert [app.sandbox.path_of(publish_id).exists() for publish_id in ids] == [False, False, True, True]
    assert all(app.entry(publish_id)["sha256"] for publish_id in ids)


def test_it_keeps_the_newest_video_however_big(app: App) -> None:
    app.sandbox.configure(retention_bytes=10)
    token = app.account()

    first, second = app.publish(token), app.publish(token)

    assert (app.entry(first)["has_bytes"], app.entry(second)["has_bytes"]) == (False, True)


def test_it_stays_flat_in_memory_while_a_big_video_comes(app: App, tmp_path: Path) -> None:
    size, part = 300 * MB, 60 * MB
    source = tmp_path / "big.mp4"
    with source.open("wb") as file:
        file.write(video(1000))
        file.truncate(size)
    publish_id, url = app.started(app.account(), size, chunk=part)
    app.put(url, b"")  # whatever is loaded on first use
    process, peak, done = psutil.Process(os.getpid()), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], process.memory_info().rss)

    before = process.memory_info().rss
    threading.Thread(target=watch, daemon=True).start()
    started = time.monotonic()
    with source.open("rb") as file:
        for first in range(0, size, part):
            headers = {
                "Content-Type": "video/mp4",
                "Content-Range": f"bytes {first}-{first + part - 1}/{size}",
                "Content-Length": str(part),
            }
            answer = requests.put(url, data=_Slice(file, part), headers=headers, timeout=60)
    done.set()

    assert answer.status_code == 201
    assert peak[0] - before < 32 * MB
    assert time.monotonic() - started < 20
    with source.open("rb") as file:
        assert app.entry(publish_id)["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()


class _Slice:
    """The next `left` bytes of a file, for requests to stream."""

    def __init__(self, file: Any, left: int) -> None:
        self._file, self._left = file, left

    def __len__(self) -> int:
        return self._left

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(min(self._left, 65536 if size < 0 else size))
        self._left -= len(data)
        return data
