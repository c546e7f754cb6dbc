"""The definition of the alerts, the files made from it, and their runbooks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import yaml
from django.core.management import CommandError, call_command

from monitoring.alerts.exports import RETENTION, alerting, differing, files, prometheus
from monitoring.alerts.limits import promql
from monitoring.alerts.rules import BY_NAME, RECORDS, RULES
from monitoring.alerts.runbooks import runbook
from monitoring.catalogue import METRICS, MetricKind
from tests.processes import ROOT

SECTIONS = ["Meaning", "Impact", "First look", "Diagnose", "Mitigate", "Escalate", "Last exercised"]
#: What PromQL itself calls so.
WORDS = {"sum", "increase", "max_over_time", "clamp_min", "offset", "vector", "time", "absent", "on", "or", "and",
         "unless"}  # fmt: skip
EXPORTED = {
    name + suffix
    for name, metric in METRICS.items()
    for suffix in (["_bucket", "_sum", "_count"] if metric.kind is MetricKind.HISTOGRAM else [""])
}
BUTTON = re.compile(r"\*([^*\n]+)\*")


def named(expr: str) -> set[str]:
    """Every metric in an expression."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"|\b\d[\w.]*", " ", expr)
    return set(re.findall(r"[a-zA-Z_:][\w:]*", bare)) - WORDS


def test_it_finds_the_metrics_of_an_expression():
    assert named('sum(increase(videos_total{result=~"a|b"}[5m])) > 3.5 or x:y:sum offset 10m') == {
        "videos_total",
        "x:y:sum",
    }


@pytest.mark.parametrize("expr", [*(rule.expr for rule in RULES), *(record.expr for record in RECORDS)])
def test_it_names_only_metrics_that_are_exported(expr):
    assert named(expr) <= EXPORTED | {record.name for record in RECORDS}


def test_it_commits_what_the_definition_says():
    assert differing(ROOT / "deploy") == []
    call_command("prometheus_rules", "--check")


def test_it_says_which_file_is_not_up_to_date(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="alerts.yml"):
        call_command("prometheus_rules", "--check")
    call_command("prometheus_rules")
    call_command("prometheus_rules", "--check")
    assert (tmp_path / "deploy/prometheus/rules/alerts.yml").read_text() == files()["prometheus/rules/alerts.yml"]


@pytest.mark.parametrize("alert", alerting()["groups"][0]["rules"], ids=lambda alert: alert["alert"])
def test_it_gives_every_alert_a_summary_a_severity_and_a_runbook(alert):
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]
    assert alert["annotations"]["runbook_url"].endswith(f"/monitor/runbooks/{alert['alert']}/")


@pytest.mark.parametrize("name", BY_NAME)
def test_it_has_a_whole_runbook_for_every_alert(name):
    sections = runbook(name)

    assert [section.heading for section in sections] == SECTIONS
    assert all(section.blocks for section in sections)
    diagnose, first_look = (next(s for s in sections if s.heading == h) for h in ("Diagnose", "First look"))
    assert "code" in {block.kind for block in diagnose.blocks}
    assert "<a href=" in str(first_look.blocks[0].parts[0])


def test_it_has_no_runbook_without_an_alert():
    assert {path.stem for path in (ROOT / "docs/runbooks").glob("*.md")} == set(BY_NAME)


def test_it_names_buttons_that_exist():
    sources = [*ROOT.glob("*/**/*.py"), *ROOT.glob("templates/**/*.html")]
    words = "\n".join(path.read_text() for path in sources if ".venv" not in path.parts and "tests" not in path.parts)
    for path in (ROOT / "docs/runbooks").glob("*.md"):
        mitigate = path.read_text().split("## Mitigate")[1].split("## Escalate")[0]
        missing = [name for name in BUTTON.findall(mitigate) if name not in words and name[0].isupper()]
        assert missing in ([], ["Add API key"]), path.name  # Django's own: "Add" and the model's name


def test_it_mutes_only_by_alerts_that_are_looked_at_before():
    names = [rule.name for rule in RULES]
    for rule in RULES:
        assert all(names.index(source) < names.index(rule.name) for source in rule.muted_by)


def test_it_scrapes_often_enough_and_keeps_for_long_enough():
    document = prometheus(target="t:1", rules="r", token_file="f", alertmanager="a:1")
    assert int(document["global"]["scrape_interval"].removesuffix("s")) <= 30
    assert document["scrape_configs"][0]["authorization"] == {"type": "Bearer", "credentials_file": "f"}
    assert RETENTION == "45d"
    assert f"--storage.tsdb.retention.time={RETENTION}" in files()["prometheus/prometheus.yml"]


def test_it_writes_every_file_as_yaml():
    for path, text in files().items():
        assert yaml.safe_load(text), path


@pytest.mark.parametrize(("seconds", "written"), [(300, "5m"), (10800, "3h"), (259200, "3d"), (90, "90s")])
def test_it_writes_spans_as_prometheus_does(seconds, written):
    assert promql(timedelta(seconds=seconds)) == written
