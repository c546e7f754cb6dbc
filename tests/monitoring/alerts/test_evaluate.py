"""Alerts open once and close once, after they have held for long enough, whoever looks and however often."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from monitoring.alerts import looks
from monitoring.alerts.rules import BY_NAME
from monitoring.models import Alert, AlertDelivery, PendingAlert, TikTokFailure
from monitoring.services.alerts import UNHEARD, Change, alerts_evaluate
from monitoring.services.keeping import prune
from monitoring.services.watching import _asked, claim_look, watch, watch_the_scheduler
from publishing.models import AccountCircuit, Leadership, TikTokOutage, WorkerHeartbeat
from publishing.services.heartbeats import Heart
from publishing.signals import ticked
from tests.factories import TikTokAccountFactory

BURST = "TikTokApiFailuresBurst"


@pytest.fixture
def told(settings):
    settings.ALERT_EMAILS = ["guardia@agency.example"]
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:1/"


def paused(name="luna"):
    return AccountCircuit.objects.create(
        account=TikTokAccountFactory(username=name), state="open", open_until=timezone.now()
    )


@pytest.mark.usefixtures("healthy", "told")
class TestOneLook:
    def test_it_opens_once_and_closes_once(self, fail, clock):
        fail(4)
        assert [alerts_evaluate() for _look in range(3)] == [Change(1, 0), Change(0, 0), Change(0, 0)]
        alert = Alert.objects.get()
        assert (alert.rule, alert.value, alert.severity, alert.closed_at) == (BURST, 4, "page", None)
        assert alert.deliveries.count() == 2
        clock.shift(timedelta(minutes=5))
        WorkerHeartbeat.objects.update(seen_at=timezone.now())
        Leadership.objects.update(until=timezone.now() + timedelta(seconds=15))
        assert alerts_evaluate() == Change(0, 1)
        assert alerts_evaluate() == Change(0, 0)
        alert.refresh_from_db()
        assert alert.closed_at == timezone.now()
        assert alert.deliveries.filter(resolved=True).count() == 2

    def test_it_does_not_open_for_three(self, fail):
        fail(3)
        assert alerts_evaluate() == Change(0, 0)

    def test_it_opens_anew_what_comes_back(self, clock):
        circuit = paused()
        alerts_evaluate()
        AccountCircuit.objects.filter(pk=circuit.pk).update(state="closed")
        clock.shift(1)
        alerts_evaluate()
        AccountCircuit.objects.filter(pk=circuit.pk).update(state="open")
        clock.shift(1)
        alerts_evaluate()
        assert Alert.objects.filter(rule="CircuitOpen").count() == 2
        assert Alert.objects.filter(closed_at=None).get().account_id == circuit.pk

    def test_it_opens_one_for_each_account(self):
        paused("luna"), paused("sol")
        alerts_evaluate()
        assert {alert.labels["account"] for alert in Alert.objects.all()} == {"luna", "sol"}

    def test_it_waits_until_it_has_held_for_long_enough(self, clock):
        WorkerHeartbeat.objects.filter(kind="edit").delete()
        assert alerts_evaluate() == Change(0, 0)
        clock.shift(60)
        assert alerts_evaluate(timezone.now()).opened == 0
        assert PendingAlert.objects.filter(rule="WorkerMissing").exists()
        clock.shift(60)
        alerts_evaluate()
        assert Alert.objects.filter(rule="WorkerMissing", labels={"kind": "edit"}).count() == 1
        assert not PendingAlert.objects.filter(fingerprint="WorkerMissing{kind=edit}").exists()

    def test_it_begins_to_wait_anew_after_a_break(self, clock, alive):
        WorkerHeartbeat.objects.filter(kind="edit").delete()
        alerts_evaluate()
        alive()
        alerts_evaluate()
        assert not PendingAlert.objects.exists()
        WorkerHeartbeat.objects.filter(kind="edit").delete()
        clock.shift(119)
        WorkerHeartbeat.objects.update(seen_at=timezone.now())
        alerts_evaluate()
        assert not Alert.objects.filter(rule="WorkerMissing").exists()

    def test_it_begins_to_wait_anew_when_nobody_looked_for_long(self, clock, alive):
        WorkerHeartbeat.objects.filter(kind="edit").delete()
        alerts_evaluate()
        clock.shift(timedelta(hours=1))
        alive()
        WorkerHeartbeat.objects.filter(kind="edit").delete()
        assert alerts_evaluate() == Change(0, 0)

    def test_it_tells_nobody_about_what_an_outage_explains(self, fail):
        TikTokOutage.objects.create(opened_at=timezone.now(), accounts=3)
        paused()
        fail(4)
        alerts_evaluate()
        assert Alert.objects.count() == 3
        assert {delivery.alert.rule for delivery in AlertDelivery.objects.all()} == {"TikTokOutage"}

    def test_it_goes_on_when_a_rule_cannot_be_looked_at(self, fail, caplog):
        def broken(now):
            raise ZeroDivisionError

        object.__setattr__(BY_NAME["TikTokOutage"], "look", broken)
        try:
            fail(4)
            assert alerts_evaluate() == Change(1, 0)
        finally:
            object.__setattr__(BY_NAME["TikTokOutage"], "look", looks.outage)
        assert "alert_rule_failed" in caplog.text

    def test_it_ends_what_alertmanager_forgot(self, clock):
        now = timezone.now()
        Alert.objects.create(rule="X", fingerprint="x", source="alertmanager", opened_at=now, seen_at=now)
        assert alerts_evaluate() == Change(0, 0)
        clock.shift(UNHEARD + timedelta(seconds=1))
        alerts_evaluate()
        assert Alert.objects.get(rule="X").closed_at

    def test_it_forgets_what_was_over_a_year_ago(self, clock):
        paused()
        alerts_evaluate()
        Alert.objects.update(closed_at=timezone.now())
        clock.shift(timedelta(days=401))
        paused("sol")
        alerts_evaluate()
        prune()
        assert [alert.labels["account"] for alert in Alert.objects.filter(rule="CircuitOpen")] == ["sol", "luna"]
        assert not Alert.objects.filter(closed_at__isnull=False).exists()

    def test_it_tells_nobody_without_an_address(self, fail, settings):
        settings.ALERT_EMAILS, settings.ALERT_WEBHOOK_URL = [], ""
        fail(4)
        alerts_evaluate()
        assert Alert.objects.exists() and not AlertDelivery.objects.exists()


@pytest.mark.usefixtures("healthy")
class TestWhoLooks:
    @pytest.fixture(autouse=True)
    def forget(self):
        _asked["at"] = -1e9

    def test_it_looks_once_a_minute_among_all(self, clock):
        assert [claim_look(timezone.now()) for _process in range(3)] == [True, False, False]
        clock.shift(60)
        assert [claim_look(timezone.now()) for _process in range(3)] == [True, False, False]

    def test_it_looks_when_the_leading_scheduler_ticks(self, fail):
        fail(4)
        assert all(error is None for _receiver, error in ticked.send_robust(None))
        assert Alert.objects.filter(rule=BURST).exists()

    def test_it_leaves_the_look_to_the_scheduler_while_that_works(self, fail):
        fail(4)
        watch_the_scheduler()
        assert not Alert.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_it_is_a_worker_s_when_the_scheduler_is_silent(self, clock):
        clock.shift(61)
        Heart("edit").beat()
        alert = Alert.objects.get(rule="ReconcilerStalled")
        assert alert.closed_at is None
        Leadership.objects.filter(name="reconciler").update(until=timezone.now() + timedelta(seconds=15))
        clock.shift(60)
        Leadership.objects.filter(name="reconciler").update(until=timezone.now() + timedelta(seconds=15))
        watch()
        alert.refresh_from_db()
        assert alert.closed_at


@pytest.mark.django_db(transaction=True)
def test_it_opens_once_and_closes_once_from_many_processes(fail, alive, settings):
    settings.ALERT_EMAILS = ["guardia@agency.example"]

    def together(looks=8):
        barrier, changes = threading.Barrier(looks), []

        def look():
            barrier.wait()
            changes.append(alerts_evaluate())
            connections.close_all()

        threads = [threading.Thread(target=look) for _look in range(looks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(change.opened for change in changes), sum(change.closed for change in changes)

    alive()
    fail(4)
    assert together() == (1, 0)
    TikTokFailure.objects.all().delete()
    assert together() == (0, 1)
    assert AlertDelivery.objects.count() == 2
