"""Guessing passwords is slow; nobody can use that to keep the owner out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models_sessions import FailureCount, PersonSession
from accounts.services.throttle import PRESSURE, TooFast, attempt_begin
from audit.catalogue import Action
from audit.models import AuditEntry
from tests.accounts.doors import logged_in, try_password
from tests.factories import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db
DOORS = pytest.mark.parametrize("door", ["/login/", "/admin/login/?next=/admin/"])


def from_address(number: int) -> dict[str, str]:
    return {"REMOTE_ADDR": f"198.51.{number // 250}.{number % 250 + 1}"}


def hammer(username: str, times: int, **extra: Any) -> list[int]:
    return [try_password(Client(), username, f"wrong {turn}", **extra).status_code for turn in range(times)]


@DOORS
def test_it_makes_an_address_wait_longer_after_each_failure(door: str) -> None:
    user = AdminFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        statuses = [try_password(Client(), user.username, "wrong", at=door).status_code for _turn in range(5)]
        right_but_early = try_password(Client(), user.username, at=door)
        clock.shift(timedelta(seconds=3))
        opened = try_password(Client(), user.username, at=door)

    assert statuses == [200] * 5
    assert right_but_early.status_code == 429
    assert 0 < int(right_but_early["Retry-After"]) <= 3
    assert opened.status_code == 302


def test_it_never_waits_longer_than_a_quarter_of_an_hour() -> None:
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _turn in range(30):
            try_password(Client(), user.username, "wrong")
            clock.shift(timedelta(seconds=901))

        assert try_password(Client(), user.username).status_code == 302


def test_it_lets_the_owner_in_from_elsewhere_while_strangers_hammer() -> None:
    user = UserFactory()
    for number in range(PRESSURE + 10):
        hammer(user.username, 1, **from_address(number))
    with pytest.raises(TooFast):
        attempt_begin(username=user.username, address="198.51.0.1")
        attempt_begin(username=user.username, address="198.51.0.1")

    owner = try_password(Client(REMOTE_ADDR="203.0.113.7"), user.username)

    assert owner.status_code == 302


def test_it_lets_a_known_browser_in_at_the_very_address_of_the_strangers() -> None:
    user = UserFactory()
    browser = logged_in(user)
    browser.post("/logout/")
    assert 429 in hammer(user.username, 8)

    assert try_password(Client(), user.username).status_code == 429
    assert try_password(browser, user.username).status_code == 302


def test_it_slows_a_known_browser_down_by_its_own_failures_only() -> None:
    user, other = UserFactory(), UserFactory()
    browser = logged_in(user)
    browser.post("/logout/")

    assert [try_password(browser, user.username, "wrong").status_code for _turn in range(6)] == [200] * 5 + [429]
    assert try_password(browser, other.username).status_code == 302


def test_it_believes_no_cookie_that_it_did_not_sign() -> None:
    user = UserFactory()
    hammer(user.username, 6)
    client = Client()
    client.cookies["device"] = f'{{"{user.pk}": "mine"}}'

    assert try_password(client, user.username).status_code == 429


def test_it_makes_an_address_wait_that_tries_many_names() -> None:
    with time_machine.travel(timezone.now(), tick=False):
        statuses = [try_password(Client(), f"somebody{number}", "x").status_code for number in range(33)]

    assert statuses[:31] == [200] * 31
    assert statuses[31:] == [429] * 2


def test_it_does_not_blame_the_pair_for_its_address() -> None:
    user = UserFactory()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(32):
            try_password(Client(), f"somebody{number}", "x")
        for _turn in range(10):
            assert try_password(Client(), user.username).status_code == 429
        clock.shift(timedelta(minutes=6))

        assert try_password(Client(), user.username).status_code == 302


def test_it_answers_the_same_for_a_name_that_nobody_has() -> None:
    UserFactory(username="ana")
    UserFactory(username="gone", is_active=False)
    answers = {}
    for name in ("ana", "nobody", "gone"):
        with time_machine.travel(timezone.now(), tick=False):
            pages = [try_password(Client(**from_address(len(name))), name, "wrong") for _turn in range(6)]
        answers[name] = [(page.status_code, _plain(page, name)) for page in pages]

    assert answers["ana"] == answers["nobody"] == answers["gone"]
    assert [status for status, _text in answers["ana"]] == [200] * 5 + [429]


def _plain(page: Any, name: str) -> str:
    token = str(page.context["csrf_token"])
    return str(page.content.decode().replace(name, "NAME").replace(token, "TOKEN"))


def test_it_hashes_a_password_for_nobody_as_for_somebody(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that an answer takes is that of the hash."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, password, salt: hashed.append(password) or encode(self, password, salt),
    )
    UserFactory(username="ana")
    hashed.clear()

    for name in ("ana", "nobody"):
        try_password(Client(), name, "wrong")

    assert hashed == ["wrong", "wrong"]


def test_it_keeps_no_name_in_clear() -> None:
    hammer("my-secret-password", 1)

    assert "my-secret" not in str(list(FailureCount.objects.values()))


def test_it_goes_on_without_redis(settings: Any) -> None:
    settings.CACHES = settings.CACHES | {
        "shared": settings.CACHES["shared"] | {"LOCATION": "unix:///nowhere/redis.sock"}
    }
    user = UserFactory()

    assert 429 in hammer(user.username, 6)
    assert try_password(Client(REMOTE_ADDR="203.0.113.7"), user.username).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_it_counts_tries_that_come_at_once() -> None:
    def attempt(_number: int) -> bool:
        try:
            attempt_begin(username="ana", address="203.0.113.7")
        except TooFast:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 5


@pytest.mark.parametrize("spelling", [" {}", "{}   ", "\u3000{}", "{}\t", "\u00a0{} "])
def test_it_counts_the_account_that_is_tried_however_it_is_spelt(spelling: str) -> None:
    user = UserFactory(username="ana")
    with time_machine.travel(timezone.now(), tick=False):
        statuses = [try_password(Client(), "ana", "wrong").status_code for _turn in range(5)]
        spelt = try_password(Client(), spelling.format("ana"))

    assert statuses == [200] * 5
    assert spelt.status_code == 429
    assert not PersonSession.objects.filter(user=user).exists()


def test_it_counts_wide_letters_as_the_plain_ones_that_they_stand_for() -> None:
    UserFactory(username="ana")
    hammer("ana", 6)

    assert try_password(Client(), "ａｎａ").status_code == 429


@pytest.mark.parametrize("name", ["a\x00b", "   ", ""])
def test_it_looks_up_no_name_that_the_form_refuses(name: str) -> None:
    answer = try_password(Client(), name)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not FailureCount.objects.exists()


def test_it_records_at_most_one_wait_a_minute_of_an_address() -> None:
    UserFactory(username="ana")
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        assert hammer("ana", 20).count(429) > 10
        assert AuditEntry.objects.filter(action=Action.SESSION_LOGIN_THROTTLED).count() == 1
        clock.shift(60)
        hammer("ana", 8)
    assert AuditEntry.objects.filter(action=Action.SESSION_LOGIN_THROTTLED).count() == 2
