"""Children that read untrusted files: what they may use, what they cannot reach, and that none is left."""

from __future__ import annotations

import os
import socket
import time
import uuid
from contextlib import closing

import psutil
import pytest

from publishing.editing import isolation
from publishing.editing.children import NICENESS, QUESTION_BYTES, ChildFailed, Limits, ask, standing_by
from publishing.editing.ffmpeg import FfmpegError, FfmpegFailed, run
from publishing.editing.isolation import FLAGS, Isolation, IsolationMissing, available
from tests.processes import alive, wait_for

SMALL = Limits(cpu_s=5, memory_bytes=1 << 30, file_bytes=0, files=64)
needs_isolation = pytest.mark.skipif(available() == Isolation.NONE, reason="this kernel gives no network namespace")


def naughty(deed: str, told: object = None, *, timeout: float = 20, limits: Limits = SMALL):
    return ask("tests.publishing.editing.naughty", [deed, told], timeout=timeout, limits=limits)


def marked(mark: str) -> list[psutil.Process]:
    """Processes whose command line holds `mark`, as that of a grandchild does."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(mark in word for word in process.info["cmdline"] or ()) and alive(process):
            found.append(process)
    return found


@pytest.fixture
def listener():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        yield server


def was_called(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.fixture
def way(monkeypatch):
    """Cut children off in one of the ways only, whatever this host would choose."""

    def choose(chosen: Isolation) -> None:
        if chosen not in FLAGS or not isolation._works(FLAGS[chosen]):
            pytest.skip(f"{chosen} does not work here")
        monkeypatch.setattr(isolation, "available", lambda: chosen)

    return choose


def test_it_kills_a_child_that_never_answers_and_its_group():
    mark, began = uuid.uuid4().hex, time.monotonic()
    with pytest.raises(ChildFailed, match="did not answer"):
        naughty("sleep", mark, timeout=4)
    assert time.monotonic() - began < 15
    wait_for(lambda: not marked(mark))


def test_it_kills_what_a_child_leaves_behind():
    mark = uuid.uuid4().hex
    assert naughty("leave", mark) == "answered"
    wait_for(lambda: not marked(mark))


@pytest.mark.parametrize("deed", ["hog", "spin", "open", "shout"])
def test_it_stops_a_child_that_wants_too_much(deed):
    limits = Limits(cpu_s=1, memory_bytes=1 << 30, file_bytes=0, files=64)
    with pytest.raises(ChildFailed):
        naughty(deed, timeout=30, limits=limits)


def test_it_lets_a_reader_write_nothing(tmp_path):
    with pytest.raises(ChildFailed):
        naughty("write", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists() or not (tmp_path / "out").stat().st_size


def test_it_gives_a_child_limits_and_none_of_our_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for children")
    told = naughty("tell")
    assert {name for name in told["environment"] if name not in {"LC_CTYPE"}} == {"PYTHONPATH"}
    assert told["limits"] == {
        "RLIMIT_CORE": 0, "RLIMIT_AS": 1 << 30, "RLIMIT_CPU": 5, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 64,
    }  # fmt: skip
    assert told["nice"] >= os.nice(0) + NICENESS or told["nice"] == 19
    assert told["locked"]
    assert told["leads"]


def early(*, limits: Limits = SMALL):
    return standing_by("tests.publishing.editing.naughty", limits=limits)


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "tests.publishing.editing.naughty" in each.cmdline()]


def test_it_shuts_in_a_child_that_stands_by_like_any_other():
    with early() as child:
        (waiting,) = children()
        assert waiting.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)  # before it is asked
        told = child.ask(["tell", None], timeout=20)
        assert not children()
    assert told == naughty("tell")


def test_it_leaves_no_child_that_was_never_asked():
    with pytest.raises(ZeroDivisionError), early():
        (waiting,) = children()
        raise ZeroDivisionError
    assert not alive(waiting)


def test_it_counts_the_time_of_a_child_that_stands_by_from_the_question():
    with early() as child:
        time.sleep(1.5)
        assert child.ask(["leave", uuid.uuid4().hex], timeout=20) == "answered"
    mark, began = uuid.uuid4().hex, time.monotonic()
    with pytest.raises(ChildFailed, match="did not answer"), early() as child:
        child.ask(["sleep", mark], timeout=3)
    assert time.monotonic() - began < 15
    wait_for(lambda: not marked(mark))


def test_it_asks_another_when_the_child_died_waiting():
    with early() as child:
        (waiting,) = children()
        waiting.kill()
        wait_for(lambda: not alive(waiting))
        assert child.ask(["tell", None], timeout=20)["leads"]


def test_it_asks_another_what_a_pipe_may_not_hold():
    with early() as child:
        assert child.ask(["tell", "x" * QUESTION_BYTES], timeout=20)["leads"]


def test_it_tells_when_no_child_can_be_started(monkeypatch):
    monkeypatch.setenv(isolation.ENVIRONMENT, "required")
    monkeypatch.setattr(isolation, "available", lambda: Isolation.NONE)
    with early() as child, pytest.raises(ChildFailed, match="could not be started"):
        child.ask(["tell", None], timeout=20)


@needs_isolation
@pytest.mark.parametrize("chosen", sorted(FLAGS))
def test_it_gives_a_reader_no_network(way, listener, chosen):
    way(chosen)
    with pytest.raises(ChildFailed):
        naughty("call", listener.getsockname()[1])
    with early() as child, pytest.raises(ChildFailed):
        child.ask(["call", listener.getsockname()[1]], timeout=20)
    assert not was_called(listener)
    assert naughty("tell")["locked"]


@needs_isolation
@pytest.mark.parametrize("chosen", sorted(FLAGS))
def test_it_gives_ffmpeg_no_network(way, listener, chosen, clip, tmp_path):
    way(chosen)
    port = listener.getsockname()[1]
    with pytest.raises(FfmpegFailed):
        run(["-v", "error", "-i", f"tcp://127.0.0.1:{port}?timeout=2000000", "-f", "null", "-"], timeout_s=20)
    assert not was_called(listener)
    run(["-v", "error", "-i", f"file:{clip()}", "-c", "copy", f"file:{tmp_path / 'copy.mp4'}"], timeout_s=20)
    assert (tmp_path / "copy.mp4").stat().st_uid == os.getuid()


def test_it_leaves_the_network_where_an_operator_says_so(monkeypatch, listener):
    monkeypatch.setenv(isolation.ENVIRONMENT, "off")
    assert naughty("call", listener.getsockname()[1]) == "connected"


def test_it_works_without_isolation_where_the_kernel_gives_none(monkeypatch, clip, tmp_path):
    monkeypatch.setattr(isolation, "available", lambda: Isolation.NONE)
    assert naughty("tell")["locked"]
    run(["-v", "error", "-i", f"file:{clip()}", "-c", "copy", f"file:{tmp_path / 'copy.mp4'}"], timeout_s=20)


def test_it_starts_nothing_where_isolation_is_required_and_missing(monkeypatch):
    monkeypatch.setenv(isolation.ENVIRONMENT, "required")
    monkeypatch.setattr(isolation, "available", lambda: Isolation.NONE)
    with pytest.raises(IsolationMissing):
        isolation.isolation()
    with pytest.raises(ChildFailed):
        naughty("tell")
    with pytest.raises(FfmpegError):
        run(["-version"], timeout_s=20)


def test_it_finds_out_what_the_kernel_gives():
    assert not isolation._works(0x7FFF_FFFF)  # flags that do not exist
    assert available() in Isolation
