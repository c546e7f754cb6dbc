"""A worker that dies anywhere: real processes, killed with SIGKILL between two commits, and still one whole post.

Each test arms one point of `subiteya.lib.crashing`, publishes a file that nobody has edited yet, and lets the
installation find its own way.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from publishing.chaos.control import Control
from publishing.chaos.stage import stage
from subiteya.lib.crashing import CRASH_POINTS, VARIABLE
from tests.processes import MANAGE, ROOT, alive, command_of, descendants, running, wait_for
from tests.publishing.conftest import make_clip

pytestmark = pytest.mark.integration

#: Leases of under three seconds: a death is noticed at once.
TIME_SCALE = "0.03"
ACCOUNTS = 4
WAIT_SECONDS = 120
numbers = count()


class Installation:
    """A private installation, spoken to as a script would."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.var = Path(environment["SUBITEYA_VAR_DIR"])
        self.crash_at = self.var / "crash-at"
        self.up: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, stdin: str = "") -> str:
        """What a command writes to stdout."""
        environment = os.environ | self.environment | {"DJANGO_SUPERUSER_PASSWORD": "a long password"}
        done = subprocess.run(
            [*MANAGE, *arguments], env=environment, input=stdin, capture_output=True, text=True,
            timeout=WAIT_SECONDS + 60,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.stdout

    def manage(self, *arguments: str) -> Any:
        """The JSON document that a command answers."""
        return json.loads(self.run(*arguments, "--json"))

    @contextmanager
    def serving(self) -> Iterator[None]:
        card = self.var / "up.json"
        with running([*MANAGE, "up", "--quiet"], log=self.var / "out", **self.environment) as self.up:
            wait_for(card.exists, seconds=120)
            self.control = Control(json.loads(card.read_text())["sandbox_url"])
            yield

    def connect(self, username: str) -> None:
        self.control.account(username)
        answer = self.control.tokens(username) | {"username": username, "sector": "Prueba"}
        self.run("account_import", "--json", "-", stdin=json.dumps(answer))

    def publish(self, path: Path, account: str, caption: str) -> dict[str, Any]:
        """The video at its end."""
        answer = self.manage(
            "publish", str(path), "--account", f"@{account}", "--caption", caption, "--privacy", "SELF_ONLY",
            "--wait", "--timeout", str(WAIT_SECONDS),
        )  # fmt: skip
        (video,) = answer["videos"]
        return video

    def arrived(self, caption: str) -> list[Any]:
        """What TikTok has of it, whole."""
        return [post for post in self.control.ledger() if post.asked.caption == caption and post.arrived]

    def workers(self, kind: str) -> list[psutil.Process]:
        """The worker processes of that kind, without their horses."""
        assert self.up is not None
        words = ["worker", kind]
        found = [process for process in descendants(self.up.pid) if command_of(process)[-2:] == words]
        pids = {process.pid for process in found}
        return [process for process in found if process.ppid() not in pids]


@contextmanager
def installed(database: str) -> Iterator[Installation]:
    """A private installation on `database` (empty: SQLite), serving, with its accounts."""
    with pytest.MonkeyPatch.context() as patch, stage(database=database, keep=False) as environment:
        patch.setenv("SUBITEYA_TIME_SCALE", TIME_SCALE)
        installation = Installation(environment | {"SUBITEYA_TIME_SCALE": TIME_SCALE})
        installation.environment[VARIABLE] = str(installation.crash_at)
        with installation.serving():
            installation.control.configure(processing_seconds=0.5, moderation_seconds=0.2, status_per_minute=1000)
            installation.run("createsuperuser", "--noinput", "--username=admin", "--email=admin@agency.example")
            for number in range(ACCOUNTS):
                installation.connect(f"cuenta.{number}")
            yield installation


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with installed(os.environ.get("DATABASE_URL", "")) as installation:
        yield installation


@pytest.fixture
def own_postgresql(tmp_path: Path) -> Iterator[str]:
    """The address of a PostgreSQL server that nobody else uses, so that it may be restarted."""
    address = tmp_path / "address"
    script = f'echo -n "$DATABASE_URL" > {address}.part; mv {address}.part {address}; exec sleep 900'
    argv = [str(ROOT / "tools" / "with_postgres"), "bash", "-c", script]
    with running(argv, log=tmp_path / "postgres.log", DATABASE_URL="") as process:
        wait_for(address.exists, seconds=60)
        yield address.read_text()
        process.terminate()  # it takes its server along
        process.wait(timeout=30)


def restart(url: str) -> None:
    """Stop the server that `url` names, cutting every connection, and start it again."""
    with psycopg.connect(url) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        (binary,) = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone() or ("",)
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    log = ["--log", str(Path(folder).parent / "server.log")]
    argv = [*owner, f"{binary}/pg_ctl", "--pgdata", folder, "--mode", "fast", "--silent", "--wait", *log, "restart"]
    subprocess.run(argv, check=True, timeout=60, cwd="/")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A clip that was never edited; sixteen megabytes, so that it goes in more than one part."""
    number = next(numbers)
    noise = ("-vf", f"noise=alls=80:allf=t:all_seed={number}", "-crf", "4")
    return make_clip(tmp_path / f"clip-{number}.mp4", seconds=1.6, extra=noise)


def children_of(workers: list[psutil.Process]) -> list[psutil.Process]:
    return [horse for worker in workers for horse in worker.children()]


def check_one_whole_post(installation: Installation, video: dict[str, Any]) -> None:
    assert video["status"] == "posted", video
    (post,) = installation.arrived(video["caption"])
    assert post.sha256 == video["editedSha256"]
    assert post.publish_id == video["publishId"]


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_it_posts_once_and_whole_whatever_the_moment_of_death(
    installation: Installation, fresh: Path, point: str
) -> None:
    installation.crash_at.write_text(point)

    video = installation.publish(fresh, f"cuenta.{CRASH_POINTS.index(point) % ACCOUNTS}", f"Muerte en {point}")

    assert not installation.crash_at.exists(), "the worker never came to that point"
    check_one_whole_post(installation, video)


@pytest.mark.parametrize("kind", ["edit", "upload"])
def test_it_goes_on_when_the_whole_worker_is_killed(installation: Installation, fresh: Path, kind: str) -> None:
    """Not the horse but its parent: the horse goes with it, and the supervisor starts another."""
    installation.control.fault("slow", endpoint="chunk", times=4, bytes_per_second=4_000_000)
    before = installation.workers(kind)
    installation.crash_at.write_text("nowhere")
    caption = f"Muere el trabajador {kind}"
    order = ("publish", str(fresh), "--account", "@cuenta.0", "--caption", caption, "--privacy", "SELF_ONLY")
    with ThreadPoolExecutor(max_workers=1) as aside:
        published = aside.submit(installation.manage, *order)  # a short edit may be over before the command is
        busy = wait_for(lambda: [worker for worker in before if worker.children()], seconds=60, every=0.01)
        horses = [horse for worker in busy for horse in worker.children(recursive=True)]

        for worker in busy:
            worker.kill()
        batch = published.result()

    wait_for(lambda: not any(alive(horse) for horse in horses), seconds=5)
    video = wait_for(lambda: ended(installation, batch["batch"]), seconds=WAIT_SECONDS, every=1)
    check_one_whole_post(installation, video)


def test_it_fences_a_worker_that_slept_through_its_lease(installation: Installation, fresh: Path) -> None:
    """SIGSTOP for longer than the lease: another worker takes over, and the sleeper changes nothing when it wakes."""
    installation.control.fault("slow", endpoint="chunk", times=2, bytes_per_second=3_000_000)
    batch = installation.manage(
        "publish", str(fresh), "--account", "@cuenta.1", "--caption", "Sonámbulo", "--privacy", "SELF_ONLY"
    )
    ledger = installation.control.ledger
    wait_for(lambda: [post for post in ledger() if post.asked.caption == "Sonámbulo"], seconds=60, every=0.05)
    # The one that sends: another of the job before may wait for its next message still.
    horses = wait_for(lambda: horses if len(horses := children_of(installation.workers("upload"))) == 1 else [])

    for horse in horses:
        horse.suspend()
    try:
        video = wait_for(lambda: ended(installation, batch["batch"]), seconds=WAIT_SECONDS, every=1)
    finally:
        for horse in horses:
            if alive(horse):
                horse.resume()

    wait_for(lambda: not any(alive(horse) for horse in horses), seconds=30)
    check_one_whole_post(installation, video)


def test_it_goes_on_after_a_restart_of_postgresql(own_postgresql: str, fresh: Path) -> None:
    with installed(own_postgresql) as installation:
        installation.control.fault("slow", endpoint="chunk", times=2, bytes_per_second=4_000_000)
        batch = installation.manage(
            "publish", str(fresh), "--account", "@cuenta.2", "--caption", "Reinicio", "--privacy", "SELF_ONLY"
        )
        wait_for(lambda: children_of(installation.workers("upload")), seconds=60, every=0.01)

        restart(own_postgresql)

        video = wait_for(lambda: ended(installation, batch["batch"]), seconds=WAIT_SECONDS, every=1)
        check_one_whole_post(installation, video)


def test_it_leaves_nothing_of_the_dead_in_the_work_folder(installation: Installation) -> None:
    folder = installation.var / "work" / "jobs"
    wait_for(lambda: not folder.exists() or not list(folder.iterdir()), seconds=60, every=0.5)


def ended(installation: Installation, batch: int) -> dict[str, Any] | None:
    (video,) = installation.manage("videos", "--batch", str(batch))["videos"]
    return video if video["family"] in {"done", "attention", "ended"} else None
