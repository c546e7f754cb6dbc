"""Who sees which alerts where, and what to do about them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from monitoring.models import Alert
from publishing.models import AccountCircuit
from tests.factories import TikTokAccountFactory, UserFactory
from tests.monitoring.conftest import verified

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


def alert(rule="CircuitOpen", account=None, closed=False, **fields):
    now = timezone.now()
    detail = {"account": str(account)} if account else {"count": 4, "accounts": "@luna"}
    return Alert.objects.create(
        rule=rule, fingerprint=f"{rule}{account}", account=account, severity="page", opened_at=now, seen_at=now,
        closed_at=now if closed else None, **{"detail": detail} | fields,
    )  # fmt: skip


def text(client, address="/monitor/alerts/"):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_administrators_everything(administrator):
    alert(account=TikTokAccountFactory(username="luna"))
    alert("TikTokApiFailuresBurst", closed=True)
    alert("DiskFull", source="alertmanager", detail={"summary": "disk", "description": "The disk is full."})
    page = text(administrator)
    assert "Nothing goes out on @luna" in page
    assert "4 calls to TikTok failed within five minutes. Accounts: @luna." in page
    assert "The disk is full." in page and "Seen by Prometheus." in page
    assert page.count("/monitor/runbooks/") == 2
    assert "style=" not in page


def test_it_shows_a_cm_only_accounts_in_their_charge(client):
    cm = UserFactory(language="en")
    alert(account=TikTokAccountFactory(username="luna", managers=[cm, UserFactory()]))
    alert(account=TikTokAccountFactory(username="sol"))
    alert("TikTokApiFailuresBurst")
    client.force_login(cm)
    page = text(client)
    assert "@luna" in page
    assert "@sol" not in page and "calls to TikTok failed" not in page and "/monitor/runbooks/" not in page


def test_it_sends_strangers_to_the_log_in(client):
    assert client.get("/monitor/alerts/").status_code == 302
    assert client.get("/monitor/runbooks/CircuitOpen/").status_code == 302


def test_it_stands_on_the_monitor_too(administrator):
    assert 'class="alerts"' not in text(administrator, reverse("monitoring:board"))
    alert(account=TikTokAccountFactory(username="luna"))
    assert "Nothing goes out on @luna" in text(administrator, reverse("monitoring:board"))


def test_it_says_that_nothing_is_wrong(administrator):
    assert "Nothing to worry about" in text(administrator)


def test_it_says_when_nobody_looks(administrator, clock):
    clock.shift(120)
    assert "The scheduler does not work at the moment" in text(administrator)


def test_it_counts_in_the_frame_of_every_page_for_administrators(administrator, client):
    assert "ribbon--alert" not in text(administrator, "/videos/")
    for name in ("luna", "sol"):
        alert(account=TikTokAccountFactory(username=name))
    assert "2 alerts go on" in text(administrator, "/videos/")
    client.force_login(UserFactory(language="en"))
    assert "ribbon--alert" not in text(client, "/videos/")


def test_it_shows_the_runbook_with_what_goes_on(administrator):
    luna = TikTokAccountFactory(username="luna")
    AccountCircuit.objects.create(account=luna, state="open", open_until=timezone.now())
    alert(account=luna)
    page = text(administrator, "/monitor/runbooks/CircuitOpen/")
    assert "<em>Try the first video now</em>" in page
    assert '<pre tabindex="0">manage.py videos --family waiting --json</pre>' in page
    assert '<a href="/admin/publishing/accountcircuit/">' in page
    assert "Nothing goes out on @luna" in page


@pytest.mark.parametrize("name", ["Nonsense", "..", "README"])
def test_it_has_no_other_pages(administrator, name):
    assert administrator.get(f"/monitor/runbooks/{name}/").status_code == 404


def test_it_keeps_runbooks_from_cms():
    assert verified(UserFactory()).get("/monitor/runbooks/CircuitOpen/").status_code == 404


def test_it_asks_the_same_however_many_alerts(administrator, django_assert_max_num_queries):
    for number in range(12):
        alert(account=TikTokAccountFactory(username=f"a{number}"), closed=number % 2)
    with django_assert_max_num_queries(14):
        text(administrator)
