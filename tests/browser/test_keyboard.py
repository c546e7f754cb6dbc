"""Everything with the keyboard: dialogs give the focus back, and the main jobs need no mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/videos/",
    "/videos/?family=attention",
    "/new/",
    "/accounts/",
    "/accounts/1/circuit/",
    "/monitor/",
    "/notices/",
)
#: More stops than any page has; a page that keeps the focus in a circle before its end fails.
STOPS = 400


#: What a person can act on, by what it is called: a refresh may draw it anew while the focus wanders.
KEYS = """() => {
    window.keyOf = (one) => [one.tagName, one.id, one.name, one.value, one.getAttribute("href"),
        one.getAttribute("formaction"), one.getAttribute("aria-label"), one.textContent.trim().slice(0, 40)].join("|");
    const all = document.querySelectorAll("a[href], button, input, select, textarea, summary");
    return [...all].filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled
        && !one.matches("[type=radio], [tabindex='-1']") && !one.closest("dialog:not([open]), [inert]")).map(keyOf);
}"""


def unreached(page: Page) -> set[str]:
    """What cannot be got to with Tab, from the top of the page to its end."""
    wanted = set(page.evaluate(KEYS))
    page.evaluate("document.activeElement.blur()")
    reached: set[str] = set()
    for _stop in range(STOPS):
        page.keyboard.press("Tab")
        key = page.evaluate("document.activeElement === document.body ? '' : keyOf(document.activeElement)")
        if not key and reached:
            break
        reached.add(key)
    return wanted - reached


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on `selector`."""
    for _stop in range(STOPS):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector}")


def test_it_skips_to_the_content(at_desk: Session) -> None:
    page = at_desk.go("/videos/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('main').contains(document.activeElement)")


@pytest.mark.parametrize("path", PAGES)
def test_it_reaches_everything_with_the_keyboard(at_desk: Session, path: str) -> None:
    page = at_desk.go(path)
    page.wait_for_load_state("networkidle")
    found = unreached(page)
    assert not found or not found & unreached(page)  # what a refresh brought or took meanwhile is met at another try


def test_it_gives_the_focus_back_when_a_dialog_is_left(at_desk: Session) -> None:
    page = at_desk.go("/videos/?family=queued")
    page.locator(".row__link").first.press("Enter")
    for dialog in ("cancel", "reschedule"):
        opener = page.locator(f"[data-dialog=dialog-{dialog}]")
        tab_to(page, f"[data-dialog=dialog-{dialog}]")
        page.keyboard.press("Enter")
        expect(page.locator(f"#dialog-{dialog}")).to_be_visible()
        assert page.evaluate("document.querySelector('dialog[open]').contains(document.activeElement)")
        page.keyboard.press("Escape")
        expect(page.locator(f"#dialog-{dialog}")).to_be_hidden()
        expect(opener).to_be_focused()


def test_it_publishes_without_a_mouse(product: str, at_desk: Session, film: Path) -> None:
    page = at_desk.page
    page.context.clear_cookies(name="sessionid")
    at_desk.go("/login/")
    tab_to(page, "#id_username")
    page.keyboard.type("ana")
    tab_to(page, "#id_password")
    page.keyboard.type("subiteya-ana")
    page.keyboard.press("Enter")
    expect(page.locator(".me__name").first).to_be_attached()
    at_desk.go("/new/")
    tab_to(page, "#file")
    page.set_input_files("#file", film)  # the system's own dialog does this
    expect(page.locator(".taken__state--ready")).to_be_visible()
    tab_to(page, ".choice:not(.choice--lost) input")
    page.keyboard.press("Space")
    expect(page.locator(".part[data-max-seconds]")).to_have_count(1)
    tab_to(page, "#caption")
    page.keyboard.type("Sin soltar el teclado")
    tab_to(page, ".part [name$=privacy_level]")
    page.keyboard.press("Space")
    expect(page.locator("#send")).to_be_enabled()
    tab_to(page, "#send")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-title")).to_be_focused()
    for _duplicate in page.locator("[name=anyway]").all():
        tab_to(page, "[name=anyway]:not(:checked)")
        page.keyboard.press("Space")
    tab_to(page, "#confirm-send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/videos/?batch=*")
    expect(page.locator(".row")).to_have_count(1)


def test_it_takes_up_a_failed_video_without_a_mouse(at_desk: Session) -> None:
    page = at_desk.go("/videos/?family=attention")
    tab_to(page, ".row button[formaction$='/retry/']")
    target = str(page.evaluate("document.activeElement.formAction"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-toast]")).to_be_visible()
    expect(page.locator(f"button[formaction='{target.removeprefix(at_desk.address)}']")).to_have_count(0)
