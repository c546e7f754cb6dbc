"""A real Prometheus scrapes the product, a real Alertmanager delivers: three failures are silent, four are heard."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from accounts.signals import tiktok_called
from monitoring.local import Local
from monitoring.models import Alert, KeyScope
from monitoring.services.alerts import alerts_evaluate
from monitoring.services.keys import key_make
from subiteya.tiktok import Endpoint, TikTokError
from tests.processes import free_port, running, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
BURST = "TikTokApiFailuresBurst"


def fail(times: int) -> None:
    for _call in range(times):
        error = TikTokError("internal_error")
        tiktok_called.send(None, endpoint=Endpoint.STATUS_FETCH, account=None, seconds=0.1, error=error)


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """The address of somebody's webhook, and the alerts that it was told about."""
    names: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            names.extend(f"{one['status']} {one['labels']['alertname']}" for one in body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", names
    server.shutdown()
    thread.join()
    server.server_close()


def ask(local: Local, expr: str) -> list[float]:
    address = f"http://127.0.0.1:{local.prometheus_port}/api/v1/query?{urlencode({'query': expr})}"
    try:
        with urlopen(address, timeout=5) as answer:
            return [float(one["value"][1]) for one in json.load(answer)["data"]["result"]]
    except OSError:
        return []


def test_three_failures_are_silent_and_four_are_heard(live_server: Any, heard: Any, tmp_path: Path) -> None:
    address, names = heard
    local = Local(
        folder=tmp_path / "monitoring", web=live_server.url, prometheus_port=free_port(),
        alertmanager_port=free_port(), seconds=1, also=[address],
    )  # fmt: skip
    keys = {scope: key_make(name="test", scope=scope)[1] for scope in (KeyScope.METRICS, KeyScope.ALERTS)}
    local.prepare(metrics_key=keys[KeyScope.METRICS], alerts_key=keys[KeyScope.ALERTS])
    with ExitStack() as stack:
        for program in local.programs():
            stack.enter_context(running(program.argv, log=tmp_path / program.name))
        # With a handful of samples `increase` stretches three to four: see docs/alerts.md, "Where both may differ".
        wait_for(lambda: ask(local, "count_over_time(subiteya_build_info[1m]) >= 20"), seconds=90)

        fail(3)
        wait_for(lambda: ask(local, "sum(tiktok_api_failures_total) == 3"), seconds=20)
        wait_for(lambda: ask(local, "sum(increase(tiktok_api_failures_total[5m])) >= 3"), seconds=20)
        wait_for(lambda: ask(local, "sum(count_over_time(subiteya:active_jobs:sum[1m])) >= 12"), seconds=40)
        alerts_evaluate()
        assert not ask(local, f'ALERTS{{alertname="{BURST}"}}')
        assert not Alert.objects.filter(rule=BURST).exists()

        fail(1)
        wait_for(lambda: f"firing {BURST}" in names, seconds=40)
        wait_for(lambda: Alert.objects.filter(rule=BURST, source="alertmanager", closed_at=None).exists(), seconds=20)
        alerts_evaluate()
        assert Alert.objects.get(rule=BURST, source="app").value == 4
