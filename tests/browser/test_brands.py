"""The brand pattern's editor: the picture follows the form, and nothing is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_it_previews_as_one_edits_and_saves(at_desk):
    page = at_desk.go("/brands/new/")
    picture = page.locator("[data-picture]")
    expect(picture).to_be_visible()
    first = picture.get_attribute("src")
    page.select_option("#id_fit", "pad")
    expect(picture).not_to_have_attribute("src", first)
    undo = page.locator("[data-revert]")
    undo.click()
    expect(page.locator("#id_fit")).to_have_value("blur")
    expect(undo).to_be_hidden()
    page.fill("#id_loudness_lufs", "-99")
    expect(page.locator("[data-error]")).to_be_visible()
    page.fill("#id_loudness_lufs", "-16")
    expect(page.locator("[data-error]")).to_be_hidden()
    page.fill("#id_name", "De prueba")
    page.click("#brand button[type=submit]")
    page.wait_for_url(re.compile(r"/brands/\d+/$"))
    expect(page.locator("#id_loudness_lufs")).to_have_value("-16.0")
    assert [line for line in at_desk.complaints if "422" not in line] == []


def test_it_warns_before_it_loses_a_change(at_desk):
    asked = []
    page = at_desk.go("/brands/new/")
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.fill("#id_name", "Sin guardar")
    page.click(".up")
    page.wait_for_url("**/brands/")
    assert asked == ["beforeunload"]
