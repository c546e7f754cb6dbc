"""Hoy: from opening the page to the started repair of twelve failures, in two presses; undone in a third."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Session
from tests.browser.installation import Installation
from tests.browser.test_trouble import LIVE, look_now

pytestmark = pytest.mark.browser

PRESSES = """() => {
    window.presses = 0;
    addEventListener("click", (event) => event.isTrusted && window.presses++, true);
}"""
#: Rows as a burst of failed edits leaves them; their file is one of the demo's.
STAGE = """
import json, sys
from accounts.models import TikTokAccount, User
from publishing.models import Asset, Batch, Video
username, count = json.load(sys.stdin)
ana, account = User.objects.get(username="ana"), TikTokAccount.objects.get(username=username)
source = Asset.objects.filter(kind="source", status="ready").first()
for number in range(count):
    batch = Batch.objects.create(
        created_by=ana, source=source, submission_key=f"burst-{username}-{number}", trace_id=f"{number:032x}"
    )
    Video.objects.create(
        batch=batch, account=account, status="failed_edit", reason_code="edit_failed", privacy_level="SELF_ONLY",
        caption=f"Ráfaga {number}", time_zone=account.time_zone, trace_id=batch.trace_id,
    )
"""


def burst(installation: Installation, username: str) -> None:
    installation.connect([username])
    installation.manage("shell", "-v0", "-c", STAGE, stdin=json.dumps([username, 12]))


def test_it_starts_the_repair_of_twelve_failures_in_two_presses(installation: Installation, at_desk: Session) -> None:
    burst(installation, "rafaga.uno")
    page = at_desk.go("/")
    page.evaluate(f"({PRESSES})()")
    group = page.locator(".group", has_text="@rafaga.uno")
    expect(group).to_contain_text("12 videos")

    group.get_by_role("button", name="Reintentar 12 ediciones").click()
    dialog = page.locator("#dialog-act")
    expect(dialog).to_contain_text("12 · Se edita de nuevo; no se vuelve a descargar.")
    presses = page.evaluate("window.presses") + 1
    dialog.get_by_role("button", name="Reintentar 12").click()

    expect(page.locator("[data-undo]")).to_contain_text("12 videos")
    assert presses == 2
    expect(page.locator(".group", has_text="@rafaga.uno")).to_have_count(0)
    assert at_desk.complaints == []


def test_it_takes_the_repair_back_on_the_phone(installation: Installation, on_phone: Session) -> None:
    burst(installation, "rafaga.dos")
    page = on_phone.go("/")
    page.locator(".group", has_text="@rafaga.dos").get_by_role("button", name="Reintentar 12 ediciones").click()
    page.locator("#dialog-act").get_by_role("button", name="Reintentar 12").click()

    page.locator("[data-undo]").get_by_role("button", name="Deshacer").click()

    expect(page.locator("[data-toast].is-done")).to_contain_text("como estaba")
    expect(page.locator(".group", has_text="@rafaga.dos")).to_contain_text("videos")
    assert on_phone.complaints == []


def test_it_draws_nothing_while_nothing_changes_and_then_says_what_changed(
    installation: Installation, at_desk: Session
) -> None:
    page = at_desk.go("/")
    page.wait_for_load_state("networkidle")
    said = page.locator("#announcer")
    expect(said).to_have_role("status")
    for _look in range(10):  # what other tests began may still move
        page.locator("#today").evaluate("(part) => { part.dataset.kept = 'yes'; }")
        with page.expect_response(LIVE["/"]) as answer:
            look_now(page)
        if answer.value.status == 304:
            break
        page.wait_for_timeout(1000)
    assert answer.value.status == 304
    expect(page.locator("#today")).to_have_attribute("data-kept", "yes")

    before = int(page.locator("[data-attention]").get_attribute("data-attention") or 0)
    burst(installation, "rafaga.tres")
    look_now(page)

    expect(page.locator(".group", has_text="@rafaga.tres")).to_contain_text("12 videos")
    expect(said).to_have_text(re.compile(r"atención: \d+$"))
    assert int(said.inner_text().rpartition(" ")[2]) >= before + 12 - 2  # others may have been mended meanwhile
    assert at_desk.complaints == []


def test_it_leaves_alone_what_did_not_change_with_the_focus_in_it(installation: Installation, at_desk: Session) -> None:
    burst(installation, "rafaga.cuatro")
    page = at_desk.go("/")
    page.wait_for_load_state("networkidle")
    link = page.locator(".group", has_text="@rafaga.cuatro").get_by_role("link", name="Ver los 12")
    link.focus()
    page.locator(".group", has_text="@rafaga.cuatro").evaluate("(group) => { group.wasHere = true; }")

    burst(installation, "rafaga.cinco")
    with page.expect_response(LIVE["/"]) as answer:
        look_now(page)

    fresh = page.locator(".group", has_text="@rafaga.cinco")
    expect(fresh).to_contain_text("12 videos")
    expect(link).to_be_focused()
    assert page.locator(".group", has_text="@rafaga.cuatro").evaluate("(group) => group.wasHere")
    assert "@rafaga.cinco" in answer.value.text()
    assert "@rafaga.cuatro" not in answer.value.text()
    assert page.locator("#today [hx-preserve]").count() == 0
    assert at_desk.complaints == []


def test_it_asks_for_all_of_it_when_a_part_is_missing(installation: Installation, at_desk: Session) -> None:
    page = at_desk.go("/")
    page.wait_for_load_state("networkidle")
    page.locator("#today-leaders").evaluate("(part) => { part.id = 'elsewhere'; }")  # its mark is sent all the same
    burst(installation, "rafaga.seis")
    for _look in range(2):  # the first finds no element for the empty place
        with page.expect_response(LIVE["/"]):
            look_now(page)
        page.wait_for_timeout(500)
    expect(page.locator(".group", has_text="@rafaga.seis")).to_contain_text("12 videos")
    expect(page.locator("#today-leaders")).to_be_visible()
    assert at_desk.complaints == []
