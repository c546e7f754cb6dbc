"""The main job as a CM does it: a file, two accounts, their choices, and then watching until it is published."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Session, send

pytestmark = pytest.mark.browser

WHOLE_STORY_MS = 90_000


def choose_accounts(page: Page, count: int = 2) -> None:
    for i in range(count):
        page.locator(".choice:not(.choice--lost)").nth(i).click()
    expect(page.locator(".part[data-max-seconds]")).to_have_count(count)


def choose_everywhere(page: Page) -> None:
    """Answer on the first account, copy to the others, and confirm each copy."""
    first = page.locator(".part").first
    first.locator("[name$=privacy_level]").first.check()
    first.locator("[name$=allow_comment]").check()
    if page.locator(".part").count() == 1:
        return
    first.locator("[data-copy-part]").click()
    unconfirmed = page.locator("[data-confirm-part]:visible")
    while unconfirmed.count():
        unconfirmed.first.click()


def drop(page: Page, path: Path) -> None:
    """Drag the file onto the page, as a hand would."""
    data = json.dumps(list(path.read_bytes()))
    transfer = page.evaluate_handle(
        f"""() => {{
            const transfer = new DataTransfer();
            const file = new File([new Uint8Array({data})], {json.dumps(path.name)}, {{type: "video/mp4"}});
            transfer.items.add(file);
            return transfer;
        }}"""
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


def test_it_publishes_a_dropped_file_on_two_accounts(at_desk: Session, film: Path) -> None:
    page = at_desk.go("/new/")
    expect(page.locator("#send")).to_be_disabled()
    expect(page.locator("#missing li")).to_have_count(2)
    drop(page, film)
    expect(page.locator(".taken__state--ready")).to_be_visible()
    expect(page.locator("#taken-name")).to_have_text("medialunas año nuevo.mp4")
    choose_accounts(page)
    assert page.locator(".part :checked").count() == 0
    expect(page.locator("#send")).to_be_disabled()
    page.fill("#caption", "Recién horneadas 😀 #panaderia")
    expect(page.locator("#step-caption [data-count]")).to_have_text("30")
    choose_everywhere(page)
    expect(page.locator("#summary li")).to_have_count(2)
    send(page)
    page.wait_for_url("**/videos/?batch=*")
    expect(page.locator("[data-toast]")).to_be_visible()
    expect(page.locator(".row .chip--done")).to_have_count(2, timeout=WHOLE_STORY_MS)
    assert not at_desk.complaints
    page.locator(".row__link").first.click()
    expect(page.locator(".story__item")).not_to_have_count(0)
    expect(page.locator("video[controls]")).to_have_count(2)
    link = page.locator(".state__acts a").first.get_attribute("href")
    assert re.search(r"/@[a-z0-9_.]+/video/\d+$", link)
    page.go_back()
    page.goto(f"{at_desk.address}/new/")
    expect(page.locator("#caption")).to_have_value("")  # it was sent: the next one is new


def test_it_keeps_the_form_when_the_file_is_refused(at_desk: Session, film: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notas.mp4"
    notes.write_text("this is a text with a video's name")
    page = at_desk.go("/new/")
    page.fill("#caption", "Un texto que no se pierde")
    choose_accounts(page)
    choose_everywhere(page)
    page.set_input_files("#file", notes)
    expect(page.locator("#file-error")).to_be_visible()
    expect(page.locator("#drop")).to_be_visible()
    expect(page.locator("#caption")).to_have_value("Un texto que no se pierde")
    expect(page.locator(".part [name$=privacy_level]:checked")).to_have_count(2)
    page.set_input_files("#file", film)
    expect(page.locator(".taken__state--ready")).to_be_visible()
    expect(page.locator("#file-error")).to_be_hidden()
    expect(page.locator("#send")).to_be_enabled()
    page.reload()  # nor does a reload lose anything
    expect(page.locator(".taken__state--ready")).to_be_visible()
    expect(page.locator(".part [name$=privacy_level]:checked")).to_have_count(2)
    expect(page.locator("#caption")).to_have_value("Un texto que no se pierde")
    expect(page.locator("#send")).to_be_enabled()


def test_it_corrects_subtitles_and_schedules_with_a_label(at_desk: Session, film: Path) -> None:
    page = at_desk.go("/new/")
    page.set_input_files("#file", film)
    expect(page.locator(".taken__state--ready")).to_be_visible()
    choose_accounts(page, 1)
    page.locator(".part [name$=privacy_level][value=SELF_ONLY]").check()
    page.locator("label:has([name=subtitles][value=auto])").click()
    page.fill("#script", "Hola a todos. Esto es una prueba.")
    page.click("#track-make")
    expect(page.locator(".cue")).not_to_have_count(0, timeout=WHOLE_STORY_MS)
    expect(page.locator("#cue-frame")).to_have_js_property("complete", value=True)
    before = page.locator(".cue").count()
    page.locator(".cue [data-cue=text]").first.fill("Hola, ñandú")
    page.locator(".cue [data-cue=text]").first.press("Control+Enter")
    expect(page.locator(".cue")).to_have_count(before + 1)
    page.keyboard.press("Control+Backspace")
    expect(page.locator(".cue")).to_have_count(before)
    page.locator("label.switch:has([name=discloses])").click()
    expect(page.locator("#send")).to_be_disabled()
    page.check("[name=brand_content]")
    expect(page.locator(".part [value=SELF_ONLY]")).to_be_disabled()
    expect(page.locator("#consent-branded")).to_be_visible()
    page.locator(".part [name$=privacy_level]").first.check()
    page.locator("label:has([name=when][value=later])").click()
    page.fill("#scheduled_day", "2035-12-24")
    page.fill("#scheduled_hour", "18:30")
    expect(page.locator("#schedule-zones li")).to_have_count(1)
    send(page)  # what was corrected is saved on the way
    page.wait_for_url("**/videos/?batch=*")
    expect(page.locator(".row__when")).to_contain_text("18:30")
    page.locator(".row__link").click()
    page.locator("[data-dialog=dialog-cancel]").click()
    page.locator("#dialog-cancel .button--danger").click()
    expect(page.locator(".state .chip--ended")).to_be_visible()
    assert not at_desk.complaints


def test_it_asks_less_in_inbox_mode(at_desk: Session, film: Path) -> None:
    page = at_desk.go("/new/")
    page.set_input_files("#file", film)
    page.locator("label.way:has([value=inbox])").click()
    page.locator(".choice").first.click()
    for hidden in ("#step-caption", "#step-labels", "#parts", "#consent"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".taken__state--ready")).to_be_visible()
    send(page)
    page.wait_for_url("**/videos/?batch=*")
    expect(page.locator(".row .chip--yours")).to_have_count(1, timeout=WHOLE_STORY_MS)
