"""When the network or the server fails: said politely, with a way to try again, and gone by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

LIVE = {"/": "**/today/live/**", "/videos/": "**/videos/live/**", "/monitor/": "**/monitor/live/**"}
#: How much the page may have moved (cumulative layout shift) while it refreshed.
STILL = 0.005
COUNT_SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts += entry.hadRecentInput ? 0 : entry.value;
    }).observe({ type: "layout-shift", buffered: true });
}"""


def trouble(page: Page) -> Locator:
    return page.locator("#trouble")


def look_now(page: Page) -> None:
    """As when a person comes back to the tab."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def cut(route: Route) -> None:
    route.abort("connectionrefused")


def broken(route: Route) -> None:
    route.fulfill(status=500, body="<h1>Server Error</h1>")


@pytest.mark.parametrize("path", LIVE)
@pytest.mark.parametrize(("answer", "words"), [(cut, "Sin conexión"), (broken, "no pudo responder")])
def test_it_says_that_a_refresh_failed_and_that_it_is_over(at_desk: Session, path, answer, words) -> None:
    page = at_desk.go(path)
    expect(trouble(page)).to_be_hidden()
    page.route(LIVE[path], answer)
    look_now(page)
    expect(trouble(page)).to_contain_text(words)
    expect(page.locator("#freshness")).to_contain_text("Sin conexión")
    expect(page.locator("#toasts")).to_have_role("status")
    page.unroute(LIVE[path])
    trouble(page).get_by_role("button", name="Probar de nuevo").click()
    expect(trouble(page)).to_be_hidden()
    expect(page.locator("#freshness")).not_to_contain_text("Sin conexión")


def test_it_asks_again_by_itself_for_a_fragment_that_did_not_come(at_desk: Session) -> None:
    page = at_desk.go("/videos/?family=done")
    page.locator(".row__link").first.click()
    page.route("**/trace/", broken)
    page.locator(".trace summary").click()
    expect(trouble(page)).to_contain_text("no pudo responder")
    expect(page.locator("#trace")).to_contain_text("Cargando…")
    page.unroute("**/trace/")
    expect(page.locator("#trace")).not_to_contain_text("Cargando…", timeout=30_000)
    expect(trouble(page)).to_be_hidden()


def test_it_offers_the_log_in_when_the_session_ended_and_comes_back(at_desk: Session) -> None:
    page = at_desk.go("/videos/?family=done")
    page.context.clear_cookies(name="sessionid")
    look_now(page)
    expect(trouble(page)).to_contain_text("Tu sesión terminó")
    assert page.url.endswith("/videos/?family=done")  # nothing is lost: the page is as it was
    trouble(page).get_by_role("link", name="Volver a ingresar").click()
    page.fill("#id_username", "ana")
    page.fill("#id_password", "subiteya-ana")
    page.click(".plain__form .button")
    page.wait_for_url("**/videos/?family=done")


@pytest.mark.parametrize("path", LIVE)
def test_it_does_not_jump_when_it_refreshes(at_desk: Session, path: str) -> None:
    page = at_desk.go(path)
    page.wait_for_load_state("networkidle")
    page.evaluate(COUNT_SHIFTS)
    for part in ("#today", "#rows .row", "#board", "#families"):
        for one in page.locator(part).all()[:5]:
            one.evaluate("(part) => { part.dataset[part.id === 'today' ? 'etag' : 'v'] = 'older'; }")
    with page.expect_response(LIVE[path]) as answer:
        look_now(page)
    assert answer.value.status == 200
    expect(page.locator("[data-v=older], [data-etag=older]")).to_have_count(0)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifts") < STILL
