"""How often: pages, fragments and scripts are refused in their own form, and a dead Redis changes nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve

from subiteya.lib.ratelimits import limited, use
from tests.factories import UserFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_one_minute(time_machine: Any) -> Iterator[None]:
    """A minute's window must not end in the middle of a test."""
    time_machine.move_to(1_800_000_000, tick=False)
    yield


@pytest.fixture(params=["redis", "without redis"])
def counting(request: pytest.FixtureRequest, settings: Any) -> None:
    """Counts kept in Redis, and in this process because there is none."""
    if request.param == "redis":
        request.getfixturevalue("redis")
    else:
        settings.CACHES = settings.CACHES | {
            "shared": settings.CACHES["shared"] | {"LOCATION": "unix:///nowhere/redis.sock"}
        }


@pytest.mark.usefixtures("at_one_minute", "counting")
def test_it_refuses_one_too_many_in_the_form_that_was_asked_for() -> None:
    client, path = Client(), "/connect/no-such-link/"
    answers = [client.get(path).status_code for _try in range(60)]
    page = client.get(path)
    fragment = client.get(path, headers={"HX-Request": "true"})
    script = client.get(path, headers={"Accept": "application/json"})

    assert set(answers) == {410}
    for refused in (page, fragment, script):
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert refused["Cache-Control"] == "no-store"
    assert page.templates[0].name == "429.html"
    assert fragment["Content-Type"].startswith("text/plain")
    assert script.json()["error"] == fragment.content.decode()


@pytest.mark.usefixtures("at_one_minute", "counting")
@pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
def test_it_turns_a_flood_of_passwords_away(path: str) -> None:
    client = Client()
    answers = [client.post(path, {"username": f"nobody {number}", "password": "wrong"}) for number in range(61)]

    assert answers[0].status_code == 200
    assert answers[60].status_code == 429
    assert 1 <= int(answers[60]["Retry-After"]) <= 61


@pytest.mark.usefixtures("at_one_minute", "counting")
def test_it_counts_people_apart_and_strangers_by_address() -> None:
    @limited("probe", per_minute=1)
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def ask(user: Any, address: str) -> int:
        request = RequestFactory().post("/", REMOTE_ADDR=address)
        request.user = user
        return view(request).status_code

    ana, bruno = UserFactory(), UserFactory()
    stranger = SimpleNamespace(is_authenticated=False, pk=None)

    assert [ask(ana, "192.0.2.1"), ask(ana, "192.0.2.2"), ask(bruno, "192.0.2.1")] == [200, 429, 200]
    assert [ask(stranger, "192.0.2.1"), ask(stranger, "192.0.2.1"), ask(stranger, "192.0.2.2")] == [200, 429, 200]
    assert [ask(stranger, "2001:db8::1"), ask(stranger, "2001:db8::2"), ask(stranger, "2001:db8:0:1::")] == [
        200, 429, 200,
    ]  # fmt: skip


@pytest.mark.usefixtures("at_one_minute", "counting")
@pytest.mark.parametrize(
    ("path", "method", "limit"),
    [
        ("/assets/", "post", 60),
        ("/new/", "post", 30),
        ("/acts/do/", "post", 120),
        ("/videos/1/approve/", "post", 120),
        ("/videos/1/send-back/", "post", 120),
        ("/accounts/connect/", "post", 20),
        ("/accounts/callback/", "get", 30),
        ("/connect/no-such-link/", "get", 60),
        ("/security/again/", "post", 30),
        ("/login/code/", "post", 30),
        ("/login/passkey/", "post", 30),
    ],
)
def test_it_limits_what_costs(path: str, method: str, limit: int) -> None:
    client = logged_in(UserFactory())
    answers = [getattr(client, method)(path).status_code for _again in range(limit + 1)]

    assert 429 not in answers[:limit]
    assert answers[limit] == 429


@pytest.mark.usefixtures("at_one_minute", "counting")
def test_it_lets_no_stranger_use_up_the_code_page_of_an_address() -> None:
    user = UserFactory()
    assert {Client().post("/login/code/").status_code for _try in range(31)} == {302}
    assert logged_in(user).post("/login/code/").status_code == 302


def test_it_limits_webhooks_generously_and_by_address() -> None:
    view = resolve("/webhooks/tiktok/").func
    assert getattr(view, "csrf_exempt", False) is True
    assert Client().post("/webhooks/tiktok/", b"{}", content_type="application/json").status_code == 400


def test_it_does_not_wait_for_a_silent_redis_again(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and never says a word
        silent.listen(64)
        settings.CACHES = settings.CACHES | {
            "shared": settings.CACHES["shared"] | {"LOCATION": f"redis://127.0.0.1:{silent.getsockname()[1]}"}
        }
        request = RequestFactory().post("/")
        use(request, group="silent", principal="x", per_minute=9)
        began = time.monotonic()
        counts = [use(request, group="silent", principal="x", per_minute=9).count for _again in range(50)]

    assert time.monotonic() - began < 1.5, "one wait would be two seconds"
    assert counts == sorted(counts)
