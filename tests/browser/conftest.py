"""The whole product in real processes, with the demo's people and history, and a Chromium to click through it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.processes import MANAGE, free_port, running, wait_for

CHROMIUM = os.environ.get("SUBITEYA_CHROMIUM", "/usr/bin/chromium")
DESKTOP, PHONE = {"width": 1366, "height": 768}, {"width": 375, "height": 812}
TIMEOUT_MS = 20_000


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`manage.py up` on free ports with the demo's data; answers the web application's address."""
    folder = tmp_path_factory.mktemp("product")
    environment = {
        "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SUBITEYA_VAR_DIR": str(folder / "var"),
        "SUBITEYA_STATIC_ROOT": str(folder / "static"),
        "SUBITEYA_WEB_PORT": str(free_port()),
        "SUBITEYA_SANDBOX_PORT": str(free_port()),
        "SUBITEYA_WEB_PROCESSES": "1",
        "SUBITEYA_LANGUAGE": "es",
    }
    card = folder / "var" / "up.json"
    with running([*MANAGE, "up"], log=folder / "log", **environment) as process:
        wait_for(lambda: card.exists() or process.poll() is not None, seconds=120)
        assert process.poll() is None, (folder / "log").read_text()
        demo = [*MANAGE, "demo_data"]
        subprocess.run(demo, env={**os.environ, **environment}, check=True, timeout=180, capture_output=True)
        yield str(json.loads(card.read_text())["web_url"])


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
        page.wait_for_url("**/videos/")


@pytest.fixture
def at_desk(product: str, chromium: Browser) -> Iterator[Session]:
    """Ana, logged in, at 1366×768."""
    yield from _session(chromium, product, DESKTOP)


@pytest.fixture
def on_phone(product: str, chromium: Browser) -> Iterator[Session]:
    """Ana, logged in, at 375×812."""
    yield from _session(chromium, product, PHONE)


def _session(chromium: Browser, address: str, size: Any) -> Iterator[Session]:
    context = chromium.new_context(viewport=size, locale="es-AR")
    session = Session(context, address)
    session.log_in()
    yield session
    context.close()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds that need no edit."""
    from tests.publishing.conftest import make_clip

    return make_clip(tmp_path_factory.mktemp("film") / "medialunas año nuevo.mp4", seconds=2)
