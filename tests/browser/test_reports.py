"""Learning from what was published, as a CM does it: a chip in New, its reason, its record; both reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Session
from tests.browser.test_new import choose_accounts

pytestmark = pytest.mark.browser


def test_it_takes_a_suggested_hashtag_by_keyboard_and_back_out(at_desk: Session, film: Path) -> None:
    page = at_desk.go("/new/")
    choose_accounts(page, 2)
    chip = page.locator(".hints__chip").first
    expect(chip).to_have_attribute("aria-pressed", "false")
    why = page.locator(f"#{chip.get_attribute('aria-describedby')}")
    expect(why).to_contain_text("en 30 días")
    expect(why).to_contain_text("mediana de su cuenta")
    page.fill("#caption", "Recién horneadas")
    chip.focus()
    page.keyboard.press("Enter")
    hashtag = chip.get_attribute("data-hashtag")
    expect(page.locator("#caption")).to_have_value(f"Recién horneadas #{hashtag} ")
    expect(chip).to_have_attribute("aria-pressed", "true")
    page.fill("#caption", f"Otra cosa #{str(hashtag).upper()} y más")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(page.locator("#caption")).to_have_value("Otra cosa y más")
    page.fill("#caption", "#a #b #c #d #e")
    expect(page.locator("#too-many-hashtags")).to_be_hidden()
    page.fill("#caption", "#a #b #c #d #e #f")
    expect(page.locator("#too-many-hashtags")).to_be_visible()
    assert at_desk.complaints == []


def test_it_blocks_a_hashtag_and_takes_that_back(at_desk: Session) -> None:
    page = at_desk.go("/new/")
    choose_accounts(page, 1)
    expect(page.locator(".hints__chip")).not_to_have_count(0)
    chips = page.locator(".hints__chip").count()
    page.locator(".hints__block").first.click()
    expect(page.locator(".hints__chip")).to_have_count(chips - 1)
    page.locator("[data-hint-undo]").click()
    expect(page.locator(".hints__chip")).to_have_count(chips)
    assert at_desk.complaints == []


def test_it_leads_from_the_lot_in_new_to_its_report(at_desk: Session) -> None:
    page = at_desk.go("/new/")
    page.get_by_label("Lo elige el sistema").check()
    page.get_by_role("link", name="Ver el informe").click()
    expect(page.get_by_role("heading", name="¿Ayudan los subtítulos?")).to_be_visible()
    expect(page.locator(".report__kind [aria-current]")).to_have_text("Por sorteo")
    page.get_by_role("link", name="Hashtags", exact=True).click()
    expect(page.get_by_role("heading", name="Hashtags", exact=True)).to_be_visible()
    assert at_desk.complaints == []
