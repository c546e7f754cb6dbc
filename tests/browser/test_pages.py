"""Every page on a phone and with the keyboard, and the trip to TikTok's page and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.addresses import ADDRESSES, addresses_of_videos
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

#: 1280 pixels at 400 % (WCAG 1.4.10).
ZOOMED = {"width": 320, "height": 256}
#: Boxes of controls that are smaller than a thumb, with what is inside them.
SMALL = """() => [...document.querySelectorAll("a.button, button, select, .input, .nav a, .tabs a, .family, .tick")]
    .filter((one) => one.checkVisibility() && !one.closest("dialog"))
    .map((one) => ({ height: one.getBoundingClientRect().height, text: one.textContent.trim() || one.outerHTML }))
    .filter(({ height }) => height > 0 && height < 43.5)
    .map(({ height, text }) => `${height}: ${text.slice(0, 60)}`)"""

#: When the page scrolls sideways: what reaches past its edge, the innermost boxes first.
WIDE = """() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const past = (one) => one.checkVisibility() && one.getBoundingClientRect().right > clientWidth + 0.5;
    return scrollWidth <= clientWidth ? [] : [`${scrollWidth} > ${clientWidth}`,
        ...[...document.querySelectorAll("body *")].filter(past).reverse().map((one) => one.outerHTML.slice(0, 160))];
}"""


def too_wide(page: Page) -> list[str]:
    """What reaches past the right edge, when the page scrolls sideways."""
    return page.evaluate(WIDE)


def choose_language(page: Page, language: str) -> None:
    page.locator(".top summary").click()
    page.locator(f".top [name=language][value={language}]").click()
    expect(page.locator(f"html[lang={language}]")).to_be_attached()


@pytest.fixture(params=["es", "en"])
def in_language(request: pytest.FixtureRequest, on_phone: Session) -> Iterator[None]:
    """Ana reads this language; afterwards Spanish again, since the choice is kept with the person."""
    choose_language(on_phone.go("/"), request.param)
    yield
    choose_language(on_phone.go("/"), "es")


@pytest.mark.usefixtures("in_language")
def test_it_fits_a_phone(on_phone: Session) -> None:
    page = on_phone.page
    for path in (*ADDRESSES, *addresses_of_videos(on_phone)):
        on_phone.go(path)
        assert not too_wide(page), path
        assert page.evaluate(SMALL) == [], path
    on_phone.go("/new/")
    page.locator(".choice").first.click()
    expect(page.locator(".part[data-max-seconds]")).to_have_count(1)
    assert not too_wide(page)
    assert page.evaluate(SMALL) == []


def test_it_flows_at_four_hundred_percent(on_phone: Session) -> None:
    addresses = (*ADDRESSES, *addresses_of_videos(on_phone))
    on_phone.page.set_viewport_size(ZOOMED)
    wide = {path: found for path in addresses if (found := too_wide(on_phone.go(path)))}
    assert wide == {}


def test_it_fits_a_small_laptop(at_desk: Session) -> None:
    for path in (*ADDRESSES, *addresses_of_videos(at_desk)):
        page = at_desk.go(path)
        assert not too_wide(page), path
    assert at_desk.complaints == ["Failed to load resource: the server responded with a status of 404 (Not Found)"]


def test_it_works_with_the_keyboard(at_desk: Session) -> None:
    page = at_desk.go("/videos/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.locator(".row__link").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/videos/*/")


def test_it_disconnects_and_reconnects_an_account(at_desk: Session) -> None:
    at_desk.prove()
    page = at_desk.go("/accounts/")
    card = page.locator(".account").first
    name = card.locator("h2").first.inner_text()
    lost = page.locator(".account--lost", has_text=name)
    card.locator("[data-dialog]").click()
    page.locator("dialog[open] .button--danger").click()
    expect(lost).to_have_count(1)
    lost.locator(".button--primary").click()
    page.wait_for_url("**/v2/auth/authorize/**")
    page.check(f"input[name=username][value='{name.removeprefix('@')}']")
    page.click("button[value=authorize]")
    page.wait_for_url("**/accounts/")
    expect(lost).to_have_count(0)
    expect(page.locator("[data-toast].is-done")).to_contain_text(name)


def test_it_keeps_what_a_person_unfolded_when_the_monitor_changes(at_desk: Session) -> None:
    page = at_desk.go("/monitor/?days=30")
    board = page.locator("#board")
    current = board.get_attribute("data-v")
    page.locator("#throughput-numbers summary").click()
    board.evaluate("(board) => { board.dataset.v = 'older'; }")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(board).to_have_attribute("data-v", str(current))
    expect(page.locator("#throughput-numbers")).to_have_attribute("open", "")
    expect(page.locator("#throughput-numbers tbody tr")).to_have_count(30)
    assert at_desk.complaints == []
