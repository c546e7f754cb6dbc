"""`manage.py demo` as a person runs it: real processes, free ports, a folder of its own, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from tests.processes import MANAGE, running, wait_for

pytestmark = pytest.mark.integration

ONCE_SECONDS = 900


class Installation:
    """One folder with its data, on the default ports unless they are taken."""

    def __init__(self, folder: Path) -> None:
        self.var, self.log = folder / "var", folder / "log"
        self.first: subprocess.CompletedProcess[str] | None = None
        self.first_videos: list[dict[str, Any]] = []
        unset = ("DATABASE_URL", "REDIS_URL", "SUBITEYA_WEB_PORT", "SUBITEYA_SANDBOX_PORT", "SUBITEYA_SITE_URL")
        self.environment = dict.fromkeys(unset, "") | {
            "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",
            "SUBITEYA_VAR_DIR": str(self.var),
            "SUBITEYA_STATIC_ROOT": str(folder / "static"),
            "SUBITEYA_LANGUAGE": "en",
            "SUBITEYA_WEB_PROCESSES": "1",
        }

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return subprocess.run(
            [*MANAGE, *arguments],
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ONCE_SECONDS,
        )

    def videos(self, *arguments: str) -> list[dict[str, Any]]:
        return json.loads(self.manage("videos", "--json", *arguments).stdout)["videos"]

    def newest_direct(self) -> list[dict[str, Any]]:
        """The three videos that the last demo published."""
        return [video for video in self.videos("--limit", "20") if video["mode"] == "direct"][:3]

    def left(self) -> list[psutil.Process]:
        """Processes that work on this folder; their environment names it."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            dead = process.status() == psutil.STATUS_ZOMBIE
            return not dead and process.environ().get("SUBITEYA_VAR_DIR") == str(self.var)
        return False

    @contextmanager
    def demo(self) -> Iterator[subprocess.Popen[bytes]]:
        with running([*MANAGE, "demo"], log=self.log, **self.environment) as process:
            wait_for(lambda: "Ctrl-C stops" in self.log.read_text() or process.poll() is not None, seconds=ONCE_SECONDS)
            assert process.poll() is None, self.log.read_text()
            yield process


@contextmanager
def taken(*ports: int) -> Iterator[None]:
    """Somebody else listens on `ports`, if nobody does yet."""
    with ExitStack() as held:
        for port in ports:
            with suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation on which the demo ran once, beside somebody who has the default ports."""
    installation = Installation(tmp_path_factory.mktemp("demo"))
    with taken(8000, 8001):
        installation.first = installation.manage("demo", "--once")
    installation.first_videos = installation.newest_direct()
    assert not installation.left()
    return installation


def test_it_publishes_three_videos_each_time_and_leaves_no_process(installation: Installation) -> None:
    first, again = installation.first, installation.manage("demo", "--once")

    assert first is not None and first.returncode == 0, first
    assert again.returncode == 0, again.stdout + again.stderr
    assert not installation.left()
    videos = installation.newest_direct() + installation.first_videos
    assert [video["status"] for video in videos] == ["posted"] * 6
    assert {video["subtitles"] for video in videos} == {"auto"}
    assert len({video["batch"] for video in videos}) == 2
    assert len({video["editedSha256"] for video in videos}) == 3
    assert all(video["post"]["url"] in again.stdout for video in videos[:3])
    assert "ana" in first.stdout and "/admin/" in first.stdout and "/_sandbox/" in first.stdout


def test_it_serves_until_it_is_interrupted_and_takes_everything_along(installation: Installation) -> None:
    with installation.demo() as process:
        words = installation.log.read_text()
        link = next(word for word in words.split() if "/video/" in word)
        with urlopen(link, timeout=10) as answer:
            assert answer.status == 200

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=20) == 0
    assert not installation.left()


def test_it_takes_everything_along_when_it_is_killed(installation: Installation) -> None:
    with running([*MANAGE, "demo"], log=installation.log, **installation.environment) as process:
        wait_for(lambda: len(installation.left()) > 4, seconds=120)

        process.kill()
        process.wait()

        wait_for(lambda: not installation.left(), seconds=15)


def test_it_fails_with_the_cause_when_something_runs_there_already(installation: Installation) -> None:
    with running([*MANAGE, "demo"], log=installation.log, **installation.environment):
        wait_for(lambda: (installation.var / "up.json").exists(), seconds=120)

        done = installation.manage("demo", "--once")

        assert done.returncode == 1
        assert "already runs on" in done.stderr
        assert "Traceback" not in done.stderr
    wait_for(lambda: not installation.left(), seconds=15)


def test_it_goes_on_when_the_watcher_of_a_publication_leaves(installation: Installation, clip: Path) -> None:
    """Nothing is running here, so `--wait` would wait for ever; Ctrl-C leaves one document and the batch."""
    argv = ["publish", str(clip), "--account", "@panaderia.luna", "--mode", "inbox", "--wait", "--json"]
    process = subprocess.Popen(
        [*MANAGE, *argv], env={**os.environ, **installation.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    while b": Queued" not in process.stderr.readline():  # then it is being watched
        assert process.poll() is None

    process.send_signal(signal.SIGINT)

    output, _ = process.communicate(timeout=30)
    document = json.loads(output)
    assert (process.returncode, document["cut"]) == (130, "interrupted")
    assert installation.videos("--batch", str(document["batch"]))[0]["status"] == "pending"


def test_it_answers_with_one_document_whatever_happens(installation: Installation, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    account = ("--account", "@panaderia.luna")

    for code, arguments in (
        (2, ("publish", "--json")),
        (2, ("publish", "/gone.mp4", *account, "--json")),
        (1, ("publish", str(text), *account, "--mode", "inbox", "--json")),
        (1, ("publish", str(text), *account, "--privacy", "SELF_ONLY", "--json")),  # TikTok is not there
        (0, ("videos", "--json", "--limit", "1")),
        (2, ("videos", "--json", "--status", "lost")),
    ):
        done = installation.manage(*arguments)
        assert (done.returncode, type(json.loads(done.stdout))) == (code, dict), arguments


def test_it_answers_with_one_document_when_there_is_no_database(installation: Installation) -> None:
    done = installation.manage("videos", "--json", DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")

    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "database")
