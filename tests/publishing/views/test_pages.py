"""Every page, full and empty, in both languages: it renders, without anything that a strict CSP would block."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.views.csrf import csrf_failure
from django.views.defaults import server_error

from accounts.models import User
from publishing.models import Video
from publishing.states import VideoStatus
from subiteya.urls import urlpatterns as product
from tests.factories import TikTokAccountFactory

pytestmark = pytest.mark.django_db


def broken(_request: HttpRequest) -> None:
    raise RuntimeError("a bug")


urlpatterns = [*product, path("broken/", broken)]


class Inline(HTMLParser):
    """Collects what a policy without 'unsafe-inline' refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")) or (value or "").startswith("javascript:"):
                self.found.append(f"<{tag} {name}>")
            if name in {"src", "href"} and tag in {"script", "link", "img", "video"} and "//" in (value or ""):
                self.found.append(f"<{tag} {name}={value}>")


def inline(html: str) -> list[str]:
    parser = Inline()
    parser.feed(html)
    return parser.found


def pages(story: SimpleNamespace) -> list[str]:
    details = [f"/videos/{video.pk}/" for video in story.videos.values()]
    return ["/videos/", "/videos/?family=attention&q=zzz", "/new/", "/accounts/", "/nowhere/", *details]


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_renders_every_page_with_data(language, story, ana, as_ana):
    User.objects.filter(pk=ana.pk).update(language=language)
    for address in pages(story):
        response = as_ana.get(address)
        html = response.content.decode()
        assert response.status_code == (404 if address == "/nowhere/" else 200), address
        assert f'<html lang="{language}">' in html
        assert not inline(html), address


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_renders_every_page_without_data(language, ana, as_ana):
    User.objects.filter(pk=ana.pk).update(language=language)
    for address in ("/videos/", "/videos/?family=done", "/new/", "/accounts/"):
        html = as_ana.get(address).content.decode()
        assert f'<html lang="{language}">' in html
        assert not inline(html), address


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_keeps_the_language_of_somebody_who_is_not_in_yet(language):
    client = Client()
    client.cookies["django_language"] = language
    html = client.get("/login/").content.decode()
    assert f'<html lang="{language}">' in html
    assert not inline(html)


def test_it_has_error_pages_in_the_same_look(rf, settings, ana):
    request = rf.get("/")
    request.user = ana
    failed = [csrf_failure(request), server_error(request)]
    for response, status in zip(failed, (403, 500), strict=True):
        html = response.content.decode()
        assert response.status_code == status
        assert "plain__card" in html
        assert not inline(html)


@pytest.mark.urls(__name__)
def test_it_says_nothing_of_a_bug_but_that_it_is_ours(as_ana):
    as_ana.raise_request_exception = False
    response = as_ana.get("/broken/")
    assert response.status_code == 500
    assert "RuntimeError" not in response.content.decode()


def test_it_answers_to_health_checks():
    assert Client().get("/healthz").json() == {"status": "ok", "database": "ok"}


def queries(client: Client, address: str) -> int:
    client.get(address)  # the session and the content types are asked once
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code in {200, 204}
    return len(captured)


@pytest.mark.parametrize("address", ["/videos/", "/videos/live/?newest=0&v=", "/new/", "/accounts/"])
def test_it_asks_as_often_for_many_rows_as_for_few(
    address: str, ana: User, as_ana: Client, make_video: Callable[..., Video]
):
    def add(count: int) -> None:
        for status in [VideoStatus.UPLOADING, VideoStatus.FAILED_UPLOAD, VideoStatus.POSTED] * count:
            make_video(status, account=TikTokAccountFactory(managers=[ana]))

    add(1)
    few = queries(as_ana, address)
    add(4)
    assert queries(as_ana, address) == few
    assert few <= 12


def test_it_asks_as_often_for_a_large_batch_as_for_a_small_one(ana, as_ana, make_video):
    video = make_video(VideoStatus.POSTED)
    address = f"/videos/{video.pk}/"
    make_video(VideoStatus.PENDING, account=TikTokAccountFactory(managers=[ana]))
    Video.objects.exclude(pk=video.pk).update(batch=video.batch)
    few = queries(as_ana, address)
    for _ in range(5):
        other = make_video(VideoStatus.PENDING, account=TikTokAccountFactory(managers=[ana]))
        Video.objects.filter(pk=other.pk).update(batch=video.batch)
    assert queries(as_ana, address) == few
    assert few <= 20
