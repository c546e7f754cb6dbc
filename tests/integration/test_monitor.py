"""The monitor under many processes at once: the web server, its rate limit, its counters."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import MANAGE, free_port, running, wait_for

pytestmark = pytest.mark.integration
PROGRAMS = 10
#: Each program asks `TURNS` times, as fast as it can, and prints the statuses.
PROGRAM = """
import sys, requests
url, key, turns = sys.argv[1:]
session = requests.Session()
for turn in range(int(turns)):
    answer = session.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    print(answer.status_code, answer.headers.get("Retry-After", ""))
"""


@pytest.fixture
def web(tmp_path: Path, redis_server: str) -> Iterator[SimpleNamespace]:
    """The web application on two gunicorn processes, with a Redis and a database of its own."""
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev", "SUBITEYA_VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "REDIS_URL": redis_server,
        "SUBITEYA_WEB_PORT": str(port), "SUBITEYA_WEB_PROCESSES": "2",
        "SUBITEYA_STATIC_ROOT": str(tmp_path / "static"),
    }  # fmt: skip
    (tmp_path / "static").mkdir()

    def manage(*arguments: str) -> str:
        log = tmp_path / "manage.log"
        with running([*MANAGE, *arguments], log=log, **environment) as process:
            assert process.wait(timeout=90) == 0, log.read_text()
        return log.read_text().split()[-1] if log.read_text().strip() else ""

    manage("migrate", "--no-input", "--verbosity=0")
    key = manage("api_key", "make", "metrics", "a test")
    argv = [sys.executable, "-m", "gunicorn", "-c", "python:subiteya.gunicorn_conf"]
    url = f"http://127.0.0.1:{port}"
    with running(argv, log=tmp_path / "web.log", **environment):
        wait_for(lambda: answers(f"{url}/healthz"), seconds=60)
        yield SimpleNamespace(url=url, key=key, manage=manage, folder=tmp_path)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def scrape(web: SimpleNamespace) -> dict[str, float]:
    """Metric → the sum of its series."""
    headers = {"Authorization": f"Bearer {web.key}"}
    text = requests.get(f"{web.url}/metrics", headers=headers, timeout=30)
    assert text.status_code == 200
    sums = Counter[str]()
    for family in text_string_to_metric_families(text.text):
        for sample in family.samples:
            sums[sample.name] += sample.value
    return dict(sums)


def burst(web: SimpleNamespace, key: str, turns: int) -> list[str]:
    """What ten programs that ask at the same time with one key are answered."""
    url = f"{web.url}/api/monitor/metrics"

    def program(number: int) -> list[str]:
        log = web.folder / f"program-{number}.log"
        argv = [sys.executable, "-c", PROGRAM, url, key, str(turns)]
        with running(argv, log=log) as process:
            assert process.wait(timeout=120) == 0, log.read_text()
        return log.read_text().splitlines()

    with ThreadPoolExecutor(PROGRAMS) as pool:
        return [line for lines in pool.map(program, range(PROGRAMS)) for line in lines]


def fresh_key(web: SimpleNamespace) -> str:
    """A key that was used once, in a minute that has a while to go: each key's minute begins at a second of its own."""
    for _turn in range(20):
        key = web.manage("api_key", "make", "monitor", "a test")
        headers = {"Authorization": f"Bearer {key}"}
        answer = requests.get(f"{web.url}/api/monitor/metrics", headers=headers, timeout=30)
        if int(answer.headers["RateLimit-Reset"]) > 25:
            return key
    raise AssertionError("no key began its minute")


def test_it_refuses_the_31st_request_of_a_burst_from_ten_processes(web: SimpleNamespace) -> None:
    lines = burst(web, fresh_key(web), turns=4)

    passed = [line for line in lines if line.startswith("200")]
    refused = [line.split() for line in lines if line.startswith("429")]
    assert 1 + len(passed) == 30
    assert len(passed) + len(refused) == PROGRAMS * 4
    assert all(0 < int(wait) <= 60 for _status, wait in refused)


def test_it_measures_all_web_processes_whichever_answers(web: SimpleNamespace) -> None:
    for _turn in range(40):
        requests.get(f"{web.url}/healthz", timeout=10)

    seen = [scrape(web)["django_http_requests_total_by_method_total"] for _turn in range(6)]

    assert seen == sorted(seen)
    assert seen[0] >= 40
    assert seen[-1] - seen[0] == 5
    assert len(list((web.folder / "web-metrics").glob("counter_*.db"))) == 2


def test_it_measures_the_database(web: SimpleNamespace) -> None:
    assert scrape(web)["django_db_execute_total"] > 0
