"""A million videos: how long pages and questions take on a long history, and how much longer than on a tenth of it.

Seeds 100 000 and 1 000 000 videos (`manage.py seed_history`: the same 2 000 accounts and 18 months, so the days are ten
times as full too) into throw-away databases, SQLite and a private PostgreSQL, and asks each of them through the WSGI
application (`benchmarks._history_inside`). `--quick`: 2 000 and 20 000, SQLite only.

While developing, databases that were seeded already can be given, and are not seeded again; sessions, keys and
suggestions are written to them: `HISTORY_SQLITE_SMALL`, `HISTORY_SQLITE_LARGE`, `HISTORY_POSTGRESQL_SMALL` and
`HISTORY_POSTGRESQL_LARGE` hold their DATABASE_URL. `HISTORY_ENGINES=sqlite` leaves the other one out.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.harness import ROOT, Figure, percentile, progress
from subiteya.lib.redis_server import find_redis_server, redis_argv

ENGINES = ("sqlite", "postgresql")
SIZES, QUICK_SIZES = (100_000, 1_000_000), (2_000, 20_000)
SAMPLES, QUICK_SAMPLES = 40, 5
GROWTH = 1.5
#: Seconds in which a million must be seeded.
SEED_SECONDS = {"sqlite": 480.0, "postgresql": 300.0}
Cases = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Goal:
    """What the p95 of every case whose name begins so must not exceed."""

    name: str
    cases: str
    ms: float


GOALS = (
    Goal("monitor's document", "metrics document", 50),
    Goal("Hoy of a manager (50 accounts)", "Hoy (manager)", 150),
    Goal("Hoy of the administrator", "Hoy (administrator)", 150),
    Goal("/metrics", "/metrics", 50),
    Goal("list of videos, slowest filter", "list:", 100),
    Goal("page of a video", "video (", 100),
    Goal("breaker's question before an upload", "breaker:", 1),
    Goal("subtitles report", "subtitles report", 300),
    Goal("hashtags report", "hashtags report", 100),
    Goal("hashtags of a period that is over", "hashtags of a period", 100),
    Goal("hashtag suggestions", "hashtag suggestions", 100),
)
QUERIES = 12


def run(*, quick: bool) -> list[Figure]:
    sizes, samples = (QUICK_SIZES, QUICK_SAMPLES) if quick else (SIZES, SAMPLES)
    engines = ("sqlite",) if quick else tuple(os.environ.get("HISTORY_ENGINES", ",".join(ENGINES)).split(","))
    figures: list[Figure] = []
    folder = Path(tempfile.mkdtemp(prefix="subiteya-history-"))
    try:
        with ExitStack() as running:
            running.enter_context(_redis(folder))
            environment = _environment(folder)
            _manage(environment, "collectstatic", "--no-input", "-v0")
            for engine in engines:
                with ENGINE[engine](folder) as address:
                    figures += _engine(engine, address, environment, sizes, samples)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def _engine(
    engine: str, address: Callable[[str], str], environment: dict[str, str], sizes: tuple[int, int], samples: int
) -> list[Figure]:
    """Seed both sizes, then ask both."""
    found: list[Cases] = []
    urls: list[str] = []
    seeded = 0.0
    for name, videos in zip(("small", "large"), sizes, strict=True):
        given = os.environ.get(f"HISTORY_{engine.upper()}_{name.upper()}")
        urls.append(given or address(name))
        if not given:
            progress(f"history: {videos:,} videos on {engine} …")
            seeded = _seed(environment | {"DATABASE_URL": urls[-1]}, videos)
    for url, videos in zip(urls, sizes, strict=True):
        progress(f"history: asking {engine} with {videos:,} videos …")
        found.append(_ask(environment | {"DATABASE_URL": url}, samples))
    small, large = found
    figures = [figure for goal in GOALS for figure in _figures(engine, goal, small, large)]
    figures += [
        Figure(name=f"{engine}: queries of Hoy ({who})", measured=large[f"Hoy ({who})"]["queries"], goal=QUERIES)
        for who in ("manager", "administrator")
    ]
    if seeded and sizes == SIZES:
        figures.append(
            Figure(name=f"{engine}: seeding a million", measured=round(seeded), unit="s", goal=SEED_SECONDS[engine])
        )
    return figures


def _figures(engine: str, goal: Goal, small: Cases, large: Cases) -> Iterator[Figure]:
    """The slowest case's p95; and the growth of the one that grows most, by its median: two quick ones jitter less."""
    cases = {name: _numbers(small[name], case) for name, case in large.items() if name.startswith(goal.cases)}
    slowest = max(cases, key=lambda name: cases[name]["p95_ms"])
    detail: dict[str, Any] = {"case": slowest, **cases[slowest]}
    if len(cases) > 1:
        detail["p95_ms_of_each"] = {name: numbers["p95_ms"] for name, numbers in sorted(cases.items())}
    yield Figure(
        name=f"{engine}: {goal.name}, p95", measured=cases[slowest]["p95_ms"], unit="ms", goal=goal.ms, detail=detail
    )
    most = max(cases, key=lambda name: cases[name]["growth"])
    yield Figure(
        name=f"{engine}: {goal.name}, growth", measured=cases[most]["growth"], unit="×", goal=GROWTH,
        detail={"case": most, **cases[most]},
    )  # fmt: skip


def _numbers(small: dict[str, Any], large: dict[str, Any]) -> dict[str, Any]:
    p95, before = percentile(large["ms"], 0.95), percentile(small["ms"], 0.95)
    return {
        "p95_ms": round(p95, 3), "p95_ms_small": round(before, 3), "growth_p95": round(p95 / before, 2),
        "median_ms": round(median(large["ms"]), 3), "median_ms_small": round(median(small["ms"]), 3),
        "growth": round(median(large["ms"]) / median(small["ms"]), 2),
        "requests": len(large["ms"]), "queries": large["queries"], "bytes": large["bytes"],
    }  # fmt: skip


# What it runs


def _environment(folder: Path) -> dict[str, str]:
    """Production's ways (DEBUG off, collected static files, a Redis that counts requests) beside the sandbox."""
    mine = {
        "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",
        "SECRET_KEY": "benchmark",
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode(),
        "TIKTOK_SANDBOX": "true",
        "SUBITEYA_DEBUG": "false",
        "SUBITEYA_VAR_DIR": str(folder / "var"),
        "SUBITEYA_STATIC_ROOT": str(folder / "static"),
        "REDIS_URL": f"unix://{folder / 'redis.sock'}",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("SUBITEYA_")} | mine


def _manage(environment: dict[str, str], *argv: str) -> None:
    subprocess.run([sys.executable, "manage.py", *argv], cwd=ROOT, env=environment, check=True, stdout=sys.stderr)


def _seed(environment: dict[str, str], videos: int) -> float:
    """Seconds that the seeding took."""
    _manage(environment, "migrate", "-v0")
    started = time.monotonic()
    _manage(environment, "seed_history", "--videos", str(videos))
    return time.monotonic() - started


def _ask(environment: dict[str, str], samples: int) -> Cases:
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        argv = [sys.executable, "-m", "benchmarks._history_inside", out.name, str(samples)]
        subprocess.run(argv, cwd=ROOT, env=environment, check=True)
        found: Cases = json.loads(Path(out.name).read_text(encoding="utf-8"))
    return found


@contextmanager
def _redis(folder: Path) -> Iterator[None]:
    argv = redis_argv(server=find_redis_server(), socket=folder / "redis.sock", folder=folder)
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()


@contextmanager
def _sqlite(folder: Path) -> Iterator[Callable[[str], str]]:
    files = folder / "sqlite"
    files.mkdir()
    yield lambda name: f"sqlite:///{files / name}.sqlite3"
    shutil.rmtree(files)


@contextmanager
def _postgresql(_folder: Path) -> Iterator[Callable[[str], str]]:
    """A private server for as long as this lasts; each address is a new database of it."""
    argv = [str(ROOT / "tools" / "with_postgres"), "bash", "-c", 'echo "$DATABASE_URL"; exec sleep infinity']
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()

        def address(name: str) -> str:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            return f"{url.rpartition('/')[0]}/{name}"

        try:
            yield address
        finally:
            server.terminate()


ENGINE = {"sqlite": _sqlite, "postgresql": _postgresql}
