"""The whole product in real processes, with the demo's people and history, and a Chromium to click through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.installation import Installation, installed

CHROMIUM = os.environ.get("SUBITEYA_CHROMIUM", "/usr/bin/chromium")
DESKTOP, PHONE = {"width": 1366, "height": 768}, {"width": 375, "height": 812}
TIMEOUT_MS = 20_000


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The running product and what is around it."""
    with installed(tmp_path_factory.mktemp("product")) as product:
        yield product


@pytest.fixture(scope="session")
def product(installation: Installation) -> str:
    """The web application's address."""
    return installation.web_url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Session:
    """A person at a screen; every complaint of the browser is collected."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        context.set_default_timeout(TIMEOUT_MS)
        self.page: Page = context.new_page()
        self.address = address
        self.size = "phone" if self.page.viewport_size == PHONE else "desk"
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self._heard(line))

    def _heard(self, line: Any) -> None:
        if line.type in {"error", "warning"}:
            self.complaints.append(line.text)

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def log_in(self, username: str = "ana") -> None:
        page = self.go("/login/")
        page.fill("#id_username", username)
        page.fill("#id_password", f"subiteya-{username}")
        page.click(".plain__form .button")
        expect(page.locator(".me__name").first).to_be_attached()

    def prove(self, username: str = "ana") -> None:
        """Say again who it is, before what can do harm: the log-in may be long ago."""
        page = self.go("/security/again/")
        page.fill("#password", f"subiteya-{username}")
        page.click(".plain__form .button--primary")
        page.wait_for_url(f"{self.address}/")


People = Callable[[str], Any]


@pytest.fixture(scope="session")
def people(chromium: Browser, product: str) -> People:
    """The cookies of somebody who logged in once, by name: what a browser that was here before brings along."""

    @cache
    def cookies_of(username: str) -> Any:
        context = chromium.new_context(locale="es-AR")
        Session(context, product).log_in(username)
        cookies = context.storage_state()
        context.close()
        return cookies

    return cookies_of


@pytest.fixture
def at_desk(product: str, chromium: Browser, people: People) -> Iterator[Session]:
    """Ana, logged in, at 1366×768."""
    yield from session_of("ana", chromium, product, people, viewport=DESKTOP)


@pytest.fixture
def on_phone(product: str, chromium: Browser, people: People) -> Iterator[Session]:
    """Ana, logged in, at 375×812."""
    yield from session_of("ana", chromium, product, people, viewport=PHONE)


def session_of(
    username: str, chromium: Browser, address: str, people: People, **context_options: Any
) -> Iterator[Session]:
    """A new window of `username`, who is logged in."""
    context = chromium.new_context(locale="es-AR", storage_state=people(username), **context_options)
    yield Session(context, address)
    context.close()


def send(page: Page) -> None:
    """Press the button of the New page, and confirm what TikTok receives; a duplicate goes out all the same."""
    page.click("#send")
    expect(page.locator("#dialog-confirm")).to_be_visible()
    for box in page.locator("#dialog-confirm [name=anyway]").all():
        box.check()
    page.click("#confirm-send")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds that need no edit."""
    from tests.publishing.conftest import make_clip

    return make_clip(tmp_path_factory.mktemp("film") / "medialunas año nuevo.mp4", seconds=2)
