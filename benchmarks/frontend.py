"""What a browser feels of Hoy and Videos: bytes of the first load and of a refresh, presses, and what jumps.

The product runs as `manage.py up` runs it (gunicorn, compressed static files) with the demo's people and month; then
again with 2 000 accounts and many videos. A headless Chromium with an empty cache, its processor four times slower for
the presses, is driven over the DevTools protocol. Bytes are those of the network, headers and pictures included.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from benchmarks.harness import Figure, percentile, progress
from tests.browser.conftest import CHROMIUM, DESKTOP, PHONE, Session
from tests.browser.installation import Installation, installed

SLOWER, ROUNDS = 4, 5
FIRST_LOAD, REFRESH, PRESS_MS = 100_000, 5_000, 100
#: Layout shifts that a person notices begin at 0.1 (web.dev); none at all is the aim, rounding apart.
SHIFT = 0.001
PAGES = {"Hoy": "/", "Videos": "/videos/"}
LIVE = {"Hoy": re.compile(r"/today/live/"), "Videos": re.compile(r"/videos/live/")}
#: Long presses (8 ms is the least that Chromium reports) and everything that jumped without a press.
WATCH = """() => {
    window.presses = []; window.shifts = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
        if (entry.interactionId) window.presses.push([entry.name, entry.duration]);
    })).observe({ type: "event", durationThreshold: 16, buffered: true });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
        if (!entry.hadRecentInput) window.shifts.push(entry.value);
    })).observe({ type: "layout-shift", buffered: true });
}"""
MANY = """
import json, sys
from django.utils import timezone
from accounts.models import Sector, TikTokAccount, User
from publishing.models import Asset, Batch, Video
accounts, videos = json.load(sys.stdin)
ana, sector = User.objects.get(username="ana"), Sector.objects.first()
TikTokAccount.objects.bulk_create(
    TikTokAccount(open_id=f"many-{n}", username=f"cliente.{n:04}", display_name=f"Cliente {n}", sector=sector,
                  connected_at=timezone.now())
    for n in range(accounts)
)
made = list(TikTokAccount.objects.filter(open_id__startswith="many-").order_by("pk"))
TikTokAccount.managers.through.objects.bulk_create(
    TikTokAccount.managers.through(tiktokaccount=one, user=ana) for one in made[:50]
)
sources = list(Asset.objects.filter(kind="source", status="ready"))
batches = Batch.objects.bulk_create(
    Batch(created_by=ana, source=sources[n % len(sources)], submission_key=f"many-{n}", trace_id=f"{n:032x}")
    for n in range(videos)
)
states = [("failed_edit", "edit_failed"), ("posted", ""), ("cancelled", ""), ("posted", ""), ("posted", "")]
Video.objects.bulk_create(
    Video(batch=batch, account=made[n % 50], status=states[n % 5][0], reason_code=states[n % 5][1],
          posted_at=timezone.now() if states[n % 5][0] == "posted" else None, privacy_level="SELF_ONLY",
          caption=f"Receta {n}: medialunas de manteca con almíbar, paso a paso #panaderia #receta{n % 40}",
          time_zone=made[n % 50].time_zone, trace_id=batch.trace_id)
    for n, batch in enumerate(batches)
)
"""
#: The newest video of Ana's accounts fails, or is cancelled when it had failed: the database's triggers keep the sums.
CHANGE = """
UPDATE publishing_video SET
    status = CASE status WHEN 'failed_edit' THEN 'cancelled' ELSE 'failed_edit' END,
    reason_code = CASE status WHEN 'failed_edit' THEN '' ELSE 'edit_failed' END,
    updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE id = (SELECT max(id) FROM publishing_video WHERE account_id IN (
    SELECT tiktokaccount_id FROM accounts_tiktokaccount_managers WHERE user_id = (
        SELECT id FROM accounts_user WHERE username = 'ana')))
"""


@dataclass
class Traffic:
    """What came over the network, by kind of resource."""

    sizes: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.sizes.values())

    @property
    def pictures(self) -> int:
        return sum(size for url, size in self.sizes.items() if "/frame.jpg" in url or "/picture" in url)

    def parts(self) -> dict[str, int]:
        kinds = {"html": 0, "css": 0, "js": 0, "svg": 0, "woff2": 0, "jpg": 0}
        for url, size in self.sizes.items():
            path = url.partition("?")[0]
            kind = next((name for name in kinds if path.endswith(f".{name}")), "html")
            kinds[kind] += size
        return {f"{name}_bytes": size for name, size in kinds.items()}


def run(*, quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="subiteya-frontend.") as name:
        progress("starting the product with the demo's month")
        with installed(Path(name)) as product, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            figures = _measured(product, browser, "demo", "ana")
            if not quick:
                progress("adding 2 000 accounts and 3 000 videos")
                product.manage("shell", "-v0", "-c", MANY, stdin=json.dumps([2_000, 3_000]))
                figures += _measured(product, browser, "many rows, manager", "ana")
                figures += _measured(product, browser, "many rows, administrator", "admin")
            browser.close()
    return figures


def _measured(product: Installation, browser: Browser, data: str, username: str) -> list[Figure]:
    figures = []
    cookies = _cookies(product, browser, username)
    for name, path in PAGES.items():
        progress(f"{name}, {data}")
        _pictures_cut(product, browser, cookies, path)
        for screen, size in (("desk", DESKTOP), ("phone", PHONE)):
            with _window(browser, cookies, size) as page:
                figures += _load(page, product.web_url + path, name, f"{data}, {screen}")
                figures += _refresh(page, name, f"{data}, {screen}")
                _change(product)
                figures += _refresh(page, name, f"{data}, {screen}", changed=True)
        with _window(browser, cookies, DESKTOP, slower=SLOWER) as page:
            page.goto(product.web_url + path, wait_until="networkidle")
            figures += [_press(page, f"{name}: {act.what}, {data}", act) for act in _acts(page, name)]
    return figures


def _cookies(product: Installation, browser: Browser, username: str) -> Any:
    context = browser.new_context(locale="es-AR")
    Session(context, product.web_url).log_in(username)
    cookies = context.storage_state()
    context.close()
    return cookies


def _pictures_cut(product: Installation, browser: Browser, cookies: Any, path: str) -> None:
    """Frames are cut once for everybody; that wait is not what is measured."""
    with _window(browser, cookies, DESKTOP) as page:
        page.goto(product.web_url + path, wait_until="networkidle")


@contextmanager
def _window(browser: Browser, cookies: Any, size: Any, slower: int = 1) -> Iterator[Page]:
    """A new window with an empty cache."""
    context: BrowserContext = browser.new_context(locale="es-AR", storage_state=cookies, viewport=size)
    page = context.new_page()
    page.add_init_script(f"({WATCH})()")
    if slower > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    yield page
    context.close()


@contextmanager
def _listening(page: Page) -> Iterator[Traffic]:
    """Every answer that ends within the block, with its bytes on the wire."""
    traffic, session, urls = Traffic(), page.context.new_cdp_session(page), {}
    session.send("Network.enable")

    def answered(event: Any) -> None:
        urls[event["requestId"]] = event["response"]["url"]
        traffic.statuses[event["response"]["url"]] = event["response"]["status"]

    def ended(event: Any) -> None:
        if url := urls.get(event["requestId"]):
            traffic.sizes[url] = traffic.sizes.get(url, 0) + int(event["encodedDataLength"])

    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", ended)
    yield traffic
    page.wait_for_timeout(200)
    session.detach()


def _load(page: Page, url: str, name: str, data: str) -> list[Figure]:
    with _listening(page) as traffic:
        page.goto(url, wait_until="networkidle")
    page.wait_for_timeout(500)
    detail = traffic.parts() | {"without_pictures_bytes": traffic.total - traffic.pictures, "files": len(traffic.sizes)}
    shifts = page.evaluate("window.shifts")
    return [
        Figure(name=f"{name}: first load, {data}", measured=traffic.total, unit="B", goal=FIRST_LOAD, detail=detail),
        Figure(name=f"{name}: layout shift on load, {data}", measured=sum(shifts), goal=SHIFT),
    ]


def _change(product: Installation) -> None:
    with closing(sqlite3.connect(product.folder / "var/db.sqlite3", timeout=20)) as database, database:
        assert database.execute(CHANGE).rowcount == 1


def _refresh(page: Page, name: str, data: str, *, changed: bool = False) -> list[Figure]:
    """A look that finds nothing new, or one video in another state, and what moves on the page meanwhile.

    What moves because there is more or less to show than before has no goal.
    """
    what = "refresh that finds a change" if changed else "refresh"
    with _listening(page) as traffic, page.expect_response(LIVE[name]) as answer:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(300)
    shifts = page.evaluate("window.shifts")
    assert not changed or answer.value.status == 200, answer.value.status
    return [
        Figure(name=f"{name}: {what}, {data}", measured=traffic.total, unit="B", goal=REFRESH,
               detail={"status": answer.value.status}),
        Figure(name=f"{name}: layout shift with a {what}, {data}", measured=sum(shifts),
               goal=None if changed else SHIFT),
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that a person does, and how to be where it can be done again."""

    what: str
    do: Callable[[], None]
    back: Callable[[], None] = lambda: None


def _acts(page: Page, name: str) -> list[Act]:
    def escape() -> None:
        page.keyboard.press("Escape")

    if name == "Hoy":
        repair = page.locator("#today form[hx-post] button[type=submit]:visible")
        folded = page.locator("main summary:visible")
        acts = [Act(what="fold or unfold", do=lambda: folded.first.click())] if folded.count() else []
        return (
            [*acts, Act(what="open a dialog", do=lambda: _dialog(page, repair), back=escape)]
            if repair.count()
            else acts
        )
    words = page.locator("[name=q]")
    return [
        Act(what="choose 30 rows", do=lambda: page.click("#pick-page")),
        Act(what="choose one row", do=lambda: page.locator("[data-pick]").nth(1).click()),
        Act(
            what="type in the search", do=lambda: words.press_sequentially("pan", delay=60), back=lambda: words.fill("")
        ),
        Act(what="unfold or fold the filters", do=lambda: page.click(".filters__more summary")),
        Act(what="open the dialog of an act", do=lambda: _dialog(page, page.locator("#bar [value=hold]")), back=escape),
    ]


def _dialog(page: Page, button: Locator) -> None:
    if not button.first.is_visible():
        page.locator("[data-pick]").first.click()
    button.first.click()
    page.wait_for_selector("#dialog-act[open]")


def _press(page: Page, name: str, act: Act) -> Figure:
    """From a press to the next picture: of each round the slowest, of the rounds the median.

    A round of which Chromium reports nothing took less than 16 ms.
    """
    slowest = []
    for _round in range(ROUNDS):
        page.evaluate("window.presses.length = 0")
        act.do()
        page.wait_for_timeout(500)
        slowest.append(max((ms for _name, ms in page.evaluate("window.presses")), default=0))
        act.back()
        page.wait_for_timeout(300)
    detail = {"worst_ms": max(slowest), "rounds": ROUNDS, "slower": SLOWER}
    return Figure(name=name, measured=percentile(slowest, 0.5), unit="ms", goal=PRESS_MS, detail=detail)
