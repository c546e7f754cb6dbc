"""People and TikTok accounts in the admin."""

from __future__ import annotations

import pytest
import requests
from django.urls import reverse

from accounts.models import AccountEvent, OAuthToken, TikTokAccount, User
from accounts.services.connections import account_import
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/tiktokaccount/"


@pytest.fixture
def administrator(client):
    client.force_login(AdminFactory(username="carla", language="en"))
    return client


def act(client, action, *accounts, **answers):
    data = {"action": action, "_selected_action": [account.pk for account in accounts], **answers}
    return client.post(LIST, data, follow=True)


def told(answer):
    return [str(message) for message in answer.context["messages"]]


def imported(tiktok, username="panaderia", **token):
    tiktok.sandbox.add_account(username)
    answer = tiktok.sandbox.mint_tokens(username) | token
    return account_import(answer=answer, username=username, sector_name="Gastronomía")[0]


class TestDisconnecting:
    def test_it_asks_first_and_for_a_reason(self, administrator):
        account = TikTokAccountFactory()
        asked = act(administrator, "disconnect", account)
        assert asked.template_name == "admin/confirm_action.html"
        answer = act(administrator, "disconnect", account, confirmed="yes", reason="because")
        assert answer.context["form"].errors.keys() == {"reason"}
        account.refresh_from_db()
        assert account.is_connected

    def test_it_revokes_forgets_and_says_why(self, administrator, tiktok):
        account, gone = imported(tiktok), TikTokAccountFactory(status="disconnected", token=None)
        access = account.token.access_token
        answer = act(administrator, "disconnect", account, gone, confirmed="yes", reason="client_left")
        account.refresh_from_db()
        assert (account.status, account.status_reason) == ("disconnected", "client_left")
        assert not OAuthToken.objects.exists()
        event = AccountEvent.objects.get(account=account, kind="disconnected")
        assert (event.actor.username, event.reason) == ("carla", "client_left")
        assert told(answer) == ["Disconnected: 1.", f"1 is not possible ({gone}): it is disconnected already."]
        address = f"{tiktok.url}/v2/user/info/?fields=open_id"
        reply = requests.get(address, headers={"Authorization": f"Bearer {access}"}, timeout=10)
        assert reply.json()["error"]["code"] == "access_token_invalid"
        assert "the client left the agency" in administrator.get(LIST).content.decode()


class TestRefreshing:
    def test_it_refreshes_now_and_says_which_it_could_not(self, administrator, tiktok):
        account = imported(tiktok)
        revoked = imported(tiktok, "fogon", refresh_token="rft.revoked")
        before = account.token.access_token
        answer = act(administrator, "refresh_now", account, revoked)
        assert OAuthToken.objects.get(account=account).access_token != before
        done, refused = told(answer)
        assert done == "Refreshed: 1."
        assert refused == "1 is not possible (@fogon): it is not connected: reconnect it through TikTok."

    def test_it_quotes_tiktoks_code(self, administrator, settings):
        settings.TIKTOK_API_BASE = "http://127.0.0.1:9"  # nobody listens there
        (refused,) = told(act(administrator, "refresh_now", TikTokAccountFactory()))
        assert refused.endswith("TikTok answered unavailable.")


class TestAccounts:
    def test_it_connects_and_reconnects_through_tiktok(self, administrator, tiktok):
        account = TikTokAccountFactory()
        connect, reconnect = (
            reverse("accounts:account_connect"),
            reverse("accounts:account_reconnect", args=[account.pk]),
        )
        assert f'action="{connect}"' in administrator.get(LIST).content.decode()
        assert f'action="{reconnect}"' in administrator.get(f"{LIST}{account.pk}/change/").content.decode()
        assert administrator.post(reconnect)["Location"].startswith(tiktok.url)
        assert administrator.get(f"{LIST}add/").status_code == 403
        assert administrator.post(f"{LIST}{account.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_it_changes_who_is_in_charge_and_never_who_it_is(self, administrator):
        account, cm = TikTokAccountFactory(username="panaderia"), UserFactory()
        inlines = {f"{name}-{form}_FORMS": 0 for name in ("brand", "events") for form in ("TOTAL", "INITIAL")}
        data = {
            "username": "otra", "open_id": "other", "status": "disconnected", "sector": account.sector_id,
            "time_zone": "America/Lima", "managers": [cm.pk], **inlines,
        }  # fmt: skip
        assert administrator.post(f"{LIST}{account.pk}/change/", data).status_code == 302
        changed = TikTokAccount.objects.get()
        assert (changed.time_zone, list(changed.managers.all())) == ("America/Lima", [cm])
        assert (changed.username, changed.open_id, changed.status) == ("panaderia", account.open_id, "connected")
        answer = administrator.post(f"{LIST}{account.pk}/change/", data | {"time_zone": "Mars/Base"})
        assert "time_zone" in answer.context["adminform"].form.errors

    def test_it_says_how_long_the_tokens_live(self, administrator):
        account = TikTokAccountFactory()
        text = administrator.get(f"{LIST}{account.pk}/change/").content.decode()
        assert "19\xa0hours" in text
        assert "video.publish" in text


class TestPeople:
    def test_it_adds_a_person_and_gives_them_accounts(self, administrator):
        account = TikTokAccountFactory()
        fields = {
            "username": "lucia",
            "usable_password": "true",
            "password1": "largo y raro",
            "password2": "largo y raro",
        }
        inline = {"TikTokAccount_managers-TOTAL_FORMS": 0, "TikTokAccount_managers-INITIAL_FORMS": 0}
        assert administrator.post("/admin/accounts/user/add/", fields | inline).status_code == 302
        lucia = User.objects.get(username="lucia")
        assert (lucia.check_password("largo y raro"), lucia.language, lucia.is_staff) == (True, "es", False)
        change = {
            "username": "lucia", "language": "en", "is_active": "on", "role": "approver",
            "TikTokAccount_managers-TOTAL_FORMS": 1,
            "TikTokAccount_managers-INITIAL_FORMS": 0, "TikTokAccount_managers-0-tiktokaccount": account.pk,
            "TikTokAccount_managers-0-user": lucia.pk,
        }  # fmt: skip
        assert administrator.post(f"/admin/accounts/user/{lucia.pk}/change/", change).status_code == 302
        lucia.refresh_from_db()
        assert (lucia.language, lucia.role, list(lucia.accounts.all())) == ("en", "approver", [account])
