"""Prometheus's and Alertmanager's own tools on our rules, and the rules against the app's own evaluation."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml

from monitoring.alerts.rules import BY_NAME
from monitoring.models import DailyPeak, TikTokFailure
from publishing.models import Job
from publishing.states import JobStatus
from tests.factories import JobFactory
from tests.processes import ROOT

pytestmark = pytest.mark.integration
DEPLOY = ROOT / "deploy"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCRAPE = 15


def run(*argv: str | Path, folder: Path = DEPLOY) -> str:
    """Standard output and error of a tool that must be content."""
    done = subprocess.run([str(part) for part in argv], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_writes_rules_and_a_configuration_that_prometheus_takes(tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    shutil.copytree(DEPLOY / "prometheus", folder)
    (folder / "metrics.token").write_text("sy_x")
    assert "SUCCESS" in run("promtool", "check", "config", "prometheus.yml", folder=folder)
    assert "SUCCESS" in run("promtool", "check", "rules", "rules/alerts.yml", "rules/recording.yml", folder=folder)


@pytest.mark.parametrize("name", ["alerts", "days"])
def test_its_stories_go_as_told(name: str) -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", f"prometheus/tests/{name}.yml")


def test_it_notices_a_rule_that_would_fire_at_three(tmp_path: Path) -> None:
    """The stories are able to fail: the expression that one would write first does not pass them."""
    folder = tmp_path / "prometheus"
    shutil.copytree(DEPLOY / "prometheus", folder)
    rules = folder / "rules/alerts.yml"
    rules.write_text(rules.read_text().replace("[5m])) > 3.5", "[5m])) > 3"))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests/alerts.yml"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0
    assert "TikTokApiFailuresBurst" in done.stdout + done.stderr


def test_it_writes_a_configuration_that_alertmanager_takes() -> None:
    assert "SUCCESS" in run("amtool", "check-config", "alertmanager/alertmanager.yml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=TikTokApiFailuresBurst", "severity=page"], "page"),
        (["alertname=CircuitOpen", "severity=ticket"], "ticket"),
        (["alertname=SomebodyElses"], "ticket"),
    ],
)
def test_it_routes_by_urgency(labels: list[str], receiver: str) -> None:
    config = "--config.file=alertmanager/alertmanager.yml"
    run("amtool", "config", "routes", "test", config, f"--verify.receivers={receiver}", *labels)


def test_it_inhibits_what_an_outage_explains_and_tells_the_end() -> None:
    document = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())
    inhibited = {
        target
        for rule in document["inhibit_rules"]
        if rule["source_matchers"] == ['alertname="TikTokOutage"']
        for target in re.findall(r"\w+", rule["target_matchers"][0].split("=~")[1])
    }
    assert inhibited == {"CircuitOpen", "TikTokApiFailuresBurst"}
    for receiver in document["receivers"]:
        assert all(one["send_resolved"] for kind in ("email_configs", "webhook_configs") for one in receiver[kind])


# Both sides on the same history


@dataclass
class History:
    """Seconds at which a call failed, and how many jobs ran from which second on."""

    failures: list[int]
    jobs: list[tuple[int, int]]
    seconds: int
    fires: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)

    def failed(self, since: float, until: float) -> int:
        return sum(since < at <= until for at in self.failures)

    def jobs_at(self, second: float) -> int:
        return next((count for at, count in reversed(self.jobs) if at <= second), 0)


def history(seed: int) -> History:
    """Bursts of three to five, close together or spread over the edge of five minutes; work that comes and goes."""
    chance = random.Random(seed)
    failures, at = [], 400
    while at < 6000:
        spread = chance.choice([20, 120, 250, 340, 420])
        failures += sorted(at + chance.randint(0, spread) for _n in range(chance.choice([3, 4, 4, 5])))
        at = failures[-1] + chance.randint(200, 800)
    steps = [(0, 0)] + [(second, chance.choice([0, 1, 3, 4, 5, 6, 8, 10])) for second in range(900, 6000, 900)]
    return History(sorted(failures), steps, 6600)


def promtool_input(told: History) -> dict[str, Any]:
    """What Prometheus would scrape, each 15 seconds from the first on."""
    seconds = range(0, told.seconds, SCRAPE)
    failed = " ".join(str(told.failed(-1, at)) for at in seconds)
    jobs = " ".join(str(told.jobs_at(at)) for at in seconds)
    checks = [
        {
            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
            "eval_time": f"{second}s",
            "exp_samples": [{"labels": "{}", "value": int(fires)}],
        }
        for alert, moments in told.fires.items()
        for second, fires in moments
    ]
    return {
        "rule_files": [str(DEPLOY / "prometheus/rules" / name) for name in ("recording.yml", "alerts.yml")],
        "evaluation_interval": "13s",
        "tests": [
            {
                "interval": f"{SCRAPE}s",
                "input_series": [
                    {"series": 'tiktok_api_failures_total{endpoint="init",reason="unavailable"}', "values": failed},
                    {"series": 'active_jobs{queue="upload"}', "values": jobs},
                ],
                "promql_expr_test": checks,
            }
        ],
    }


def app_burst(told: History) -> Iterator[tuple[int, bool]]:
    """What the app says at seconds at which both must say the same.

    Left out are those at which a failure lies within a scrape and an evaluation of an edge of the window: Prometheus
    cannot know on which side it is.
    """
    TikTokFailure.objects.bulk_create(
        TikTokFailure(at=START + timedelta(seconds=at), endpoint="init", reason="unavailable", code="x", seconds=1)
        for at in told.failures
    )
    edge = SCRAPE + 14
    for second in range(390, told.seconds, 47):
        window = range(second - 300 - edge, second - 300 + edge), range(second - edge, second + 1)
        if not any(at in near for near in window for at in told.failures):
            yield second, bool(list(BY_NAME["TikTokApiFailuresBurst"].look(START + timedelta(seconds=second))))


def app_peak(told: History) -> Iterator[tuple[int, bool]]:
    """The same for the jobs: eleven minutes after a step no new peak is younger than the offset, and `for` is over."""
    day = DailyPeak.objects.create(day=START.date(), active_jobs=0)
    for begins, count in told.jobs:
        Job.objects.all().delete()
        for _job in range(count):
            JobFactory(status=JobStatus.RUNNING, lease_until=START + timedelta(days=1))
        day.active_jobs = max(day.active_jobs, count)
        day.save(update_fields=["active_jobs"])
        second = begins + 11 * 60
        with time_machine.travel(START + timedelta(seconds=second), tick=False):
            yield second, bool(list(BY_NAME["ActiveJobsNearPeak"].look(START + timedelta(seconds=second))))


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_the_app_and_prometheus_say_the_same_about_the_same_history(seed: int, tmp_path: Path) -> None:
    told = history(seed)
    told.fires["TikTokApiFailuresBurst"] = list(app_burst(told))
    told.fires["ActiveJobsNearPeak"] = list(app_peak(told))
    assert {fires for _second, fires in told.fires["TikTokApiFailuresBurst"]} == {True, False}
    path = tmp_path / "history.yml"
    path.write_text(yaml.safe_dump(promtool_input(told)))
    assert "SUCCESS" in run("promtool", "test", "rules", path)
