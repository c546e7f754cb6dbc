"""What people and programs are told about an alert."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from monitoring.alerts.rules import BY_NAME
from monitoring.models import Alert, Severity

#: Alertmanager's way to say "not yet".
NEVER = "0001-01-01T00:00:00Z"


def title(alert: Alert) -> str:
    """A few words, in the active language; of an alert that is not ours, its name."""
    rule = BY_NAME.get(alert.rule)
    return str(rule.title) if rule else alert.rule


def sentence(alert: Alert) -> str:
    """What was measured, in the active language; of what Prometheus found, its own words."""
    rule = BY_NAME.get(alert.rule)
    if rule is None or not alert.detail or "summary" in alert.detail:
        return str(alert.detail.get("description") or alert.detail.get("summary", ""))
    return str(rule.sentence).format_map(defaultdict(lambda: "?", alert.detail))


def runbook_url(alert: Alert) -> str:
    """Where it says what to do; empty for an alert that is not ours."""
    return site(reverse("monitoring:runbook", args=[alert.rule])) if alert.rule in BY_NAME else ""


def site(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def mail_subject(alert: Alert, *, resolved: bool) -> str:
    begins = gettext("Now") if alert.severity == Severity.PAGE else gettext("Today")
    head = gettext("Over") if resolved else begins
    account = alert.labels.get("account")
    words = f"[SubiteYa] {head}: {title(alert)}{f' (@{account})' if account else ''}"
    return " ".join(words.split())[:200]  # a line break in a name would be another header


def mail_body(alert: Alert, *, resolved: bool) -> str:
    """Plain text: what, since when, what to do."""
    lines = [sentence(alert), "", gettext("It began: %(when)s") % {"when": _local(alert.opened_at)}]
    if resolved and alert.closed_at:
        lines.append(gettext("It is over: %(when)s") % {"when": _local(alert.closed_at)})
    lines += ["", gettext("What to do: %(url)s") % {"url": runbook_url(alert)}]
    lines.append(gettext("All alerts: %(url)s") % {"url": site(reverse("monitoring:alerts"))})
    return "\n".join(lines) + "\n"


def webhook_body(alert: Alert, *, resolved: bool) -> bytes:
    """One alert in the shape of Alertmanager's webhook, version 4: one receiver understands both."""
    status = "resolved" if resolved else "firing"
    labels = {"alertname": alert.rule, "severity": alert.severity, **alert.labels}
    annotations = {"summary": title(alert), "description": sentence(alert)[:2000], "runbook_url": runbook_url(alert)}
    address = site(reverse("monitoring:alerts"))
    one: dict[str, Any] = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": _utc(alert.opened_at),
        "endsAt": _utc(alert.closed_at) if resolved and alert.closed_at else NEVER,
        "generatorURL": address,
        "fingerprint": alert.fingerprint,
    }
    document = {
        "version": "4", "groupKey": alert.fingerprint, "truncatedAlerts": 0, "status": status, "receiver": "subiteya",
        "groupLabels": {"alertname": alert.rule}, "commonLabels": labels, "commonAnnotations": annotations,
        "externalURL": address, "alerts": [one],
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False).encode()


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _local(at: datetime) -> str:
    return f"{date_format(timezone.localtime(at), 'DATETIME_FORMAT')} ({settings.TIME_ZONE})"
