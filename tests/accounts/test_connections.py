"""Connecting accounts: state once, PKCE, the right account, tokens that are never lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import AccountEvent, AccountStatus, OAuthAttempt, OAuthToken, TikTokAccount
from accounts.services import tokens
from accounts.services.connections import (
    ImportInvalid,
    OAuthRefused,
    account_disconnect,
    account_import,
    oauth_finish,
    oauth_start,
)
from accounts.services.tokens import AccountNotConnected, access_token_for
from subiteya.tiktok import LocalFailure
from tests.factories import TikTokAccountFactory, UserFactory

pytestmark = pytest.mark.django_db

REDIRECT = "http://127.0.0.1:8000/accounts/callback/"


@pytest.fixture
def user():
    return UserFactory()


def authorize(url, username):
    """Walk TikTok's page as a person who picks `username`; answer what it sends back to us."""
    page = requests.get(url, timeout=10)
    assert page.status_code == 200
    scopes = parse_qs(urlsplit(url).query)["scope"][0].split(",")
    form = {"username": username, "scope": scopes, "action": "allow"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code in {302, 303}, answer.text[:500]
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def connect(user, username, account=None):
    back = authorize(oauth_start(user=user, account=account, redirect_uri=REDIRECT), username)
    return oauth_finish(user=user, state=back["state"], code=back["code"], redirect_uri=REDIRECT)


def test_it_connects_an_account_and_puts_its_cm_in_charge(tiktok, user):
    tiktok.sandbox.add_account("panaderia", nickname="La Panadería")
    account, new = connect(user, "panaderia")
    assert new
    assert (account.username, account.display_name) == ("panaderia", "La Panadería")
    assert list(account.managers.all()) == [user]
    assert account.token.expires_at > timezone.now() + timedelta(hours=1)


def test_it_uses_a_state_once_and_only_for_its_person_and_ten_minutes(tiktok, user):
    tiktok.sandbox.add_account("panaderia")
    back = authorize(oauth_start(user=user, account=None, redirect_uri=REDIRECT), "panaderia")
    with pytest.raises(OAuthRefused, match="state_invalid"):
        oauth_finish(user=UserFactory(), state=back["state"], code=back["code"], redirect_uri=REDIRECT)
    oauth_finish(user=user, state=back["state"], code=back["code"], redirect_uri=REDIRECT)
    with pytest.raises(OAuthRefused, match="state_invalid"):
        oauth_finish(user=user, state=back["state"], code=back["code"], redirect_uri=REDIRECT)
    late = authorize(oauth_start(user=user, account=None, redirect_uri=REDIRECT), "panaderia")
    with (
        time_machine.travel(timezone.now() + timedelta(minutes=11)),
        pytest.raises(OAuthRefused, match="state_invalid"),
    ):
        oauth_finish(user=user, state=late["state"], code=late["code"], redirect_uri=REDIRECT)


def test_it_keeps_the_state_hashed_and_the_verifier_encrypted(tiktok, user):
    url = oauth_start(user=user, account=None, redirect_uri=REDIRECT)
    state = parse_qs(urlsplit(url).query)["state"][0]
    attempt = OAuthAttempt.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT state_hash, code_verifier FROM accounts_oauthattempt")
        row = cursor.fetchone()
    assert state not in row[0]
    assert attempt.code_verifier not in row[1]


def test_it_refuses_to_reconnect_with_another_account(tiktok, user):
    for name in ("panaderia", "otra"):
        tiktok.sandbox.add_account(name)
    account, _new = connect(user, "panaderia")
    with pytest.raises(OAuthRefused, match="other_account"):
        connect(user, "otra", account=account)


def test_it_does_not_hand_an_account_to_a_cm_who_is_not_in_charge(tiktok, user):
    tiktok.sandbox.add_account("panaderia")
    connect(user, "panaderia")
    with pytest.raises(OAuthRefused, match="not_in_charge"):
        connect(UserFactory(), "panaderia")


def imported(tiktok, username="panaderia", **token):
    tiktok.sandbox.add_account(username)
    answer = tiktok.sandbox.mint_tokens(username) | token
    return account_import(answer=answer, username=username, sector_name="Gastronomía")[0]


def test_it_takes_lifetimes_from_tiktoks_answer(tiktok):
    account = imported(tiktok, expires_in=7200, refresh_expires_in=86400)
    assert timedelta(seconds=7190) < account.token.expires_at - timezone.now() <= timedelta(seconds=7200)
    assert account.token.refresh_expires_at - timezone.now() <= timedelta(days=1)


def test_it_imports_the_same_account_once(tiktok):
    assert imported(tiktok).pk == imported(tiktok).pk
    assert TikTokAccount.objects.count() == 1


@pytest.mark.parametrize("field", ["open_id", "access_token", "expires_in", "scope"])
def test_it_names_the_field_that_an_import_lacks(tiktok, field):
    tiktok.sandbox.add_account("panaderia")
    answer = tiktok.sandbox.mint_tokens("panaderia")
    del answer[field]
    with pytest.raises(ImportInvalid) as invalid:
        account_import(answer=answer, username="panaderia", sector_name="Gastronomía")
    assert invalid.value.field == field
    assert not TikTokAccount.objects.exists()


def test_it_refreshes_an_old_token_and_stores_the_rotated_one(tiktok):
    account = imported(tiktok, expires_in=60)
    old = OAuthToken.objects.get(account=account)
    fresh = access_token_for(account=account)
    new = OAuthToken.objects.get(account=account)
    assert fresh == new.access_token != old.access_token
    assert new.refresh_token != old.refresh_token


def test_it_never_overwrites_a_refresh_token_with_an_empty_one(tiktok):
    tiktok.sandbox.configure(refresh="empty")
    account = imported(tiktok, expires_in=60)
    old = OAuthToken.objects.get(account=account)
    access_token_for(account=account)
    assert OAuthToken.objects.get(account=account).refresh_token == old.refresh_token


def test_it_marks_an_account_whose_refresh_token_is_refused(tiktok):
    account = imported(tiktok, expires_in=60, refresh_token="rft.revoked")
    with pytest.raises(AccountNotConnected):
        access_token_for(account=account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (AccountStatus.DISCONNECTED, "refresh_refused")
    assert not OAuthToken.objects.filter(account=account).exists()


def test_it_revokes_and_forgets_the_tokens_of_a_disconnected_account(tiktok):
    account = imported(tiktok)
    access = account.token.access_token
    account_disconnect(account=account, reason="by_person")
    assert not OAuthToken.objects.filter(account=account).exists()
    reply = requests.get(
        f"{tiktok.url}/v2/user/info/?fields=open_id", headers={"Authorization": f"Bearer {access}"}, timeout=10
    )
    assert reply.json()["error"]["code"] == "access_token_invalid"
    assert AccountEvent.objects.filter(account=account, kind="disconnected").count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_refreshes_once_when_many_ask_at_the_same_time(tiktok):
    account = imported(tiktok, expires_in=60)
    tokens, barrier = [], threading.Barrier(5)

    def ask():
        barrier.wait()
        tokens.append(access_token_for(account=TikTokAccount.objects.get(pk=account.pk)))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens)) == 1
    assert AccountEvent.objects.filter(account=account, kind="refreshed").count() == 1


def test_it_does_not_take_an_account_for_lost_when_its_refresher_died(tiktok, monkeypatch):
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.3)
    account = imported(tiktok, expires_in=60)
    OAuthToken.objects.filter(account=account).update(refresh_claimed_until=timezone.now() + timedelta(seconds=50))
    with pytest.raises(LocalFailure) as failure:
        access_token_for(account=account)
    assert (failure.value.retryable, failure.value.code) == (True, "unavailable")
    with time_machine.travel(timezone.now() + timedelta(seconds=51)):
        assert access_token_for(account=account)


def test_it_shows_a_person_only_the_accounts_in_their_charge(user):
    mine = TikTokAccountFactory(managers=[user])
    TikTokAccountFactory()
    assert list(TikTokAccount.objects.for_user(user)) == [mine]
    assert TikTokAccount.objects.for_user(UserFactory(is_staff=True)).count() == 2
