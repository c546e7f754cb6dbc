"""What browsers are told of every page: the policy and the other headers, and no page that would need an exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import override_settings

from subiteya.lib.headers import HEADERS, HeadersMiddleware, content_policy
from tests.factories import AdminFactory
from tests.monitoring.conftest import verified
from tests.publishing.views.conftest import logged_in
from tests.publishing.views.test_scope import ALL, path_of

pytestmark = pytest.mark.django_db

#: What the policy refuses inside a page: style sheets, scripts without an address, `style`, `on…`, `javascript:`.
INLINE = re.compile(
    rb"<style\b|<script\b(?![^>]*\ssrc=)|<[^>]*\s(?:style|on\w+)\s*=|<[^>]*\b(?:href|src|action)\s*=\s*[\"']?javascript:",
    re.IGNORECASE,
)
#: Data that a script of ours reads, and which no browser runs.
DATA = re.compile(rb"<script\b[^>]*\btype=\"application/json\"[^>]*>.*?</script>", re.DOTALL)
#: Addresses whose answers are no pages, or that leave the product.
UNUSUAL = {"publishing:asset_media"}


def policy_of(response: HttpResponse) -> dict[str, set[str]]:
    """The response's policy: the sources of each directive."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {words[0]: set(words[1:]) for words in parts}


def complaints_about(response: HttpResponse) -> list[str]:
    """What is wrong with an answer: a header that lacks, or something inline."""
    policy = policy_of(response)
    wrong = [name for name, value in HEADERS.items() if response.headers.get(name) != value]
    if policy["default-src"] != {"'none'"} or any("unsafe" in word for words in policy.values() for word in words):
        wrong.append(response["Content-Security-Policy"])
    for name, value in {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }.items():
        if response.headers.get(name) != value:
            wrong.append(name)
    if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
        wrong += [found.decode() for found in INLINE.findall(DATA.sub(b"", response.content))]
    return wrong


@pytest.mark.parametrize("role", ["administrator", "cm", "stranger"])
def test_it_has_nothing_inline_on_any_page(story: object, ana: object, role: str) -> None:
    make: Callable[[], Client] = {
        "administrator": lambda: verified(AdminFactory(language="en")),
        "cm": lambda: logged_in(ana),
        "stranger": Client,
    }[role]
    client, pages = make(), 0
    for name, route in ALL:
        if name in UNUSUAL:
            continue
        for headers in ({}, {"HX-Request": "true"}):
            response = client.get(path_of(route, story), headers=headers)
            pages += response.get("Content-Type", "").startswith("text/html")
            assert complaints_about(response) == [], name
    assert pages > (20 if role == "stranger" else 60)


def test_it_says_so_on_refusals_and_pages_that_are_not_there() -> None:
    strict = Client(enforce_csrf_checks=True)
    for response in (strict.get("/nowhere/"), strict.post("/login/", {}), strict.get("/", headers={"Host": "evil"})):
        assert response.status_code in {400, 403, 404}
        assert complaints_about(response) == []


def test_it_keeps_the_policy_that_a_view_chose(story: object, as_ana: Client) -> None:
    source = story.source  # type: ignore[attr-defined]

    def own(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "sandbox", "Cross-Origin-Resource-Policy": "same-site"})

    response = HeadersMiddleware(CSPMiddleware(own))(RequestFactory().get(f"/assets/{source.pk}/media/"))

    assert response["Content-Security-Policy"] == "sandbox"
    assert response["Cross-Origin-Resource-Policy"] == "same-site"


def test_it_gives_a_nonce_to_the_element_that_asks_and_names_it_once() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        template = Template('<script nonce="{{ request.csp_nonce }}">1</script>')
        return HttpResponse(template.render(Context({"request": request})))

    first, second = (CSPMiddleware(page)(RequestFactory().get("/")) for _again in range(2))

    nonce = re.search(r'nonce="([^"]{22,})"', first.content.decode())[1]  # type: ignore[index]
    assert f"'nonce-{nonce}'" in policy_of(first)["script-src"]
    assert policy_of(first)["script-src"] != policy_of(second)["script-src"]
    assert policy_of(first)["script-src"].isdisjoint({"'unsafe-inline'", "'unsafe-eval'"})


@pytest.mark.parametrize(
    ("base", "targets"),
    [
        ("https://www.tiktok.com", {"https://www.tiktok.com", "https://*.tiktok.com"}),
        ("http://127.0.0.1:8001", {"http://127.0.0.1:8001"}),
    ],
)
def test_it_lets_forms_leave_only_for_tiktok(base: str, targets: set[str]) -> None:
    policy = content_policy(authorize_base=base, https=True)["DIRECTIVES"]

    assert set(policy["form-action"]) == {"'self'", *targets}
    assert policy["upgrade-insecure-requests"] is True
    assert content_policy(authorize_base=base, https=False)["DIRECTIVES"]["upgrade-insecure-requests"] is False


def test_it_draws_the_api_s_description_from_files_alone() -> None:
    administrator = verified(AdminFactory())

    page = administrator.get("/api/docs/")
    script = administrator.get("/api/docs/", {"script": ""})

    assert b"/api/docs/?script=" in page.content
    assert script["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle(" in script.content
    assert policy_of(page)["img-src"] == {"'self'", "blob:", "data:"}


def test_it_sends_static_files_with_the_headers_as_well(settings: object) -> None:
    folder = Path(settings.STATIC_ROOT)  # type: ignore[attr-defined]
    (folder / "probe.css").write_text("a{}")
    try:
        response = Client().get("/static/probe.css")
        response.close()
    finally:
        (folder / "probe.css").unlink()

    assert response.status_code == 200
    assert not [name for name, value in HEADERS.items() if response[name] != value]
    assert policy_of(response)["default-src"] == {"'none'"}
    assert response["X-Content-Type-Options"] == "nosniff"


@override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=31_536_000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
def test_it_sends_people_to_https_and_leaves_programs_beside_it_alone() -> None:
    client = Client()

    assert client.get("/login/?a=1")["Location"] == "https://testserver/login/?a=1"
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 401
    assert client.post("/api/monitor/alertmanager").status_code == 401
    assert "Strict-Transport-Security" not in client.get("/healthz")
    secure = client.get("/login/", secure=True)
    assert secure["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
