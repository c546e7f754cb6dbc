"""Trips to TikTok that somebody tampers with: states, verifiers, redirect addresses, returns that come twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AccountEvent, OAuthAttempt, OAuthToken, TikTokAccount, User
from accounts.services.connections import OAuthRefused, account_disconnect, account_import, oauth_finish, oauth_start
from accounts.services.tokens import AccountNotConnected, access_token_for
from accounts.signals import tiktok_called
from subiteya.lib.crypto import sealed_for
from subiteya.tiktok import Endpoint
from tests.accounts.test_connections import REDIRECT, authorize, imported
from tests.accounts.trips import decide
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(tiktok: Any) -> User:
    tiktok.sandbox.add_account("panaderia")
    return UserFactory(username="ana", language="en")


@pytest.fixture
def browser(ana: User) -> Client:
    client = Client()
    client.force_login(ana)
    return client


def leave(browser: Client, **headers: str) -> str:
    """Press “connect”; the address of TikTok's page."""
    return str(browser.post("/accounts/connect/", headers=headers)["Location"])


def test_it_sends_the_registered_redirect_address_whatever_host_is_asked(browser: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    asked = parse_qs(urlsplit(leave(browser, host="evil.example")).query)

    assert asked["redirect_uri"] == [REDIRECT]
    assert asked["code_challenge_method"] == ["S256"]


def test_it_comes_back_only_with_the_verifier_that_it_left_with(browser: Client, ana: User) -> None:
    path = decide(leave(browser), "panaderia")
    trip = OAuthAttempt.objects.get()
    other = sealed_for(trip, {"code_verifier": "another-verifier-of-at-least-forty-three-characters"})
    OAuthAttempt.objects.filter(pk=trip.pk).update(**other)

    page = browser.get(path, follow=True).content.decode()

    assert "TikTok did not connect the account (invalid_" in page
    assert not TikTokAccount.objects.exists()


def test_it_takes_no_return_with_the_state_of_another_person(browser: Client, ana: User) -> None:
    """Somebody lures ana into finishing their trip, to have her publish to their account, or the other way round."""
    thief = Client()
    thief.force_login(UserFactory())
    path = decide(leave(thief), "panaderia")

    assert "too old or was used" in browser.get(path, follow=True).content.decode()
    assert Client().get(path).status_code == 302
    assert not TikTokAccount.objects.exists()
    assert OAuthAttempt.objects.get().used_at is None


@pytest.mark.parametrize("state", ["", "x", "x" * 5000, "\0", "ñandú"])
def test_it_takes_no_state_that_nobody_left_with(browser: Client, state: str) -> None:
    leave(browser)

    page = browser.get("/accounts/callback/", {"state": state, "code": "code"}, follow=True)

    assert page.status_code == 200
    assert "too old or was used" in page.content.decode()


def test_it_uses_a_state_up_also_when_tiktok_comes_back_with_an_error(browser: Client) -> None:
    address = leave(browser)
    refused = decide(address, "panaderia", action="cancel")
    agreed = decide(address, "panaderia")

    assert "did not give the permission" in browser.get(refused, follow=True).content.decode()
    assert "too old or was used" in browser.get(agreed, follow=True).content.decode()
    assert not TikTokAccount.objects.exists()


def test_it_quotes_an_unknown_error_short_and_escaped(browser: Client) -> None:
    answer = browser.get("/accounts/callback/", {"error": "<script>alert(1)</script>" + "x" * 500}, follow=True)

    text = answer.content.decode()
    assert "<script>alert(1)" not in text
    assert "x" * 65 not in text


def test_it_forgets_the_verifier_when_the_trip_is_over(browser: Client, ana: User) -> None:
    browser.get(decide(leave(browser), "panaderia"))
    assert OAuthAttempt.objects.get().code_verifier == ""

    leave(browser)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        oauth_start(user=ana, account=None, redirect_uri=REDIRECT)

    assert [bool(trip.code_verifier) for trip in OAuthAttempt.objects.order_by("pk")] == [False, False, True]


@pytest.mark.django_db(transaction=True)
def test_it_connects_once_when_the_return_comes_twice_at_once(ana: User) -> None:
    """A double click, or a browser that loads the address again."""
    back = authorize(oauth_start(user=ana, account=None, redirect_uri=REDIRECT), "panaderia")
    outcomes, start = [], threading.Barrier(4)

    def finish() -> None:
        start.wait()
        try:
            oauth_finish(user=ana, state=back["state"], code=back["code"], redirect_uri=REDIRECT)
            outcomes.append("connected")
        except OAuthRefused as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["connected", *["state_invalid"] * 3]
    assert AccountEvent.objects.filter(kind="connected").count() == 1


class Meanwhile:
    """Does something once, after TikTok has answered a refresh and before we have written the answer down."""

    def __init__(self, act: Any) -> None:
        self.act, self.done = act, False

    def __call__(self, endpoint: Endpoint, **_rest: Any) -> None:
        if endpoint == Endpoint.OAUTH_TOKEN and not self.done:
            self.done = True
            self.act()

    def __enter__(self) -> None:
        tiktok_called.connect(self, weak=False)

    def __exit__(self, *_error: Any) -> None:
        tiktok_called.disconnect(self)
        assert self.done


def reconnect(tiktok: Any) -> dict[str, Any]:
    """A person connects the account again; the tokens that they got."""
    answer: dict[str, Any] = tiktok.sandbox.mint_tokens("panaderia")
    account_import(answer=answer, username="panaderia", sector_name="Gastronomía")
    return answer


@pytest.mark.parametrize("given", [{}, {"refresh_token": "rft.revoked"}])
def test_it_keeps_the_tokens_of_a_reconnection_during_a_refresh(tiktok: Any, given: dict[str, str]) -> None:
    """Whether TikTok granted or refused the refresh of the old token: the account has newer ones."""
    account = imported(tiktok, expires_in=60, **given)
    fresh: dict[str, Any] = {}

    with Meanwhile(lambda: fresh.update(reconnect(tiktok))):
        used = access_token_for(account=account)

    token = OAuthToken.objects.get(account=account)
    assert used == token.access_token == fresh["access_token"]
    assert token.refresh_token == fresh["refresh_token"]
    account.refresh_from_db()
    assert account.is_connected


def test_it_brings_no_token_back_to_an_account_that_was_let_go_during_a_refresh(tiktok: Any) -> None:
    account = imported(tiktok, expires_in=60)

    with Meanwhile(lambda: account_disconnect(account=account, reason="by_person")), pytest.raises(AccountNotConnected):
        access_token_for(account=account)

    assert not OAuthToken.objects.filter(account=account).exists()
