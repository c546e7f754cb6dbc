"""Sessions: what ends them, that open tabs do not keep them, and that their person sees and ends them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.browsers import browser_words
from accounts.models import User
from accounts.models_sessions import PersonSession
from tests.accounts.doors import PASSWORD, code_of, enrolled, logged_in, wholly_in
from tests.factories import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db
LOG_IN, SECURITY = "/login/", "/security/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.mark.parametrize(("factory", "lives", "dies"), [(AdminFactory, 29, 31), (UserFactory, 11 * 60, 12 * 60 + 1)])
def test_it_ends_what_is_left_alone_and_comes_back_to_the_page(factory: Any, lives: int, dies: int) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = logged_in(factory(language="en"))
        clock.shift(timedelta(minutes=lives))
        assert client.get("/accounts/").status_code == 200
        clock.shift(timedelta(minutes=dies))
        sent = client.get("/accounts/?page=2")
        page = client.get(sent["Location"])

    assert sent["Location"] == f"{LOG_IN}?why=idle&next=/accounts/%3Fpage%3D2"
    assert "hacía un rato que no hacías nada" in page.content.decode()
    assert not PersonSession.objects.exists()


def test_it_ends_after_its_time_however_busy_one_was() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = logged_in(AdminFactory())
        for _turn in range(28):
            clock.shift(timedelta(minutes=25))
            assert client.get("/accounts/").status_code == 200
        clock.shift(timedelta(minutes=25))

        assert client.get("/accounts/")["Location"].startswith(f"{LOG_IN}?why=old")


@pytest.mark.parametrize("page", ["/videos/live/", "/notices/bell/", "/today/live/", "/monitor/live/"])
def test_it_is_not_kept_alive_by_a_page_that_asks_by_itself(page: str) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = logged_in(AdminFactory())
        for _turn in range(3):
            clock.shift(timedelta(minutes=9))
            assert client.get(page, headers={"HX-Request": "true"}).status_code in {200, 204, 304}
        clock.shift(timedelta(minutes=9))
        ended = client.get(page, headers={"HX-Request": "true"})

    assert (ended.status_code, ended["Log-In-At"]) == (401, f"{LOG_IN}?why=idle")


def test_it_tells_scripts_why_and_sends_a_form_back_to_its_page() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        clients = [logged_in(AdminFactory(language="en")) for _one in range(2)]
        clock.shift(timedelta(hours=1))
        script = clients[0].get("/videos/", headers={"Accept": "application/json"})
        form = clients[1].post("/accounts/connect/", headers={"Referer": "http://testserver/accounts/?x=1"})

    assert script.status_code == 401
    assert script.json()["error"]
    assert form["Location"] == f"{LOG_IN}?why=idle&next=/accounts/%3Fx%3D1"


def test_it_lists_where_one_is_logged_in() -> None:
    user = UserFactory(language="en")
    here = logged_in(user, headers={"User-Agent": FIREFOX}, REMOTE_ADDR="198.51.100.7")
    logged_in(user, headers={"User-Agent": PHONE})
    logged_in(UserFactory())

    page = here.get(SECURITY).content.decode()

    assert "Firefox on Linux" in page
    assert "198.51.100.7" in page
    assert "Safari on iPhone" in page
    assert page.count("this one") == 1
    assert page.count("Log out there") == 1


def test_it_ends_one_at_its_next_request_and_nobody_else_s() -> None:
    user, stranger = UserFactory(), UserFactory()
    here, there, other = logged_in(user), logged_in(user), logged_in(stranger)
    rows = {client: client.session["person_session"] for client in (here, there, other)}

    assert here.post(f"/security/sessions/{rows[other]}/end/").status_code == 404
    assert here.post(f"/security/sessions/{rows[there]}/end/")["Location"] == SECURITY

    assert there.get("/accounts/")["Location"].startswith(f"{LOG_IN}?why=ended")
    assert here.get("/accounts/").status_code == 200
    assert other.get("/accounts/").status_code == 200


def test_it_ends_all_others_at_once_and_itself_as_a_log_out() -> None:
    user = UserFactory(language="en")
    here, *others = [logged_in(user) for _one in range(3)]

    told = here.post("/security/sessions/end/", follow=True).content.decode()

    assert "2 other sessions are over." in told
    assert [client.get("/accounts/").status_code for client in (here, *others)] == [200, 302, 302]
    assert here.post(f"/security/sessions/{here.session['person_session']}/end/")["Location"] == LOG_IN
    assert here.get("/accounts/").status_code == 302


def test_it_forgets_a_session_that_logged_out() -> None:
    client = logged_in(UserFactory())
    client.post("/logout/")

    assert not PersonSession.objects.exists()


def test_it_ends_and_lists_no_session_from_before_a_new_password() -> None:
    user = UserFactory()
    here, there = logged_in(user), logged_in(user)
    new = "another long one 7"

    kept = here.post("/security/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert kept["Location"] == SECURITY
    assert there.get("/accounts/").status_code == 302
    assert here.get(SECURITY).content.decode().count("<li>") == here.get(SECURITY).content.decode().count("</li>")
    assert len(here.get(SECURITY).context["sessions"]) == 1


def test_it_goes_on_after_the_code_and_after_setting_up_a_phone() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = wholly_in(user, device)

    assert client.get("/accounts/").status_code == 200
    assert [shown.this for shown in client.get(SECURITY).context["sessions"]] == [True]


def test_it_takes_no_session_whose_row_is_somebody_else_s() -> None:
    client, other = logged_in(UserFactory()), logged_in(UserFactory())
    session = client.session
    session["person_session"] = other.session["person_session"]
    session.save()

    assert client.get("/accounts/")["Location"].startswith(f"{LOG_IN}?why=ended")
    assert other.get("/accounts/").status_code == 200


def test_it_lets_an_administrator_end_the_sessions_of_people() -> None:
    lost, third, client = UserFactory(), UserFactory(), Client()
    theirs, one = logged_in(lost), logged_in(third)
    client.force_login(AdminFactory())

    client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "end_sessions", "_selected_action": [lost.pk], "confirmed": "yes"},
    )
    client.post(
        reverse("admin:accounts_personsession_changelist"),
        {"action": "end", "_selected_action": [one.session["person_session"]]},
    )

    assert theirs.get("/accounts/").status_code == 302
    assert one.get("/accounts/").status_code == 302
    assert "session_key" not in client.get(reverse("admin:accounts_personsession_changelist")).content.decode()


def test_it_offers_a_second_step_to_community_managers() -> None:
    page = logged_in(UserFactory(language="en")).get(SECURITY).content.decode()

    assert "/security/enrol/" in page


def test_it_holds_the_cookies_to_https_where_the_site_is(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.COOKIE_PREFIX = "__Host-"
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    user = UserFactory()
    client = Client()
    client.get(LOG_IN, secure=True)
    client.post(LOG_IN, {"username": user.username, "password": PASSWORD}, secure=True)

    for name in ("__Host-sessionid", "__Host-csrftoken", "__Host-device"):
        cookie = client.cookies[name]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax"), name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_it_names_browsers(text: str, words: str) -> None:
    with translation.override("en"):
        assert browser_words(text) == words


def test_it_counts_a_code_as_the_same_session() -> None:
    user: User = UserFactory()
    device, _codes = enrolled(user)
    client = logged_in(user)
    before = client.session["person_session"]
    client.post("/login/code/", {"code": code_of(device)})

    assert client.session["person_session"] == before


def test_it_forgets_what_nobody_came_back_to() -> None:
    with time_machine.travel(timezone.now() - timedelta(days=400)):
        logged_in(UserFactory())
    logged_in(UserFactory())

    assert Session.objects.count() == 1
