"""Messages about alerts reach a real mail server and a real web server, or say why not."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Alert, AlertDelivery, KeyScope
from monitoring.services.alerts import alert_close
from monitoring.services.deliveries import deliveries_send, delivery_send
from monitoring.services.sending import ATTEMPTS
from monitoring.services.webhooks import SIGNATURE, WebhookRefused, webhook_post
from subiteya.lib import env
from tests.factories import TikTokAccountFactory
from tests.monitoring.conftest import with_key
from tests.receivers import mail_server, web_server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def mailbox(settings):
    settings.ALERT_EMAILS = ["guardia@agency.example", "carla@agency.example"]
    with mail_server(settings) as box:
        yield box


@pytest.fixture
def receiver(settings):
    settings.ALERT_WEBHOOK_SECRET = "shared secret"
    settings.SITE_URL = "https://subiteya.example"
    with web_server() as server:
        settings.ALERT_WEBHOOK_URL = f"{server.url}/hook?token=PLANTED"
        yield server


def alert(*channels, **fields):
    account = TikTokAccountFactory(username="luna")
    now = timezone.now()
    values = {"rule": "CircuitOpen", "fingerprint": f"CircuitOpen{{account={account.pk}}}", "severity": "ticket",
              "labels": {"account": "luna"}, "detail": {"account": "@luna"}, "account": account}  # fmt: skip
    row = Alert.objects.create(opened_at=now, seen_at=now, **values | fields)
    for channel in channels:
        AlertDelivery.objects.create(alert=row, channel=channel, next_at=now)
    return row


def test_it_mails_the_beginning_and_the_end(mailbox, clock):
    row = alert("email")
    assert (deliveries_send(), deliveries_send()) == (1, 0)
    clock.shift(90)
    alert_close(row, timezone.now())
    assert deliveries_send() == 1
    (to, first), (_to, second) = mailbox.mails
    assert to == ["guardia@agency.example", "carla@agency.example"]
    assert "@luna" in first["Subject"] and first["Subject"].startswith("[SubiteYa] ")
    assert "https://subiteya.example/monitor/runbooks/CircuitOpen/" in first.get_content()
    assert first["Subject"] != second["Subject"]
    assert AlertDelivery.objects.filter(sent_at=None).count() == 0


def test_it_lets_no_name_write_headers(mailbox):
    alert("email", labels={"account": "luna\r\nBcc: eve@example.com"})
    assert deliveries_send() == 1
    assert mailbox.mails[0][1]["Bcc"] is None
    assert "luna Bcc:" in mailbox.mails[0][1]["Subject"]


def test_it_posts_what_a_receiver_of_alertmanager_understands_and_signs_it(receiver, clock):
    row = alert("webhook")
    clock.shift(3)
    assert deliveries_send() == 1
    ((headers, body),) = receiver.got
    parts = dict(part.split("=") for part in headers[SIGNATURE].split(","))
    expected = hmac.new(b"shared secret", f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    document = json.loads(body)
    (one,) = document["alerts"]
    assert (document["version"], document["status"], one["status"]) == ("4", "firing", "firing")
    assert one["labels"] == {"alertname": "CircuitOpen", "severity": "ticket", "account": "luna"}
    assert one["startsAt"] == "2026-11-23T15:00:00Z" and one["endsAt"] == "0001-01-01T00:00:00Z"
    assert one["annotations"]["runbook_url"] == "https://subiteya.example/monitor/runbooks/CircuitOpen/"
    assert b"shared secret" not in body and b"PLANTED" not in body
    alert_close(row, timezone.now())
    deliveries_send()
    assert json.loads(receiver.got[1][1])["alerts"][0]["endsAt"] == "2026-11-23T15:00:03Z"


def test_its_message_is_taken_by_our_own_receiver(receiver):
    alert("webhook")
    deliveries_send()
    answer = with_key(KeyScope.ALERTS).post(
        "/api/monitor/alertmanager", receiver.got[0][1], content_type="application/json"
    )
    assert answer.status_code == 204
    assert Alert.objects.get(source="alertmanager").rule == "CircuitOpen"


def test_it_tries_again_with_growing_pauses_and_then_gives_up(receiver, clock, caplog):
    receiver.status = 500
    row = alert("webhook")
    waits, last = [], timezone.now()
    for _second in range(12 * 3600 // 15):
        before = len(receiver.got)
        deliveries_send()
        if len(receiver.got) > before:
            waits.append((timezone.now() - last).total_seconds())
            last = timezone.now()
        clock.shift(15)
    assert waits == [0, 30, 60, 120, 240, 480, 960, 1920]
    delivery = AlertDelivery.objects.get()
    assert (delivery.attempts, delivery.sent_at, delivery.error) == (ATTEMPTS, None, "WebhookRefused: HTTP 500")
    assert caplog.text.count("delivery_given_up") == 1
    receiver.status = 200
    alert_close(row, timezone.now())
    assert deliveries_send() == 1  # that it is over is told all the same


def test_it_tells_the_end_only_after_the_beginning(receiver, clock):
    receiver.status = 503
    row = alert("webhook")
    deliveries_send()
    alert_close(row, timezone.now())
    assert deliveries_send() == 0
    receiver.status = 200
    clock.shift(timedelta(hours=1))
    assert (deliveries_send(), deliveries_send()) in ((1, 1), (2, 0))
    assert [json.loads(body)["status"] for _headers, body in receiver.got[-2:]] == ["firing", "resolved"]


def test_it_follows_no_redirect(receiver):
    receiver.status, receiver.location = 307, "http://127.0.0.1:1/elsewhere"
    with pytest.raises(WebhookRefused, match="HTTP 307"):
        webhook_post(alert(), resolved=False)
    assert len(receiver.got) == 1
    receiver.location = ""


def test_it_sends_nothing_larger_than_its_limit(receiver):
    with pytest.raises(WebhookRefused, match="64000 are the most"):
        webhook_post(alert(labels={"account": "x" * 70_000}), resolved=False)
    assert receiver.got == []


def test_it_keeps_the_error_without_the_address(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{server.getsockname()[1]}/?token=PLANTED"
    alert("webhook")
    assert deliveries_send() == 0
    assert AlertDelivery.objects.get().error == "WebhookRefused: no answer (ConnectionError)"


def test_it_gives_up_on_a_server_that_never_answers(settings, monkeypatch):
    monkeypatch.setattr("subiteya.lib.outgoing.TIMEOUT", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(WebhookRefused, match="ReadTimeout"):
            webhook_post(alert(), resolved=False)


def test_it_keeps_what_the_mail_server_said(mailbox):
    mailbox.refuse = True
    alert("email")
    assert deliveries_send() == 0
    assert "go away" in AlertDelivery.objects.get().error


def test_one_of_two_that_send_at_once_sends(receiver):
    alert("webhook")
    twice = [AlertDelivery.objects.get(), AlertDelivery.objects.get()]
    assert [delivery_send(delivery) for delivery in twice] == [True, False]
    assert len(receiver.got) == 1


@pytest.mark.parametrize("address", ["http://hooks.example/x", "ftp://127.0.0.1/x", "//x"])
def test_it_wants_a_safe_address(monkeypatch, address):
    monkeypatch.setenv("SUBITEYA_ALERT_WEBHOOK_URL", address)
    with pytest.raises(env.BadSetting, match="SUBITEYA_ALERT_WEBHOOK_URL must"):
        env.safe_url("SUBITEYA_ALERT_WEBHOOK_URL")


@pytest.mark.parametrize("address", ["https://hooks.example/x", "http://127.0.0.1:9/x", "http://localhost/x"])
def test_it_takes_a_safe_address(monkeypatch, address):
    monkeypatch.setenv("SUBITEYA_ALERT_WEBHOOK_URL", address)
    assert env.safe_url("SUBITEYA_ALERT_WEBHOOK_URL") == address
