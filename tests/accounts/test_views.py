"""Logging in and out, the language, and the accounts' page with its trips to TikTok."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.models import AccountStatus, OAuthAttempt, OAuthToken, TikTokAccount, User
from accounts.views import health
from publishing.states import VideoStatus
from tests.accounts.trips import decide
from tests.factories import TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return UserFactory(username="ana", language="en")


@pytest.fixture
def client_of_ana(ana: User) -> Client:
    client = Client()
    client.force_login(ana)
    return client


class TestPeople:
    def test_it_lets_in_with_the_right_password_only(self, ana):
        client = Client()
        wrong = client.post("/login/", {"username": "ana", "password": "not this one"})
        assert (wrong.status_code, b'role="alert"' in wrong.content) == (200, True)
        right = client.post("/login/", {"username": "ana", "password": "a long password"})
        assert right["Location"] == "/"
        assert client.get("/login/")["Location"] == "/"

    def test_it_goes_on_to_where_one_wanted_to_go_but_never_away(self, ana):
        fields = {"username": "ana", "password": "a long password"}
        assert Client().post("/login/", fields | {"next": "/new/"})["Location"] == "/new/"
        assert Client().post("/login/", fields | {"next": "https://evil.example/"})["Location"] == "/"

    def test_it_logs_out_by_post_only(self, client_of_ana):
        assert client_of_ana.get("/logout/").status_code == 405
        assert client_of_ana.post("/logout/")["Location"] == "/login/"
        assert client_of_ana.get("/videos/").status_code == 302

    def test_it_remembers_a_persons_language(self, ana, client_of_ana):
        response = client_of_ana.post("/language/", {"language": "es", "next": "/accounts/"})
        assert response["Location"] == "/accounts/"
        assert User.objects.get(pk=ana.pk).language == "es"
        assert '<html lang="es">' in client_of_ana.get("/accounts/").content.decode()

    def test_it_keeps_a_strangers_language_in_a_cookie(self):
        client = Client()
        client.post("/language/", {"language": "en", "next": "/login/"})
        assert '<html lang="en">' in client.get("/login/").content.decode()

    def test_it_takes_no_language_that_it_does_not_speak(self, ana, client_of_ana):
        client_of_ana.post("/language/", {"language": "xx"})
        assert User.objects.get(pk=ana.pk).language == "en"


class TestHealth:
    def test_it_is_good_while_the_access_lasts(self):
        assert health(TikTokAccountFactory()).level == "good"

    @pytest.mark.parametrize(("days", "words"), [(1, "for one more day"), (9, "for 9 more days")])
    def test_it_warns_before_the_access_ends(self, days, words):
        account = TikTokAccountFactory()
        at = timezone.now() + timedelta(days=days, hours=1)
        OAuthToken.objects.filter(account=account).update(refresh_expires_at=at)
        with translation.override("en"):
            found = health(TikTokAccount.objects.get(pk=account.pk))
        assert (found.level, found.days_left) == ("soon", days)
        assert words in found.sentence

    def test_it_says_why_the_access_is_gone(self):
        account = TikTokAccountFactory(status=AccountStatus.DISCONNECTED, status_reason="auth_removed", token=None)
        plain = TikTokAccountFactory(status=AccountStatus.DISCONNECTED, status_reason="never_heard", token=None)
        assert health(account).level == health(plain).level == "lost"
        assert len(health(account).sentence) > len(health(plain).sentence)


class TestPage:
    def test_it_counts_todays_posts_in_the_accounts_own_day(self, ana, client_of_ana):
        account = TikTokAccountFactory(managers=[ana], time_zone="Pacific/Kiritimati")
        midnight = timezone.now().astimezone(account.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for at in (midnight, midnight - timedelta(seconds=1)):
            VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=at)
        html = client_of_ana.get("/accounts/").content.decode()
        assert "<dt>Published today</dt><dd>1</dd>" in html
        assert "(Kiritimati)" in html

    def test_it_says_how_many_videos_wait_for_a_lost_account(self, ana, client_of_ana):
        account = TikTokAccountFactory(managers=[ana], status=AccountStatus.DISCONNECTED, token=None)
        for _ in range(2):
            VideoFactory(account=account, status=VideoStatus.HELD, reason_code="account_disconnected")
        VideoFactory(account=account, status=VideoStatus.FAILED_UPLOAD, reason_code="spam_risk_text")
        html = client_of_ana.get("/accounts/").content.decode()
        assert "2 videos wait." in html
        assert "1 account needs you." in html
        assert "dialog-disconnect" not in html


class TestConnecting:
    @pytest.fixture(autouse=True)
    def site(self, settings, tiktok):
        settings.SITE_URL = "http://127.0.0.1:8000"

    def leave(self, client: Client, path: str = "/accounts/connect/") -> str:
        response = client.post(path)
        assert response.status_code == 302
        return response["Location"]

    def come_back(self, client: Client, path: str) -> str:
        return client.get(path, follow=True).content.decode()

    def test_it_connects_an_account_and_puts_it_in_the_persons_charge(self, ana, client_of_ana, tiktok):
        tiktok.sandbox.add_account("panaderia", nickname="Panadería")
        html = self.come_back(client_of_ana, decide(self.leave(client_of_ana), "panaderia"))
        account = TikTokAccount.objects.get()
        assert (account.username, account.display_name, list(account.managers.all())) == (
            "panaderia",
            "Panadería",
            [ana],
        )
        assert "toast is-done" in html

    def test_it_reconnects_only_the_account_that_was_asked(self, client_of_ana, tiktok):
        for name in ("panaderia", "cafe"):
            tiktok.sandbox.add_account(name)
        self.come_back(client_of_ana, decide(self.leave(client_of_ana), "panaderia"))
        account = TikTokAccount.objects.get()
        path = f"/accounts/{account.pk}/reconnect/"
        other = self.come_back(client_of_ana, decide(self.leave(client_of_ana, path), "cafe"))
        assert "toast is-attention" in other
        assert TikTokAccount.objects.count() == 1
        same = self.come_back(client_of_ana, decide(self.leave(client_of_ana, path), "panaderia"))
        assert "toast is-done" in same

    def test_it_says_how_many_videos_go_on_after_a_reconnection(self, client_of_ana, tiktok):
        tiktok.sandbox.add_account("panaderia")
        self.come_back(client_of_ana, decide(self.leave(client_of_ana), "panaderia"))
        account = TikTokAccount.objects.get()
        for status in (VideoStatus.HELD, VideoStatus.HELD, VideoStatus.CANCELLED):
            VideoFactory(account=account, status=status)

        back = decide(self.leave(client_of_ana, f"/accounts/{account.pk}/reconnect/"), "panaderia")

        assert "@panaderia is connected again; 2 videos that waited go on." in self.come_back(client_of_ana, back)

    def test_it_says_that_the_person_refused(self, client_of_ana, tiktok):
        tiktok.sandbox.add_account("panaderia")
        back = decide(self.leave(client_of_ana), "panaderia", action="cancel")
        assert "You did not give the permission" in self.come_back(client_of_ana, back)
        assert not TikTokAccount.objects.exists()

    def test_it_says_that_the_permission_to_publish_is_missing(self, client_of_ana, tiktok):
        tiktok.sandbox.add_account("panaderia")
        back = decide(self.leave(client_of_ana), "panaderia", scope="user.info.basic")
        assert "without permission to publish" in self.come_back(client_of_ana, back)

    def test_it_takes_a_return_once_and_from_the_same_person(self, client_of_ana, tiktok):
        tiktok.sandbox.add_account("panaderia")
        back = decide(self.leave(client_of_ana), "panaderia")
        stranger = Client()
        stranger.force_login(UserFactory(language="en"))
        assert "too old or was used" in self.come_back(stranger, back)
        assert "is connected" in self.come_back(client_of_ana, back)
        assert "too old or was used" in self.come_back(client_of_ana, back)
        assert TikTokAccount.objects.count() == 1

    def test_it_survives_a_return_without_anything(self, client_of_ana):
        for query in ("", "?code=x", "?error=server_error&error_description=<b>x</b>"):
            html = self.come_back(client_of_ana, f"/accounts/callback/{query}")
            assert "toast is-attention" in html
            assert "<b>x</b>" not in html

    def test_it_gives_the_access_back(self, client_of_ana, tiktok):
        tiktok.sandbox.add_account("panaderia")
        self.come_back(client_of_ana, decide(self.leave(client_of_ana), "panaderia"))
        account = TikTokAccount.objects.get()
        response = client_of_ana.post(f"/accounts/{account.pk}/disconnect/", follow=True)
        account.refresh_from_db()
        assert account.status == AccountStatus.DISCONNECTED
        assert not OAuthToken.objects.exists()
        assert "It was disconnected from here." in response.content.decode()

    def test_it_starts_a_trip_by_post_only(self, client_of_ana):
        assert client_of_ana.get("/accounts/connect/").status_code == 405
        assert not OAuthAttempt.objects.exists()
