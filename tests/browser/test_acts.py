"""Many videos at once in Chromium: chosen by mouse and keyboard, seen before, done, and taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Session

pytestmark = pytest.mark.browser


def chosen(session: Session) -> int:
    return session.page.locator("[data-pick]:checked").count()


def test_it_chooses_rows_by_range_and_keyboard_and_keeps_them(at_desk: Session) -> None:
    page = at_desk.go("/videos/")
    boxes = page.locator("[data-pick]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert chosen(at_desk) == 4
    page.locator(".row__link").nth(6).focus()
    page.keyboard.press("x")
    page.locator(".row__link").nth(7).focus()
    page.keyboard.press("Space")
    assert chosen(at_desk) == 6
    page.click("#more a")
    expect(boxes).to_have_count(60)
    page.evaluate("htmx.ajax('GET', '/videos/live/?v=' + document.querySelector('.row:nth-child(2)').dataset.pk + '-0&"
                  "newest=999999&counts=', {source: '#rows', target: '#rows', swap: 'none'})")  # fmt: skip
    page.wait_for_timeout(500)
    assert chosen(at_desk) == 6  # a row that was drawn anew has its tick
    page.check("#pick-page")
    page.click("#bar-all")
    assert chosen(at_desk) == 60
    page.keyboard.press("Escape")
    assert chosen(at_desk) == 0
    expect(page.locator("#bar")).to_be_hidden()
    assert at_desk.complaints == []


@pytest.mark.parametrize("size", ["at_desk", "on_phone"])
def test_it_says_what_will_happen_does_it_and_takes_it_back(size: str, request: pytest.FixtureRequest) -> None:
    session: Session = request.getfixturevalue(size)
    page = session.go("/videos/?status=missed")
    before = page.locator(".row").count()
    page.check("#pick-page")
    page.click("#bar [value=cancel]")
    dialog = page.locator("#dialog-act")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.evaluate("document.activeElement.value") == "cancel"
    page.click("#bar [value=cancel]")
    dialog.locator(".button--danger").click()
    undo = page.locator("[data-undo]")
    expect(undo).to_be_visible()
    expect(page.locator(".row")).to_have_count(0)
    page.reload()
    expect(undo).to_be_visible()
    page.locator("body").press("Control+z")
    expect(page.locator(".row")).to_have_count(before)
    expect(undo).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert session.complaints == []


def test_it_looks_again_when_the_hour_changes(at_desk: Session) -> None:
    page = at_desk.go("/videos/?status=missed")
    page.check("#pick-page")
    page.click("#bar [value=reschedule]")
    dialog = page.locator("#dialog-act")
    expect(dialog.locator("#act-effects .button--primary")).to_be_visible()
    dialog.locator("[name=tomorrow]").nth(1).check()
    dialog.locator("#act-day").fill("2020-01-01")
    dialog.locator("#act-hour").fill("10:00")
    page.keyboard.press("Tab")
    expect(dialog.locator("#act-effects .button--primary")).to_have_count(0)
    dialog.locator("#act-day").fill("2040-01-01")
    page.keyboard.press("Tab")
    expect(dialog.locator("#act-effects .button--primary")).to_be_visible()
