"""The set-up check: every line in each of its states, and only what concerns the person."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from publishing.checks import children_have_no_network, network_messages
from publishing.editing.isolation import Isolation, available
from publishing.models import CreatorLimits, WebhookReceipt, WorkerHeartbeat, WorkerKind
from publishing.services.setup import State, account_checks, installation_lines, network_line
from tests.factories import AdminFactory, TikTokAccountFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def account(ana):
    account = TikTokAccountFactory(username="panaderia", managers=[ana])
    every = "user.info.basic,user.info.profile,user.info.stats,video.publish,video.upload,video.list"
    OAuthToken.objects.filter(account=account).update(scope=every)
    return account


@pytest.fixture
def admin():
    return AdminFactory()


def of_account(user) -> dict[str, tuple[State, str]]:
    (check,) = account_checks(user)
    return {line.title: (line.state, line.action) for line in check.lines}


def of_installation(user) -> dict[str, State]:
    return {line.title: line.state for line in installation_lines(user)}


def limited(account, *levels: str) -> None:
    CreatorLimits.objects.create(account=account, privacy_levels=list(levels), seen_at=timezone.now())


def test_it_finds_an_account_in_order(ana, account, settings):
    settings.TIKTOK_AUDITED = True
    limited(account, "PUBLIC_TO_EVERYONE", "SELF_ONLY")
    assert of_account(ana) == {
        "Connection": (State.GOOD, ""),
        "Permissions": (State.GOOD, ""),
        "Public or private": (State.GOOD, "ask"),
    }


def test_it_warns_of_a_public_account_before_the_audit(ana, account, settings):
    settings.TIKTOK_AUDITED = False
    assert of_account(ana)["Public or private"] == (State.CHECK, "ask")
    limited(account, "PUBLIC_TO_EVERYONE", "SELF_ONLY")
    assert of_account(ana)["Public or private"] == (State.BAD, "ask")
    CreatorLimits.objects.update(privacy_levels=["FOLLOWER_OF_CREATOR", "SELF_ONLY"])
    assert of_account(ana)["Public or private"] == (State.GOOD, "ask")


@pytest.mark.parametrize(
    ("scope", "state"),
    [("user.info.basic,video.publish,video.upload", State.CHECK), ("user.info.basic,video.upload", State.BAD)],
)
def test_it_names_missing_permissions(ana, account, as_ana, scope, state):
    OAuthToken.objects.update(scope=scope)
    assert of_account(ana)["Permissions"] == (state, "reconnect")
    page = as_ana.get("/setup/").content.decode()
    assert "video.list" in page
    assert f"/accounts/{account.pk}/reconnect/" in page


@pytest.mark.parametrize(("days", "state"), [(200, State.GOOD), (20, State.CHECK), (-1, State.BAD)])
def test_it_counts_the_days_of_the_connection(ana, account, days, state):
    OAuthToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=days, hours=1))
    assert of_account(ana)["Connection"][0] == state


def test_it_says_only_that_a_lost_account_is_lost(ana, account):
    TikTokAccount.objects.update(status=AccountStatus.DISCONNECTED)
    assert of_account(ana) == {"Connection": (State.BAD, "reconnect")}


def test_it_shows_the_machinery_to_administrators_alone(ana, admin, settings):
    settings.TIKTOK_AUDITED, settings.NOTICE_MAILS = False, False
    assert of_installation(ana) == {"TikTok's audit of the app": State.CHECK, "E-mail": State.CHECK}
    settings.TIKTOK_AUDITED, settings.NOTICE_MAILS = True, True
    now = timezone.now()
    for kind, age in ((WorkerKind.EDIT, 5), (WorkerKind.UPLOAD, 300)):
        seen = now - timedelta(seconds=age)
        WorkerHeartbeat.objects.create(name=kind, kind=kind, host="h", pid=1, started_at=seen, seen_at=seen)
    assert of_installation(admin) == {
        "TikTok's audit of the app": State.GOOD,
        "E-mail": State.GOOD,
        "TikTok's webhooks": State.CHECK,
        "Process: Edit": State.GOOD,
        "Process: Upload": State.BAD,
        "Process: Scheduler": State.BAD,
        "Store of files": State.GOOD,
        "Room for the work": of_installation(admin)["Room for the work"],
        "Network of the video programs": of_installation(admin)["Network of the video programs"],
    }
    WebhookReceipt.objects.create(body_sha256="0" * 64, event="e", received_at=now)
    assert of_installation(admin)["TikTok's webhooks"] == State.GOOD


@pytest.mark.parametrize(
    ("wish", "found", "state", "check"),
    [
        ("auto", Isolation.NETWORK, State.GOOD, []),
        ("auto", Isolation.NONE, State.CHECK, ["publishing.W003"]),
        ("required", Isolation.NONE, State.BAD, ["publishing.E003"]),
        ("required", Isolation.USER_AND_NETWORK, State.GOOD, []),
        ("off", Isolation.NETWORK, State.CHECK, []),
    ],
)
def test_it_says_whether_readers_of_files_have_a_network(wish, found, state, check):
    assert network_line(wish, found).state == state
    assert [message.id for message in network_messages(wish, found)] == check


def test_it_looks_at_the_network_of_this_host(admin, settings):
    found = available()
    for wish in ("auto", "required"):
        settings.MEDIA_NETWORK = wish
        assert of_installation(admin)["Network of the video programs"] == network_line(wish, found).state
        assert children_have_no_network(None) == network_messages(wish, found)
    settings.MEDIA_NETWORK = "off"
    assert of_installation(admin)["Network of the video programs"] == State.CHECK
    assert children_have_no_network(None) == []


def test_it_leaves_nothing_in_the_store_and_tells_when_it_cannot_be_written(admin, settings, tmp_path):
    bucket = settings.MEDIA_ROOT
    assert of_installation(admin)["Store of files"] == State.GOOD
    assert not [path for path in bucket.rglob("*") if path.is_file()]
    settings.MEDIA_ROOT = tmp_path / "a file"
    settings.MEDIA_ROOT.write_text("in the way")
    assert of_installation(admin)["Store of files"] == State.BAD


def test_it_shows_each_person_their_accounts_and_no_secret(account, as_ana, as_bruno, admin, settings):
    settings.TIKTOK_CLIENT_SECRET = "very-secret"
    token = OAuthToken.objects.get()
    assert "@panaderia" in as_ana.get("/setup/").content.decode()
    assert "@panaderia" not in as_bruno.get("/setup/").content.decode()
    page = logged_in(admin).get("/setup/").content.decode()
    assert f"{settings.SITE_URL}/webhooks/tiktok/" in page
    for secret in (token.access_token, token.refresh_token, settings.TIKTOK_CLIENT_SECRET, settings.SECRET_KEY):
        assert secret not in page


def test_it_asks_no_query_per_account(admin, django_assert_max_num_queries):
    TikTokAccountFactory.create_batch(6)
    with django_assert_max_num_queries(4):
        account_checks(admin)


def test_it_links_the_ribbon_to_the_check(as_ana, settings):
    settings.TIKTOK_AUDITED = False
    assert re.search(r'class="ribbon">.*?<a href="/setup/">', as_ana.get("/videos/").content.decode(), re.DOTALL)


@pytest.mark.django_db(transaction=True)  # TikTok is asked in threads
def test_it_asks_tiktok_and_shows_the_answer(connect, cm, redis):
    account, client = connect(), logged_in(cm)
    assert client.post(f"/setup/{account.pk}/ask/").url == "/setup/"
    assert CreatorLimits.objects.get(account=account).privacy_levels
    assert "TikTok" in client.get("/setup/").content.decode()


def test_it_says_why_tiktok_did_not_answer(as_ana, account, redis):
    TikTokAccount.objects.update(status=AccountStatus.DISCONNECTED)
    page = as_ana.post(f"/setup/{account.pk}/ask/", follow=True).content.decode()
    assert "is-attention" in page
    assert not CreatorLimits.objects.exists()
