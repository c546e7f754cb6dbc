#!/usr/bin/env python3
"""Takes the pictures of docs/img/ from a running demo: `tools/screenshots.py http://127.0.0.1:8000` (`make demo`).

Needs Chromium (SUBITEYA_CHROMIUM, /usr/bin/chromium by default). Each picture is a JPEG of at most 120 kB.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs/img"
CHROMIUM = os.environ.get("SUBITEYA_CHROMIUM", "/usr/bin/chromium")
SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 375, "height": 812}}
MOST_BYTES = 120_000
QUALITIES = (80, 70, 60, 50, 40)
SAMPLE = Path(__file__).resolve().parents[1] / "demo/sample.mp4"


def new_confirmed(page: Page) -> None:
    """The New page, filled in down to the confirmation of what TikTok receives."""
    page.set_input_files("#file", SAMPLE)
    page.locator(".taken__state--ready").wait_for()
    page.locator(".choice:not(.choice--lost)").first.click()
    page.locator(".part[data-max-seconds]").wait_for()
    page.fill("#caption", "Medialunas recién horneadas #panaderia")
    page.locator(".part [name$=privacy_level]").first.check()
    page.click("#send")
    page.locator("#dialog-confirm").wait_for()


def videos_chosen(page: Page) -> None:
    """Three videos of the list chosen."""
    boxes = page.locator(".row input[type=checkbox]")
    for i in range(min(3, boxes.count())):
        boxes.nth(i).check()


def video_of(family: str) -> Callable[[Page], None]:
    """The page of the newest video of a family."""

    def open_it(page: Page) -> None:
        page.goto(f"{page.url.split('/videos/')[0]}/videos/?family={family}")
        page.locator(".row__link").first.click()
        page.locator(".state").wait_for()

    return open_it


def first_brand(page: Page) -> None:
    page.locator("main a[href^='/brands/']").first.click()
    page.wait_for_load_state("networkidle")


SCREENS: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "hoy": ("/", None),
    "videos": ("/videos/", videos_chosen),
    "video": ("/videos/", video_of("done")),
    "new": ("/new/", new_confirmed),
    "brand": ("/brands/", first_brand),
    "notices": ("/notices/", None),
    "setup": ("/setup/", None),
}


def save(page: Page, path: Path) -> None:
    """The window as it stands, in the best quality that is small enough."""
    for quality in QUALITIES:
        data = page.screenshot(type="jpeg", quality=quality)
        if len(data) <= MOST_BYTES:
            path.write_bytes(data)
            return
    sys.exit(f"{path.name} does not fit into {MOST_BYTES} bytes")


def main(address: str, *names: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for size, viewport in SIZES.items():
            page = browser.new_context(viewport=viewport, locale="es-AR").new_page()
            page.goto(f"{address}/login/")
            page.fill("#id_username", "ana")
            page.fill("#id_password", "subiteya-ana")
            page.click(".plain__form .button")
            page.locator(".me__name").first.wait_for(state="attached")
            for name in names or SCREENS:
                path, prepare = SCREENS[name]
                page.goto(f"{address}{path}")
                page.wait_for_load_state("networkidle")
                if prepare:
                    prepare(page)
                    page.wait_for_load_state("networkidle")
                save(page, FOLDER / f"{name}-{size}.jpg")


if __name__ == "__main__":
    main(*sys.argv[1:])
