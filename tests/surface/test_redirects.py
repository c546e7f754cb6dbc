"""No address that somebody else made up takes a person out of the product."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from accounts.views_connections import AFTER
from publishing.states import VideoStatus
from subiteya.lib import ratelimits

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"
EVIL = (
    "//evil.example", "///evil.example", "////evil.example", "\\\\evil.example", "/\\evil.example", "\\/evil.example",
    "https:evil.example", "https:/evil.example", "https://evil.example/", "http:///evil.example", "HTTPS://evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "ftp://testserver/", " //evil.example",
    "\t//evil.example", "/\t/evil.example", "/\n/evil.example", "\x00//evil.example", "\x08//evil.example",
    "https://testserver@evil.example/", "https://testserver.evil.example/", "http://evil.example\\@testserver/",
    "%2F%2Fevil.example", "/%2F/evil.example", "/%09/evil.example", "//evil%2Eexample", "http://[::1",
    "//testserver:99",
)  # fmt: skip


def lands_on(response: HttpResponse, path: str) -> str:
    """Where a browser goes: it drops control characters and reads a backslash as a slash."""
    where = re.sub(r"^[\x00-\x20]+|[\t\r\n]", "", response["Location"]).replace("\\", "/")
    where = re.sub(r"^(https?):/*(?=[^/])", r"\1://", where, flags=re.IGNORECASE)
    where = re.sub(r"^/{2,}", "//", where)
    there = urlsplit(urljoin(f"http://testserver{path}", where))
    return f"{there.scheme}://{there.netloc}"


def logs_in(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    User.objects.filter(username="anacm").update(password="")
    user = User.objects.get(username="anacm")
    user.set_password(PASSWORD)
    user.save()
    client.logout()
    answer = client.post("/login/", {"username": "anacm", "password": PASSWORD, "next": evil})
    return answer, "/login/"


def is_inside(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    return client.get("/login/", {"next": evil}), "/login/"


def gives_a_code(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    return client.get("/login/code/", {"next": evil}), "/login/code/"


def logs_out(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    return client.post("/logout/", {"next": evil}), "/logout/"


def chooses_a_language(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    return client.post("/language/", {"language": "es", "next": evil}, headers={"referer": evil}), "/language/"


def acts(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    video = story.videos[VideoStatus.SCHEDULED].pk
    answer = client.post("/acts/do/", {"kind": "hold", "videos": video, "key": "x", "next": evil})
    return answer, "/acts/do/"


def undoes(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    path = f"/acts/{story.act.pk}/undo/"
    return client.post(path, {"next": evil}), path


def holds(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    path = f"/videos/{story.videos[VideoStatus.SCHEDULED].pk}/hold/"
    return client.post(path, {"next": evil}), path


def comes_back_from_tiktok(client: Client, evil: str, story: SimpleNamespace) -> tuple[HttpResponse, str]:
    client.post(f"/accounts/{story.account.pk}/reconnect/", {"next": evil})
    assert client.session[AFTER] == evil
    return client.get("/accounts/callback/", {"error": "access_denied"}), "/accounts/callback/"


@pytest.mark.parametrize(
    "way",
    [logs_in, is_inside, gives_a_code, logs_out, chooses_a_language, acts, undoes, holds, comes_back_from_tiktok],
)
def test_it_stays_in_the_product(way: Callable[..., tuple[HttpResponse, str]], story: SimpleNamespace, as_ana: Client):
    for evil in EVIL:
        ratelimits.forget()
        as_ana.force_login(User.objects.get(username="anacm"))
        response, path = way(as_ana, evil, story)
        if "Location" in response:
            assert lands_on(response, path) == "http://testserver", (evil, response["Location"])
        else:
            assert response.status_code in {200, 204}, evil


@pytest.mark.parametrize("way", [logs_in, chooses_a_language, acts, undoes, holds, comes_back_from_tiktok])
def test_it_goes_where_one_wanted_within_it(
    way: Callable[..., tuple[HttpResponse, str]], story: SimpleNamespace, as_ana: Client
):
    response, _path = way(as_ana, "/videos/?family=attention", story)

    assert response["Location"] == "/videos/?family=attention"
