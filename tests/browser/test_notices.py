"""The bell: it rings on a page that is open, and leads to what mends it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, Session
from tests.browser.installation import Installation
from tests.processes import wait_for

pytestmark = pytest.mark.browser

#: Every notice of Ana's is unread again, whatever other tests read.
UNREAD = "from notices.models import NoticeCopy as C; C.objects.filter(user__username='ana').update(read_at=None)"


def unread(session: Session) -> int:
    return int(session.page.locator("#bell-side").get_attribute("data-unread") or 0)


def test_it_rings_when_an_account_is_lost_and_mends_it_from_the_notice(
    installation: Installation, chromium: Browser, at_desk: Session
) -> None:
    name = "@aviso.perdido"  # nobody else's test loses it
    installation.connect([name.removeprefix("@")])
    page = at_desk.go("/accounts/")
    before = unread(at_desk)
    other = Session(chromium.new_context(viewport=DESKTOP, locale="es-AR"), installation.web_url)
    other.log_in("admin")
    card = other.go("/accounts/").locator(".account", has_text=name).first
    card.locator("[data-dialog]").first.click()
    other.page.locator("dialog[open] .button--danger").click()
    expect(other.page.locator(".account--lost", has_text=name)).to_have_count(1)

    # The demo's own failures may be told meanwhile, too.
    expect(page.locator("#bell-side")).not_to_have_attribute("data-unread", str(before), timeout=40_000)
    assert page.locator("#bell-said").inner_text()

    page.click("#bell-side")
    notice = page.locator(".notice", has_text=name).filter(has_text="Reconectar y reanudar")
    expect(notice).to_have_count(1)
    notice.locator(".button--primary").click()
    page.wait_for_url("**/v2/auth/authorize/**")
    page.check(f"input[name=username][value='{name.removeprefix('@')}']")
    page.click("button[value=authorize]")
    expect(page.locator("[data-toast].is-done")).to_contain_text(name)
    at_desk.go("/notices/")
    expect(
        page.locator(".notice:not(.notice--unread)", has_text=name).filter(has_text="Ya está conectada")
    ).to_have_count(1)
    other.page.context.close()
    assert at_desk.complaints == []


def test_it_reads_all_and_takes_it_back(installation: Installation, at_desk: Session) -> None:
    installation.manage("shell", "-v0", "-c", UNREAD)
    page = at_desk.go("/notices/")
    before = unread(at_desk)
    assert before > 0
    page.locator(".notices__tools button").click()
    expect(page.locator("#bell-side")).to_have_attribute("data-unread", "0")
    page.locator(".notices__undo button").click()
    # At least those: something may have failed meanwhile, too.
    wait_for(lambda: unread(at_desk) >= before)
    assert at_desk.complaints == []
