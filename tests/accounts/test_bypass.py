"""Ways past the second factor, tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from accounts.models_sessions import PersonSession
from accounts.services.second_factor import MOST_FAILURES
from tests.accounts.doors import CODE, PASSWORD, code_of, enrolled, logged_in, try_password, wholly_in
from tests.factories import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db
COOKIE = django_settings.SESSION_COOKIE_NAME
#: What a session may open that owes its code; everything else must refuse it.
MAY = {CODE, "/logout/", "/language/", "/healthz", "/admin/jsi18n/"}


def every_path(patterns: Any = None, prefix: str = "/") -> list[str]:
    """Every address of the product and the administration, with something in the place of its parameters."""
    found: list[str] = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += every_path(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            found.append(_filled(route))
    return found


def _filled(route: str) -> str:
    for mark, text in (
        ("<int:pk>", "1"), ("<slug:name>", "x"), ("<str:token>", "t"), ("<str:uidb64>", "MQ"),
        ("<path:object_id>", "1"), ("<id>", "1"), ("<path:content_type_id>", "1"),
    ):  # fmt: skip
        route = route.replace(mark, text)
    return route


def test_it_opens_no_address_at_all_to_half_a_log_in() -> None:
    user = AdminFactory()
    enrolled(user)
    client = logged_in(user)
    checked = 0

    for path in every_path():
        for method in ("get", "post"):
            answer = getattr(client, method)(path)
            if path in MAY or path == "/logout/" or path.startswith(("/webhooks/", "/connect/", "/metrics")):
                client = logged_in(user) if path in {"/logout/", "/admin/logout/"} else client
                continue
            assert answer.status_code in {302, 401, 403, 404, 405, 406}, (method, path)
            assert answer.status_code != 302 or answer["Location"].startswith(CODE), (method, path, answer["Location"])
            checked += 1

    assert checked > 300


@pytest.mark.parametrize("door", ["/login/", "/admin/login/", "/admin/login/?next=/admin/"])
def test_it_owes_the_code_whichever_door_took_the_password(door: str) -> None:
    user = AdminFactory()
    enrolled(user)
    client = Client()

    assert try_password(client, user.username, at=door).status_code == 302
    assert client.get("/admin/")["Location"].startswith(CODE)
    assert client.post("/admin/accounts/user/add/", {"username": "mallory"})["Location"].startswith(CODE)
    assert not User.objects.filter(username="mallory").exists()


def test_it_remembers_no_browser_instead_of_the_code() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = wholly_in(user, device)
    client.post("/logout/")

    try_password(client, user.username)

    assert client.cookies["device"].value
    assert client.get("/accounts/")["Location"].startswith(CODE)


def test_it_takes_no_cookie_of_a_session_that_logged_out() -> None:
    client = logged_in(UserFactory())
    kept = client.cookies[COOKIE].value
    client.post("/logout/")
    thief = Client()
    thief.cookies[COOKIE] = kept

    assert thief.get("/accounts/")["Location"].startswith("/login/")


def test_it_takes_no_session_whose_data_came_back_after_the_log_out() -> None:
    """A backup of the session's table, put back: its row is gone for good."""
    client = logged_in(UserFactory())
    data = dict(client.session.items())
    client.post("/logout/")
    restored = SessionStore()
    restored.update(data)
    restored.create()
    thief = Client()
    thief.cookies[COOKIE] = restored.session_key

    assert thief.get("/accounts/")["Location"].startswith("/login/?why=ended")


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_it_gives_a_planted_session_key_nothing(door: str) -> None:
    user = AdminFactory()
    planted = SessionStore()
    planted["planted"] = True
    planted.create()
    victim, thief = Client(), Client()
    victim.cookies[COOKIE] = thief.cookies[COOKIE] = planted.session_key

    try_password(victim, user.username, at=door)

    assert victim.cookies[COOKIE].value != planted.session_key
    assert victim.get("/accounts/").status_code == 200
    assert thief.get("/accounts/")["Location"].startswith("/login/")


def test_it_gives_the_key_from_before_the_code_nothing() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    victim, thief = logged_in(user), Client()
    thief.cookies[COOKIE] = victim.cookies[COOKIE].value

    victim.post(CODE, {"code": code_of(device)})

    assert victim.get("/accounts/").status_code == 200
    assert thief.get("/accounts/")["Location"].startswith("/login/")


def test_it_takes_neither_another_person_s_code_nor_an_unfinished_phone() -> None:
    user, other = UserFactory(), UserFactory()
    enrolled(user)
    theirs, _codes = enrolled(other)
    client = logged_in(user)
    unfinished = TOTPDevice.objects.create(user=user, name="phone", confirmed=False)

    assert client.post(CODE, {"code": code_of(theirs)}).status_code == 403
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert client.post(CODE, {"code": code_of(unfinished)}).status_code == 403


def test_it_takes_no_code_a_second_time_for_a_proof_either() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    with time_machine.travel(timezone.now(), tick=False):
        client = wholly_in(user, device)

        assert client.post("/security/again/", {"code": code_of(device)}).status_code == 403


def test_it_locks_nobody_out_for_ever_by_wrong_codes() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = logged_in(user)
        TOTPDevice.objects.filter(pk=device.pk).update(
            throttling_failure_count=MOST_FAILURES, throttling_failure_timestamp=timezone.now()
        )
        clock.shift(timedelta(hours=1))
        assert client.post(CODE, {"code": "000000"}).status_code == 403
        clock.shift(timedelta(hours=1))

        assert client.post(CODE, {"code": code_of(device)}).status_code == 302


def test_it_makes_no_second_person_of_one_session() -> None:
    """Half a log-in of an administrator on top of a whole one of somebody else owes the administrator's code."""
    user, admin = UserFactory(), AdminFactory()
    device, _codes = enrolled(user)
    enrolled(admin)
    client = wholly_in(user, device)
    client.post("/logout/")
    try_password(client, admin.username, PASSWORD)

    assert client.get("/admin/")["Location"].startswith(CODE)
    assert PersonSession.objects.filter(user=user).count() == 0
