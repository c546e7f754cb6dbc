"""Accounts' pictures come from our own address, fetched once, and only from where anybody may look."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import TikTokAccount
from publishing.services.creators import creator_asked
from tests.factories import TikTokAccountFactory, UserFactory
from tests.publishing.views.conftest import logged_in
from tests.surface.test_outgoing import Server, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Iterator[Server]:
    cache.clear()
    with serving() as server:
        yield server


@pytest.fixture
def pictured(host: Server, as_ana: Client, ana: Any) -> TikTokAccount:
    address = f"http://127.0.0.1:{host.port}/picture?x-signature=1"
    return TikTokAccountFactory(avatar_url=address, managers=[ana])


def test_it_shows_the_picture_from_our_address_and_fetches_it_once(
    host: Server, pictured: TikTokAccount, as_ana: Client
) -> None:
    path = f"/accounts/{pictured.pk}/picture/"
    assert path in as_ana.get("/accounts/").content.decode()
    answers = [as_ana.get(path) for _again in range(3)]
    TikTokAccount.objects.update(avatar_url=pictured.avatar_url.replace("=1", "=2"))
    answers.append(as_ana.get(path))

    assert {answer.content for answer in answers} == {b"secret"}
    assert answers[0]["Content-Type"] == "image/png"
    assert answers[0]["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert len(host.seen) == 1


@pytest.mark.django_db(transaction=True)
def test_it_keeps_no_thread_waiting_while_pictures_do_not_come(host: Server, ana: Any) -> None:
    slow = [TikTokAccountFactory(avatar_url=f"http://127.0.0.1:{host.port}/drip/", managers=[ana]) for _each in "abcd"]

    def ask(account: TikTokAccount) -> tuple[int, float]:
        began = time.monotonic()
        try:
            return logged_in(ana).get(f"/accounts/{account.pk}/picture/").status_code, time.monotonic() - began
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(ask, slow))

    assert [status for status, _seconds in answers] == [404, 404, 503, 503]
    assert all(seconds < 4 for status, seconds in answers if status == 503)


def test_it_shows_nothing_of_what_is_near(host: Server, pictured: TikTokAccount, as_ana: Client, settings: Any) -> None:
    settings.OUTGOING_ALLOW = []
    for address in (pictured.avatar_url, pictured.avatar_url.replace("http:", "https:")):
        cache.clear()
        TikTokAccount.objects.update(avatar_url=address)
        assert as_ana.get(f"/accounts/{pictured.pk}/picture/").status_code == 404
    assert host.seen == []


def test_it_shows_a_picture_only_to_whoever_has_the_account(host: Server, pictured: TikTokAccount) -> None:
    assert logged_in(UserFactory()).get(f"/accounts/{pictured.pk}/picture/").status_code == 404
    assert Client().get(f"/accounts/{pictured.pk}/picture/").status_code == 302
    assert host.seen == []


@pytest.mark.parametrize("path", ["bytes/400000", "to/file:///etc/passwd"])
def test_it_takes_nothing_too_large_or_elsewhere(host: Server, as_ana: Client, ana: Any, path: str) -> None:
    account = TikTokAccountFactory(avatar_url=f"http://127.0.0.1:{host.port}/{path}", managers=[ana])

    assert as_ana.get(f"/accounts/{account.pk}/picture/").status_code == 404
    assert as_ana.get(f"/accounts/{account.pk}/picture/").status_code == 404
    assert len(host.seen) == 1, "what did not come is not asked for at once again"


def test_it_shows_what_the_sandbox_draws(connect: Any, settings: Any, tiktok: Any) -> None:
    cache.clear()
    account = connect()
    settings.OUTGOING_ALLOW = [tiktok.url.removeprefix("http://")]
    creator_asked(account)
    account.refresh_from_db()

    answer = logged_in(account.managers.get()).get(f"/accounts/{account.pk}/picture/")

    assert account.avatar_url.startswith(tiktok.url)
    assert answer["Content-Type"] == "image/svg+xml"
    assert b"<svg" in answer.content
