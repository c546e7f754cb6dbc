"""The strict policy in a real browser: nothing that our pages, the admin or the API's reader do is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.addresses import ADDRESSES, addresses_of_videos
from tests.browser.conftest import DESKTOP, People, Session, session_of
from tests.browser.installation import Installation
from tests.processes import wait_for

pytestmark = pytest.mark.browser

#: The browser tells each refusal to the page; the list outlives a navigation in this window's own storage.
WATCH = """document.addEventListener("securitypolicyviolation", (event) => {
    const seen = JSON.parse(sessionStorage.getItem("refused") ?? "[]");
    seen.push(`${event.violatedDirective} ${event.blockedURI} ${location.pathname}`);
    sessionStorage.setItem("refused", JSON.stringify(seen));
});"""
NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"
MODELS = (
    "accounts/user", "accounts/tiktokaccount", "publishing/video", "publishing/job", "publishing/brandpattern",
    "monitoring/apikey", "insights/publication", "notices/notice",
)  # fmt: skip


def refusals(page: Page) -> list[str]:
    """What the policy refused in this window so far."""
    return page.evaluate("JSON.parse(sessionStorage.getItem('refused') ?? '[]')")


@pytest.fixture
def watched(product: str, chromium: Browser, people: People) -> Iterator[Session]:
    """Ana's window, whose refusals are collected."""
    for session in session_of("ana", chromium, product, people, viewport=DESKTOP):
        session.page.add_init_script(WATCH)
        yield session


@pytest.fixture
def administrator(installation: Installation, chromium: Browser, product: str, people: People) -> Iterator[Session]:
    """The demo's administrator, with a second factor in this session, and a window that collects refusals."""
    for session in session_of("admin", chromium, product, people, viewport=DESKTOP):
        (cookie,) = [one for one in session.page.context.cookies() if "sessionid" in one["name"]]
        code = (
            "import sys; from importlib import import_module; from django.conf import settings\n"
            "from django_otp.plugins.otp_static.models import StaticDevice\n"
            "from accounts.models import User\n"
            "store = import_module(settings.SESSION_ENGINE).SessionStore(sys.stdin.read())\n"
            "user = User.objects.get(username='admin')\n"
            "device, _new = StaticDevice.objects.get_or_create(user=user, name='browser')\n"
            "store['otp_device_id'] = device.persistent_id; store.save()\n"
        )
        installation.manage("shell", "-v0", "-c", code, stdin=cookie["value"])
        session.page.add_init_script(WATCH)
        yield session


def test_it_refuses_nothing_on_the_pages_of_the_product(watched: Session) -> None:
    page = watched.page
    for path in (*ADDRESSES, *addresses_of_videos(watched)):
        watched.go(path)
        page.wait_for_load_state("networkidle")
        assert refusals(page) == [], path
    assert page.evaluate("crossOriginIsolated") is True
    assert set(watched.complaints) <= {NOT_FOUND}


def test_it_refuses_what_an_intruder_would_write_into_a_page(watched: Session) -> None:
    page = watched.go("/")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.broken = true";
            document.body.append(script);
            const far = document.createElement("img");
            far.src = "https://far.example/pixel.png";
            document.body.append(far);
            document.body.insertAdjacentHTML("beforeend", '<p id="p" style="color: red" onclick="broken = 1">x</p>');
        }"""
    )
    expect(page.locator("#p")).to_be_attached()
    page.locator("#p").dispatch_event("click")
    wait_for(lambda: len(refusals(page)) >= 4)

    assert page.evaluate("window.broken") is None
    kinds = {line.split()[0] for line in refusals(page)}
    assert kinds == {"script-src-elem", "img-src", "style-src-attr", "script-src-attr"}


def test_it_refuses_nothing_in_the_admin(administrator: Session) -> None:
    page = administrator.go("/admin/")
    for model in MODELS:
        administrator.go(f"/admin/{model}/")
        expect(page.locator("#changelist")).to_be_visible()
        first = page.locator("#result_list tbody th a").first
        if first.count():
            first.click()
            expect(page.locator("#content-main")).to_be_visible()
        assert refusals(page) == [], model
    for path in ("publishing/brandpattern/add/", "monitoring/apikey/add/", "accounts/user/1/change/"):
        administrator.go(f"/admin/{path}")
        expect(page.locator("#content-main form").first).to_be_visible()
        assert refusals(page) == [], path
    assert administrator.complaints == []


def test_it_refuses_nothing_in_the_api_s_reader(administrator: Session) -> None:
    page = administrator.go("/api/docs/")
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()
    page.locator(".swagger-ui .opblock").first.click()
    expect(page.locator(".swagger-ui .opblock-body").first).to_be_visible()
    assert refusals(page) == []
    assert administrator.complaints == []
