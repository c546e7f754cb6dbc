"""Grafana's dashboards ask for nothing that we do not export."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import timezone
from django_prometheus.middleware import Metrics
from prometheus_client import REGISTRY

from insights.models import Topic, TopicDay
from monitoring.catalogue import METRICS, MetricKind
from monitoring.selectors.document import metrics_document
from publishing.states import VideoStatus
from tests.factories import VideoFactory
from tests.processes import ROOT
from tools.grafana.__main__ import BOARDS, FOLDER, written
from tools.grafana.document import COLUMNS, SECTIONS, Document
from tools.grafana.panels import SOURCE

RULES = ROOT / "deploy" / "prometheus" / "rules"
#: What Grafana puts in, as any value of it.
VARIABLES = {"$__rate_interval": "5m", "$endpoint": "upload", "$account": "marca"}
#: Prometheus' own series.
OWN = {"ALERTS"}
boards = pytest.mark.parametrize("name", BOARDS)


def panels(name: str) -> list[dict[str, Any]]:
    board = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def targets(name: str) -> Iterator[dict[str, Any]]:
    for panel in panels(name):
        yield from panel["targets"]


def expressions(name: str) -> list[str]:
    found = [target["expr"] for target in targets(name) if "expr" in target]
    for variable, value in VARIABLES.items():
        found = [expression.replace(variable, value) for expression in found]
    return found


def exported() -> set[str]:
    """Names of series: ours, django-prometheus', and those that the rules record."""
    Metrics.get_instance()
    names = {family.name + ending for family in REGISTRY.collect() for ending in ("", "_total", "_bucket", "_count")}
    for metric in METRICS.values():
        histogram = metric.kind is MetricKind.HISTOGRAM
        names |= {metric.name + end for end in (("_bucket", "_sum", "_count") if histogram else ("",))}
    for path in RULES.glob("*.yml"):
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        names |= {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    return names | OWN


@boards
def test_it_keeps_the_files_as_the_code_makes_them(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")

    assert text == written(BOARDS[name]()), "run `make dashboards`"


@boards
def test_it_asks_only_for_metrics_that_exist(name: str) -> None:
    bare = [re.sub(r'"[^"]*"|\b(?:by|on|without) \([^)]*\)|\{[^}]*\}|\[[^]]*]', " ", one) for one in expressions(name)]
    named = {word for one in bare for word in re.findall(r"\b[a-zA-Z_][\w:]*\b(?!\s*\()", one)} - {"or", "and", "by"}

    assert named
    assert named <= exported()


@boards
def test_it_asks_only_for_labels_that_exist(name: str) -> None:
    for expression in expressions(name):
        for metric, inside in re.findall(r"(\w+)\{([^}]*)\}", expression):
            if metric in METRICS:
                assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", inside)) <= METRICS[metric].labels.keys()


@boards
def test_it_asks_the_json_endpoint_once(name: str) -> None:
    """30 requests a minute are for everybody who looks."""
    asking = [panel["id"] for panel in panels(name) if any("url" in target for target in panel["targets"])]

    assert asking == [SOURCE]
    assert {target["panelId"] for target in targets(name) if "panelId" in target} == {SOURCE}


@boards
def test_it_says_what_each_panel_answers(name: str) -> None:
    assert [panel["title"] for panel in panels(name) if not panel["description"].strip()] == []
    ids = [panel["id"] for panel in json.loads((FOLDER / name).read_text(encoding="utf-8"))["panels"]]
    assert len(ids) == len(set(ids))


@boards
def test_it_uses_the_provisioned_data_sources(name: str) -> None:
    provisioned = ROOT / "deploy/grafana/provisioning/datasources/subiteya.yml"
    known = {source["uid"] for source in yaml.safe_load(provisioned.read_text(encoding="utf-8"))["datasources"]}

    used = set(re.findall(r'"uid": "([^"]+)"', (FOLDER / name).read_text(encoding="utf-8")))

    assert used - {"subiteya-overview", "subiteya-account"} <= known | {"-- Dashboard --", "-- Grafana --"}


@pytest.mark.django_db
def test_it_reads_only_what_the_document_has() -> None:
    body = metrics_document().body

    for section in SECTIONS:
        assert section.path in body


def test_it_flattens_nothing_that_no_panel_shows() -> None:
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in BOARDS]
    shown = {value for text in texts for value in re.findall(r'"options": \{\s*"value": "(\w+)"', text)}

    assert shown == {section.path for section in SECTIONS}


@pytest.mark.integration
@pytest.mark.django_db
@pytest.mark.parametrize("account", ["", "account"])
def test_it_flattens_the_real_document(account: str, ended: Any) -> None:
    """jq in place of Infinity's own JQ."""
    ended(VideoStatus.POSTED)
    failed = ended(VideoStatus.FAILED_UPLOAD)
    VideoFactory(status=VideoStatus.HELD)
    TopicDay.objects.create(
        account=failed.account, sector=failed.account.sector, topic=Topic.objects.create(name="pan"),
        day=timezone.localdate(), videos=2,
    )  # fmt: skip
    program = Document(account).program.replace("${account}", failed.account.username)
    body = json.dumps(metrics_document(30).body)

    answer = subprocess.run(["jq", program], input=body, capture_output=True, text=True, check=True, timeout=30)

    rows = json.loads(answer.stdout)
    assert {key for row in rows for key in row} <= COLUMNS.keys()
    assert {row["section"] for row in rows} >= {"generatedAt", "tokens", "recentFailures", "accountsWithFailures"}
    assert not account or {row.get("account") for row in rows} == {None, failed.account.username}
    if not account:
        assert {row["section"] for row in rows} == {section.path for section in SECTIONS}
        assert len([row for row in rows if row["section"] == "dailyThroughput"]) == 30
    trouble = next(row for row in rows if row["section"] == "accountsWithFailures")
    assert {"account", "week", "hour", "breaker"} <= {key for key, value in trouble.items() if value is not None}
    stuck = next(row for row in rows if row["section"] == "recentFailures")
    assert (stuck["account"], stuck["traceId"]) == (failed.account.username, failed.trace_id)


@pytest.mark.integration
@boards
def test_it_pleases_promtool(name: str, tmp_path: Path) -> None:
    rules = [{"record": f"check:{number}", "expr": text} for number, text in enumerate(expressions(name))]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")

    checked = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, timeout=30)

    assert checked.returncode == 0, checked.stderr
    assert f"SUCCESS: {len(rules)} rules found" in checked.stdout
