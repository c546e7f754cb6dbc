"""The link with which an account's owner reconnects it without a log-in of ours."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AccountEvent, AccountStatus, OAuthToken, TikTokAccount
from accounts.services.connections import account_disconnect, account_import
from accounts.services.invitations import invitation_link
from publishing.states import VideoStatus
from tests.accounts.trips import SITE, decide
from tests.factories import TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def site(settings):
    settings.SITE_URL = SITE
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def lost(tiktok) -> TikTokAccount:
    """@panaderia, in the charge of a CM, whose access is gone."""
    for name in ("panaderia", "cafe"):
        tiktok.sandbox.add_account(name)
    answer = tiktok.sandbox.mint_tokens("panaderia")
    account, _new = account_import(
        answer=answer, username="panaderia", sector_name="Comida", managers=[UserFactory(username="ana")]
    )
    account_disconnect(account=account, reason="auth_removed")
    account.refresh_from_db()
    return account


def path_of(account: TikTokAccount) -> str:
    return invitation_link(account).removeprefix(SITE)


def test_it_reconnects_the_account_without_a_log_in_and_what_waited_goes_on(
    lost, django_capture_on_commit_callbacks
):  # fmt: skip
    video = VideoFactory(account=lost, status=VideoStatus.FAILED_UPLOAD, reason_code="account_disconnected")
    owner, path = Client(), path_of(lost)
    assert "@panaderia" in owner.get(path).content.decode()

    address = owner.post(path)["Location"]
    with django_capture_on_commit_callbacks(execute=True):
        page = owner.get(decide(address, "panaderia")).content.decode()

    lost.refresh_from_db()
    video.refresh_from_db()
    assert "@panaderia is connected again" in page
    assert (lost.status, video.status) == (AccountStatus.CONNECTED, VideoStatus.PENDING)
    assert AccountEvent.objects.first().actor is None
    assert [manager.username for manager in lost.managers.all()] == ["ana"]
    assert owner.get("/accounts/")["Location"].startswith("/login/")


def test_it_works_once(lost):
    path = path_of(lost)
    owner = Client()
    owner.get(decide(owner.post(path)["Location"], "panaderia"))

    assert owner.get(path).status_code == owner.post(path).status_code == 410
    lost.refresh_from_db()
    assert Client().get(path_of(lost)).status_code == 200


@pytest.mark.parametrize(("days", "status"), [(7, 200), (9, 410)])
def test_it_works_for_a_week(lost, days, status):
    path = path_of(lost)
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        assert Client().get(path).status_code == status


def test_it_is_the_same_link_all_day(lost):
    with time_machine.travel("2026-05-04T09:00:00-03:00"):
        morning = invitation_link(lost)
    with time_machine.travel("2026-05-04T18:00:00-03:00"):
        assert invitation_link(lost) == morning


def test_it_connects_no_other_account(lost):
    owner, path = Client(), path_of(lost)

    back = decide(owner.post(path)["Location"], "cafe")
    answer = owner.get(back)

    assert answer.status_code == 422
    assert "another TikTok account" in answer.content.decode()
    assert path in answer.content.decode()
    assert TikTokAccount.objects.count() == 1
    assert not OAuthToken.objects.exists()


def test_it_says_that_the_owner_refused_and_offers_another_try(lost):
    owner, path = Client(), path_of(lost)
    answer = owner.get(decide(owner.post(path)["Location"], "panaderia", action="cancel"))
    assert (answer.status_code, path in answer.content.decode()) == (422, True)
    assert owner.get(path).status_code == 200


def test_it_takes_a_return_only_from_the_browser_that_left(lost):
    back = decide(Client().post(path_of(lost))["Location"], "panaderia")
    member = Client()
    member.force_login(UserFactory(language="en"))

    assert Client().get(back)["Location"].startswith("/login/")
    assert "too old or was used" in member.get(back, follow=True).content.decode()
    assert not OAuthToken.objects.exists()


@pytest.mark.parametrize("token", ["nonsense", "WzEsIiIsIjIwOTktMDEtMDEiXQ:forged"])
def test_it_takes_no_link_that_is_not_ours(lost, token):
    assert Client().get(f"/connect/{token}/").status_code == 410


def test_it_starts_only_so_many_trips_a_minute(lost):
    owner, path = Client(), path_of(lost)
    with time_machine.travel(timezone.now(), tick=False):
        answers = [owner.post(path).status_code for _time in range(11)]
    assert answers == [302] * 10 + [429]


def test_it_offers_the_link_where_the_account_is_lost(client):
    ana = UserFactory(language="en")
    fine = TikTokAccountFactory(managers=[ana])
    gone = TikTokAccountFactory(managers=[ana], status=AccountStatus.DISCONNECTED, token=None)
    client.force_login(ana)

    page = client.get("/accounts/").content.decode()

    assert invitation_link(gone) in page
    assert invitation_link(fine) not in page
