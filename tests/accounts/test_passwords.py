"""A new password by mail: once, for an hour, the same answer for everybody, and never past the second factor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from accounts.services.throttle import mail_may_go
from tests.accounts.doors import CODE, code_of, enrolled, logged_in, try_password, wholly_in
from tests.factories import UserFactory
from tests.processes import wait_for

pytestmark = pytest.mark.django_db
ASK, NEW = "/password/", "a brand new one 8"


@pytest.fixture(autouse=True)
def mails(settings: Any) -> None:
    settings.HAS_MAIL_SERVER = True
    settings.SITE_URL = "http://testserver"


def link_for(user: Any) -> str:
    Client().post(ASK, {"email": user.email.upper()})
    wait_for(lambda: mail.outbox)
    return str(next(line for line in mail.outbox[-1].body.splitlines() if line.startswith("http")))


def choose(client: Client, link: str, password: str = NEW) -> Any:
    page = client.get(link, follow=True)
    return client.post(page.request["PATH_INFO"], {"new_password1": password, "new_password2": password})


def test_it_sets_a_new_password_and_logs_nobody_in() -> None:
    user = UserFactory(language="en")
    client = Client()

    done = choose(client, link_for(user))

    assert "A new password" in mail.outbox[0].subject
    assert mail.outbox[0].to == [user.email]
    assert done["Location"] == "/login/?why=password"
    assert client.get("/accounts/")["Location"].startswith("/login/")
    assert try_password(client, user.username).status_code == 200
    assert try_password(client, user.username, NEW).status_code == 302


def test_it_still_wants_the_code_afterwards() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = Client()
    choose(client, link_for(user))
    try_password(client, user.username, NEW)

    assert client.get("/accounts/")["Location"].startswith(CODE)
    assert client.get("/security/enrol/")["Location"].startswith(CODE)
    client.post(CODE, {"code": code_of(device)})
    assert client.get("/accounts/").status_code == 200


def test_it_ends_every_session_whole_or_half() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    whole, half = wholly_in(user, device), logged_in(user)

    choose(Client(), link_for(user))

    assert whole.get("/accounts/")["Location"].startswith("/login/?")
    assert half.get("/accounts/")["Location"].startswith("/login/?")


def test_it_works_once_and_for_an_hour() -> None:
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        link = link_for(user)
        assert choose(Client(), link).status_code == 302
        used = Client().get(link, follow=True)
        clock.shift(timedelta(minutes=2))
        mail.outbox.clear()
        second = link_for(user)
        clock.shift(timedelta(minutes=61))
        old = Client().get(second, follow=True)

    assert used.context["validlink"] is old.context["validlink"] is False


def test_it_keeps_the_key_out_of_the_path() -> None:
    link = link_for(UserFactory())
    page = Client().get(link, follow=True)
    key = link.partition("key=")[2].partition(".")[2]

    assert link.startswith("http://testserver/password/link/?key=")
    assert key and key not in page.request["PATH_INFO"]


def test_it_answers_the_same_for_an_address_that_nobody_has() -> None:
    user = UserFactory(email="ana@agency.example")
    UserFactory(email="gone@agency.example", is_active=False)

    asked = (user.email, "nobody@agency.example", "gone@agency.example")
    pages = [Client().post(ASK, {"email": email}) for email in asked]

    assert len({page.content.decode().replace(str(page.context["csrf_token"]), "") for page in pages}) == 1
    wait_for(lambda: mail.outbox)
    assert [letter.to for letter in mail.outbox] == [[user.email]]


def test_it_does_not_flood_a_mailbox() -> None:
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        link_for(user)
        again = Client().post(ASK, {"email": user.email})
        clock.shift(timedelta(seconds=61))
        Client().post(ASK, {"email": user.email})
        wait_for(lambda: len(mail.outbox) == 2)

    assert again.context["sent"]
    assert len(mail.outbox) == 2


def test_it_slows_down_an_address_that_asks_for_many() -> None:
    statuses = [Client().post(ASK, {"email": f"a{number}@agency.example"}).status_code for number in range(11)]

    assert statuses[-1] == 429


def test_it_makes_the_browser_known_so_that_nobody_keeps_the_owner_out() -> None:
    user = UserFactory()
    link, client = link_for(user), Client()
    for turn in range(7):
        try_password(Client(), user.username, f"wrong {turn}")

    choose(client, link)

    assert try_password(Client(), user.username, NEW).status_code == 429
    assert try_password(client, user.username, NEW).status_code == 302


def test_it_says_so_where_there_is_no_mail(settings: Any) -> None:
    settings.HAS_MAIL_SERVER = False
    user = UserFactory()

    page = Client().post(ASK, {"email": user.email})

    assert "sent" not in page.context
    assert mail.outbox == []


def test_it_keeps_no_session_for_a_link_that_opens_nothing() -> None:
    user = UserFactory()
    before = Session.objects.count()
    uid = urlsafe_base64_encode(str(user.pk).encode())
    for key in ("", "x", f"{uid}.", f"{uid}.abc-def", "....", "\x00.x", f"{urlsafe_base64_encode(b'9' * 30)}.abc-def"):
        answer = Client().get("/password/link/", {"key": key})
        assert answer.status_code == 302, key
        assert "sessionid" not in answer.cookies

    assert Session.objects.count() == before


def test_it_counts_a_mailbox_however_it_is_spelt() -> None:
    assert mail_may_go("mikes@example.com")
    spelt = ["MIKES@example.com", " mikes@Example.com", "m\u0131kes@example.com", "mike\u017f@example.com"]
    assert not [address for address in [*spelt, "mi\u212aes@example.com"] if mail_may_go(address)]


def test_it_sends_another_link_when_the_last_one_is_over() -> None:
    """Somebody who asks again and again keeps nobody without a link that works."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _turn in range(20):
            mail_may_go("ana@example.com")
            clock.shift(timedelta(minutes=20))
        clock.shift(timedelta(hours=1))

        assert mail_may_go("ana@example.com")
