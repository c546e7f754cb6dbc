"""The definition as Prometheus and Alertmanager read it: the files below deploy/prometheus and deploy/alertmanager."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from monitoring.alerts.limits import promql
from monitoring.alerts.rules import RECORDS, RULES, Rule
from monitoring.alerts.scenarios import EVALUATION_SECONDS, SCENARIOS, SLOW_SECONDS

Document = dict[str, Any]

#: At 15 s even a lost scrape at each end of five minutes leaves three failures below 3.5; never above 30 s.
SCRAPE_SECONDS = 15
#: `max30d` looks back 30 days; Prometheus's own default forgets after 15.
RETENTION = "45d"
SITE = "https://subiteya.example.com"
RUNBOOK = "{{ $externalLabels.site }}/monitor/runbooks/%s/"
_HOW = "# promtool test rules deploy/prometheus/tests/*.yml\n"
_HEAD = "# Made by `manage.py prometheus_rules` from monitoring/alerts/: change that, and run it again.\n"


def files() -> dict[str, str]:
    """Path below deploy/ → what the file must hold."""
    documents: dict[str, tuple[str, Document]] = {
        "prometheus/prometheus.yml": (
            f"# Start it with --storage.tsdb.retention.time={RETENTION}: 30 days of peaks need more than the default.\n"
            "# `site` is the address that people type; the links in the alerts begin with it.\n",
            prometheus(
                target="web:8000", rules="rules/*.yml", token_file="metrics.token", alertmanager="alertmanager:9093"  # noqa: S106
            ),
        ),
        "prometheus/rules/recording.yml": ("", recording()),
        "prometheus/rules/alerts.yml": ("", alerting()),
        "prometheus/tests/alerts.yml": (_HOW, unit_tests(slow=False)),
        "prometheus/tests/days.yml": (_HOW, unit_tests(slow=True)),
        "alertmanager/alertmanager.yml": (
            "# Fill in the mail server; the key of scope `alerts` goes into alerts.token beside this file.\n",
            alertmanager(),
        ),
    }  # fmt: skip
    return {path: _HEAD + note + text(document) for path, (note, document) in documents.items()}


def differing(folder: Path) -> list[str]:
    """The files below `folder` that are not what the definition says."""
    return [
        name for name, content in files().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content
    ]  # fmt: skip


def text(document: Document) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def recording() -> Document:
    rules = [{"record": record.name, "expr": record.expr} for record in RECORDS]
    return {"groups": [{"name": "subiteya-recording", "rules": rules}]}


def alerting() -> Document:
    return {"groups": [{"name": "subiteya-alerts", "rules": [_alert(rule) for rule in RULES]}]}


def _alert(rule: Rule) -> Document:
    wait = {"for": promql(rule.wait)} if rule.wait else {}
    annotations = {"summary": rule.summary, "description": rule.description, "runbook_url": RUNBOOK % rule.name}
    labels = {"severity": str(rule.severity)}
    return {"alert": rule.name, "expr": rule.expr, **wait, "labels": labels, "annotations": annotations}


def unit_tests(*, slow: bool) -> Document:
    return {
        "rule_files": ["../rules/recording.yml", "../rules/alerts.yml"],
        "evaluation_interval": f"{SLOW_SECONDS if slow else EVALUATION_SECONDS}s",
        "tests": [scenario.document() for scenario in SCENARIOS if scenario.slow == slow],
    }


def prometheus(
    *, target: str, rules: str, token_file: str, alertmanager: str, scheme: str = "http", site: str = SITE,
    seconds: int = SCRAPE_SECONDS,
) -> Document:  # fmt: skip
    """prometheus.yml for one web process at `target`, each `seconds`."""
    return {
        "global": {
            "scrape_interval": f"{seconds}s",
            "scrape_timeout": f"{min(seconds, 10)}s",
            "evaluation_interval": f"{seconds}s",
            "external_labels": {"site": site},
        },
        "rule_files": [rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            {
                "job_name": "subiteya",
                "scheme": scheme,
                "metrics_path": "/metrics",
                "authorization": {"type": "Bearer", "credentials_file": token_file},
                "static_configs": [{"targets": [target]}],
            }
        ],
    }


def alertmanager(
    *, app: str = "http://web:8000", token_file: str = "alerts.token", mail: bool = True,  # noqa: S107
    also: Sequence[str] = (), wait_seconds: int = 10,
) -> Document:  # fmt: skip
    """alertmanager.yml: pages at once and often, tickets once a day; both by mail and to the app at `app`."""
    webhooks = [_webhook(app, token_file), *({"url": url, "send_resolved": True} for url in also)]
    mails = {"email_configs": [{"to": "guardia@agency.example", "send_resolved": True}]} if mail else {}
    smtp = {"smtp_smarthost": "smtp.agency.example:587", "smtp_from": "subiteya@agency.example"} if mail else {}
    routes = [
        {
            "matchers": [f'severity="{severity}"'],
            "receiver": severity,
            "group_wait": f"{wait}s",
            "repeat_interval": again,
        }
        for severity, wait, again in (("page", wait_seconds, "1h"), ("ticket", 3 * wait_seconds, "8h"))
    ]
    return {
        **({"global": smtp} if smtp else {}),
        "route": {
            "receiver": "ticket", "group_by": ["alertname", "site"], "group_wait": f"{wait_seconds}s",
            "group_interval": f"{max(1, 6 * wait_seconds)}s", "repeat_interval": "8h", "routes": routes,
        },
        "inhibit_rules": _inhibitions(),
        "receivers": [{"name": name, **mails, "webhook_configs": webhooks} for name in ("page", "ticket")],
    }  # fmt: skip


def _webhook(app: str, token_file: str) -> Document:
    authorization = {"type": "Bearer", "credentials_file": token_file}
    return {
        "url": f"{app}/api/monitor/alertmanager",
        "send_resolved": True,
        "http_config": {"authorization": authorization, "follow_redirects": False},
    }


def _inhibitions() -> list[Document]:
    sources = sorted({source for rule in RULES for source in rule.muted_by})
    return [
        {
            "source_matchers": [f'alertname="{source}"'],
            "target_matchers": [f'alertname=~"{"|".join(rule.name for rule in RULES if source in rule.muted_by)}"'],
            "equal": ["site"],
        }
        for source in sources
    ]
