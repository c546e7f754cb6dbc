"""Alertmanager's webhook: with a key of its own, once per alert and beginning, in whatever order."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitoring.models import Alert, AlertDelivery, KeyScope
from tests.factories import AdminFactory
from tests.monitoring.conftest import verified, with_key

pytestmark = pytest.mark.django_db
NEVER = "0001-01-01T00:00:00Z"


def one(status="firing", *, starts="2026-11-23T15:00:00.123456789Z", ends=NEVER, fingerprint="abc", **labels):
    return {
        "status": status, "fingerprint": fingerprint, "startsAt": starts, "endsAt": ends, "generatorURL": "http://p/",
        "labels": {"alertname": "TikTokApiFailuresBurst", "severity": "page", "site": "x", **labels},
        "annotations": {"summary": "More than 3", "description": "About 4 calls failed."},
    }  # fmt: skip


def post(*alerts, client=None, **document):
    body = {"version": "4", "status": "firing", "alerts": list(alerts), "receiver": "page", **document}
    client = client or with_key(KeyScope.ALERTS)
    return client.post("/api/monitor/alertmanager", json.dumps(body), content_type="application/json")


def test_it_opens_and_closes():
    assert post(one()).status_code == 204
    alert = Alert.objects.get()
    assert (alert.rule, alert.source, alert.severity, alert.labels) == (
        "TikTokApiFailuresBurst", "alertmanager", "page", {"site": "x"},
    )  # fmt: skip
    assert alert.opened_at == datetime(2026, 11, 23, 15, 0, 0, 123456, tzinfo=UTC)
    assert post(one("resolved", ends="2026-11-23T15:09:00Z")).status_code == 204
    alert.refresh_from_db()
    assert alert.closed_at == datetime(2026, 11, 23, 15, 9, tzinfo=UTC)
    assert not AlertDelivery.objects.exists(), "Alertmanager tells people itself"


def test_it_takes_the_same_message_twice():
    for _time in range(2):
        post(one())
    assert Alert.objects.count() == 1
    for _time in range(2):
        post(one("resolved", ends="2026-11-23T15:09:00Z"))
    assert Alert.objects.count() == 1


def test_it_does_not_reopen_what_ended_when_the_messages_cross():
    post(one("resolved", ends="2026-11-23T15:09:00Z"))
    post(one())
    assert Alert.objects.get().closed_at


def test_it_ends_an_older_beginning_whose_end_was_never_heard():
    post(one())
    post(one(starts="2026-11-23T16:00:00Z"))
    old, new = Alert.objects.order_by("opened_at")
    assert (old.closed_at, new.closed_at) == (new.opened_at, None)
    post(one())  # late, and repeated
    assert Alert.objects.filter(closed_at=None).get() == new


def test_it_records_one_that_is_not_ours():
    post(one(alertname="DiskFull", severity="critical"))
    alert = Alert.objects.get()
    assert (alert.rule, alert.severity) == ("DiskFull", "ticket")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "version"),
        ("[]", "non_field_errors"),
        ("nonsense", "JSON"),
        ({"version": "3", "alerts": []}, "version"),
        ({"version": "4"}, "alerts"),
        ({"version": "4", "alerts": [{"status": "firing"}]}, "fingerprint"),
        ({"version": "4", "alerts": [one(alertname="")]}, "alertname"),
        ({"version": "4", "alerts": [{**one(), "startsAt": "yesterday"}]}, "startsAt"),
        ({"version": "4", "alerts": [{**one(), "status": "odd"}]}, "odd"),
        ({"version": "4", "alerts": [one("resolved", ends="2026-11-22T00:00:00Z")]}, "before it began"),
        ({"version": "4", "alerts": [{**one(), "labels": {"alertname": "x" * 3000}}]}, "2000"),
        ({"version": "4", "alerts": [one()] * 501}, "500"),
    ],
)
def test_it_refuses_other_bodies_with_a_sentence(body, words):
    text = body if isinstance(body, str) else json.dumps(body)
    answer = with_key(KeyScope.ALERTS).post("/api/monitor/alertmanager", text, content_type="application/json")
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Alert.objects.exists()


def test_it_refuses_what_is_too_large():
    answer = post(one(), filler="x" * 1_000_000)
    assert answer.status_code == 413
    assert "1000000 bytes" in answer.json()["detail"]


def test_it_wants_a_key_of_its_own_scope(client):
    assert post(one(), client=client).status_code == 401
    assert post(one(), client=with_key(KeyScope.MONITOR)).status_code == 401
    assert post(one(), client=verified(AdminFactory())).status_code == 401
    assert not Alert.objects.exists()
