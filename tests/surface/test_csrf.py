"""Nothing changes for a request that another site made a person's browser send."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from tests.factories import AdminFactory
from tests.publishing.views.conftest import logged_in
from tests.publishing.views.test_scope import ALL, fingerprint, path_of

pytestmark = pytest.mark.django_db

#: TikTok's signature, and keys of programs: no browser sends these by itself.
EXEMPT = {"publishing:webhook": 400, "monitoring:alertmanager": 401}
UNSAFE = ("post", "put", "patch", "delete")


@pytest.mark.parametrize("role", ["administrator", "cm"])
def test_it_refuses_every_write_without_a_token(story: SimpleNamespace, ana: object, role: str) -> None:
    client = logged_in(ana if role == "cm" else AdminFactory(), enforce_csrf_checks=True)
    before = fingerprint()
    for name, route in ALL:
        for method in UNSAFE:
            answer = getattr(client, method)(path_of(route, story))
            if name in EXEMPT:
                assert answer.status_code in {EXEMPT[name], 405}, (name, method)
            else:
                assert answer.status_code == 403, (name, method)
    assert fingerprint() == before


def test_it_exempts_nothing_else() -> None:
    exempt = set()
    for name, route in ALL:
        path = "/" + route.replace("<int:pk>", "1").replace("<slug:name>", "x").replace("<str:token>", "x")
        view = get_resolver().resolve(path).func
        if getattr(view, "csrf_exempt", False) and not hasattr(view, "cls"):  # the framework checks by itself
            exempt.add(name)
    assert exempt == {"publishing:webhook"}


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/accounts/user/", "/admin/accounts/user/1/change/", "/admin/logout/"]
)
def test_it_refuses_writes_in_the_admin_without_a_token(path: str) -> None:
    client = logged_in(AdminFactory(), enforce_csrf_checks=True)

    assert client.post(f"/admin/{path}", {"action": "x"}).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example"])
def test_it_refuses_a_token_that_comes_from_elsewhere(origin: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    form = {"username": "x", "password": "y", "csrfmiddlewaretoken": token}

    assert client.post("/login/", form, headers={"origin": origin}).status_code == 403
    assert client.post("/login/", form).status_code == 200
