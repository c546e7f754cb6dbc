"""Every page holds WCAG 2.2 AA and axe's good practice: on both sizes, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.addresses import ADDRESSES, addresses_of_videos
from tests.browser.conftest import DESKTOP, PHONE, People, Session, session_of
from tests.browser.test_new import WHOLE_STORY_MS, choose_accounts, choose_everywhere

pytestmark = pytest.mark.browser

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RULES = {
    "runOnly": {"type": "tag", "values": list(TAGS)},
    "rules": {"target-size": {"enabled": True}},  # 2.5.8, which axe leaves off unless asked
    "resultTypes": ["violations"],
}
#: What the dark look alone can break.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
AXE = Axe()
FOR_ADMINISTRATORS = ("/monitor/alerts/", "/monitor/runbooks/CircuitOpen/", "/monitor/", "/monitor/audit/")
SIZES = {"desk": DESKTOP, "phone": PHONE}


def violations(page: Page) -> list[str]:
    """What axe holds against the page as it stands, a line each; then against its dark look."""
    page.emulate_media(color_scheme="light")
    found = AXE.run(page, options=RULES).response["violations"]
    page.emulate_media(color_scheme="dark")
    found += AXE.run(page, options=COLOURS).response["violations"]
    return [
        f"{page.url} {rule['id']}: {node['target']} {node['html'][:160]}" for rule in found for node in rule["nodes"]
    ]


@pytest.fixture(params=SIZES)
def looker(request: pytest.FixtureRequest, chromium: Browser, product: str, people: People) -> Iterator[Session]:
    """Ana at a desk and with a phone; nothing is in the middle of a transition."""
    size = SIZES[request.param]
    yield from session_of("ana", chromium, product, people, viewport=size, reduced_motion="reduce")


@pytest.fixture(params=SIZES)
def administrator(request: pytest.FixtureRequest, chromium: Browser, product: str, people: People) -> Iterator[Session]:
    yield from session_of("admin", chromium, product, people, viewport=SIZES[request.param], reduced_motion="reduce")


def test_it_finds_nothing_on_the_log_in(looker: Session) -> None:
    looker.page.context.clear_cookies()
    page = looker.go("/login/")
    found = violations(page)
    page.fill("#id_username", "ana")
    page.fill("#id_password", "wrong")
    page.click(".plain__form .button")
    found += violations(page)
    assert found == []


def test_it_finds_nothing_on_any_page(looker: Session) -> None:
    page, found = looker.page, []
    for path in ADDRESSES:
        looker.go(path)
        found += violations(page)
    assert found == []


def test_it_finds_nothing_on_a_video_of_each_family(looker: Session) -> None:
    page, found = looker.page, []
    for address in addresses_of_videos(looker):
        looker.go(address)
        expect(page.locator(".trace summary")).to_be_visible()
        found += violations(page)
    looker.go("/videos/?family=done")
    page.locator(".row__link").first.click()
    page.locator(".trace summary").click()
    expect(page.locator("#trace .quiet").first).not_to_have_text("Cargando…")
    found += violations(page)
    assert found == []


def test_it_finds_nothing_where_choices_and_dialogs_are_open(looker: Session) -> None:
    page = looker.go("/new/")
    found = violations(page)
    page.locator(".choice:not(.choice--lost)").first.click()
    expect(page.locator(".part[data-max-seconds]")).to_have_count(1)
    page.locator("label:has([name=when][value=later])").click()
    page.locator("label.switch:has([name=discloses])").click()
    found += violations(page)
    looker.go("/accounts/")
    page.locator("[data-dialog]").first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    found += violations(page)
    looker.go("/videos/?family=queued")
    page.locator(".row__link").first.click()
    for dialog in ("cancel", "reschedule"):
        page.locator(f"[data-dialog=dialog-{dialog}]").click()
        expect(page.locator("dialog[open]")).to_be_visible()
        found += violations(page)
        page.keyboard.press("Escape")
    assert found == []


def test_it_finds_nothing_where_a_group_is_to_be_mended(looker: Session) -> None:
    page = looker.go("/")
    page.locator(".group [aria-haspopup=dialog]").first.click()
    expect(page.locator("#dialog-act")).to_be_visible()
    found = violations(page)
    looker.go("/videos/?status=unconfirmed")
    page.locator(".row").get_by_role("link", name="Decir si está").first.click()
    expect(page.locator("#dialog-resolve")).to_be_visible()
    found += violations(page)
    assert found == []


def test_it_finds_nothing_on_what_is_read_before_sending(looker: Session, film: Path) -> None:
    page = looker.go("/new/")
    page.set_input_files("#file", film)
    expect(page.locator(".taken__state--ready")).to_be_visible()
    choose_accounts(page)
    choose_everywhere(page)
    page.locator("label:has([name=subtitles][value=auto])").click()
    page.fill("#script", "Hola a todos. Esto es una prueba.")
    page.click("#track-make")
    expect(page.locator(".cue")).not_to_have_count(0, timeout=WHOLE_STORY_MS)
    found = violations(page)
    page.click("#send")
    expect(page.locator("#dialog-confirm")).to_be_visible()
    found += violations(page)
    assert found == []


def test_it_finds_nothing_on_pages_of_administrators(administrator: Session) -> None:
    found = []
    for path in FOR_ADMINISTRATORS:
        found += violations(administrator.go(path))
    assert found == []
