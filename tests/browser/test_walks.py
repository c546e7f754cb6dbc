"""What a community manager does on a day when things go wrong, from the first look to the last post.

Real Chromium, real workers, TikTok's stand-in with real faults; each walk has accounts of its own, so that none
meets another's failures, and is made at the desk and on the phone.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from publishing.editing.ffmpeg import ffmpeg_path
from tests.browser.conftest import DESKTOP, PHONE, People, Session, send, session_of
from tests.browser.installation import Installation
from tests.browser.test_new import choose_everywhere
from tests.processes import wait_for

pytestmark = pytest.mark.browser

#: The longest that anything here may take on a busy machine.
PATIENCE_MS = 90_000
SIZES = {"desk": DESKTOP, "phone": PHONE}
#: Accounts per walk; on the list of accounts they come after the demo's.
CAST = {"watch": 3, "edit": 1, "revoked": 1, "breaker": 1, "there": 1, "lost": 1}


def accounts_of(walk: str, size: str) -> list[str]:
    return [f"{size}.{walk}{number}" for number in range(1, CAST[walk] + 1)]


@pytest.fixture(scope="module")
def town(installation: Installation) -> Installation:
    """The installation with the accounts of every walk connected."""
    installation.connect([name for walk in CAST for size in SIZES for name in accounts_of(walk, size)])
    return installation


@pytest.fixture(params=SIZES)
def ana(request: pytest.FixtureRequest, chromium: Browser, town: Installation, people: People) -> Iterator[Session]:
    """Ana, logged in, at her desk and on her phone."""
    yield from session_of("ana", chromium, town.web_url, people, viewport=SIZES[request.param])


@pytest.fixture(scope="session")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that is no flat colour: cut in the middle it cannot be read."""
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    picture = ["-f", "lavfi", "-i", "mandelbrot=size=320x160", "-frames:v", "1", "-update", "1"]
    subprocess.run([ffmpeg_path(), "-v", "error", *picture, str(path)], check=True, timeout=60)
    return path


def rows(page: Page, account: str) -> Locator:
    return page.locator(".row", has=page.locator("[data-account]", has_text=f"@{account}"))


def look_up(ana: Session, account: str) -> Page:
    """The list, searched for an account."""
    page = ana.go("/videos/")
    page.get_by_role("searchbox", name="Buscar").fill(account)
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    return page


def publish(ana: Session, film: Path, accounts: list[str], caption: str) -> Page:
    """The New page, from the file to the list where the submission is watched."""
    page = ana.go("/new/")
    page.set_input_files("#file", film)
    expect(page.locator(".taken__state--ready")).to_be_visible()
    for account in accounts:
        page.locator(".choice", has_text=f"@{account}").click()
    expect(page.locator(".part[data-max-seconds]")).to_have_count(len(accounts))
    page.fill("#caption", caption)
    choose_everywhere(page)
    send(page)
    page.wait_for_url("**/videos/?batch=*")
    return page


def test_it_publishes_to_three_accounts_and_is_watched_to_the_end(ana: Session, town: Installation, film: Path) -> None:
    accounts = accounts_of("watch", ana.size)

    page = publish(ana, film, accounts, "Tres cuentas, una vez cada una")

    expect(page.locator(".row")).to_have_count(3)
    expect(page.locator(".row [data-active], .row progress").first).to_be_attached()
    expect(page.locator(".row .chip--done")).to_have_count(3, timeout=PATIENCE_MS)
    links = [link.get_attribute("href") for link in page.locator(".row__post").all()]
    assert [len(town.posts(account)) for account in accounts] == [1, 1, 1]
    assert sorted(links) == sorted(town.posts(account)[0]["post_url"] for account in accounts)
    assert ana.complaints == []


def test_it_retries_a_failed_edit_and_fetches_nothing_again(
    ana: Session, town: Installation, film: Path, logo: Path
) -> None:
    (account,) = accounts_of("edit", ana.size)
    caption = f"{account} con logo"
    stored = town.brand(account, logo)
    whole = logo.read_bytes()
    stored.write_bytes(whole[: len(whole) // 3])
    publish(ana, film, [account], caption)
    page = look_up(ana, account)
    row = rows(page, account).first  # the newest
    expect(row.get_by_role("button", name="Reintentar la edición")).to_be_visible(timeout=PATIENCE_MS)
    row.locator(".row__link").click()
    expect(page.locator("#retry-plan")).to_contain_text("Se reutiliza")

    stored.write_bytes(whole)
    page.get_by_role("button", name="Reintentar la edición").click()

    expect(page.locator(".state .chip--done")).to_be_visible(timeout=PATIENCE_MS)
    assert [post["title"] for post in town.posts(account)] == [caption]
    assert ana.complaints == []


def test_it_resumes_five_videos_when_a_revoked_account_is_reconnected(
    ana: Session, town: Installation, film: Path
) -> None:
    (account,) = accounts_of("revoked", ana.size)
    captions = [f"{account} espera {number}" for number in range(1, 6)]
    town.circuit(account, "isolate")
    town.order(film, account, captions)  # all five are there before the first finds out
    with town.fault("revoke_account", account, endpoint="init", times=1):
        town.circuit(account, "release")
        page = ana.go("/")
        group = page.locator(".group", has_text=f"@{account}")
        expect(group.get_by_role("button", name="Reconectar y reanudar 5")).to_be_visible(timeout=PATIENCE_MS)

    group.get_by_role("button", name="Reconectar y reanudar 5").click()
    page.wait_for_url("**/v2/auth/authorize/**")
    page.check(f"input[name=username][value='{account}']")
    page.click("button[value=authorize]")
    page.wait_for_url(f"{ana.address}/**")

    expect(page.locator("[data-toast].is-done")).to_contain_text(account)
    page = look_up(ana, account)
    expect(page.locator(".row .chip--done")).to_have_count(5, timeout=PATIENCE_MS)
    assert [post["title"] for post in town.posts(account)] == captions
    assert ana.complaints == []


def test_it_tries_a_paused_account_by_hand_and_the_rest_follow_in_order(
    ana: Session, town: Installation, film: Path
) -> None:
    (account,) = accounts_of("breaker", ana.size)
    captions = [f"{account} en orden {number}" for number in range(1, 6)]
    with town.fault("refuse", account, endpoint="init", http_status=503, code="internal_error"):
        town.order(film, account, captions)
        page = look_up(ana, account)
        expect(page.locator(".row .chip", has_text="En pausa")).to_have_count(5, timeout=PATIENCE_MS)

    ana.go("/")
    page.locator(".health", has_text=f"@{account}").get_by_role("link", name=f"@{account}").click()
    expect(page.locator(".queue li")).to_have_count(5)
    page.get_by_role("button", name="Probar ahora").click()
    page.locator("dialog[open]").get_by_label("¿Por qué?").fill("TikTok ya responde")
    page.locator("dialog[open]").get_by_role("button", name="Probar ahora").click()

    expect(page.locator("[data-toast].is-done")).to_contain_text("se prueba ahora")
    page = look_up(ana, account)
    expect(page.locator(".row .chip--done")).to_have_count(5, timeout=PATIENCE_MS)
    assert [post["title"] for post in town.posts(account)] == captions
    assert ana.complaints == []


def unconfirmed(ana: Session, town: Installation, film: Path, account: str, caption: str) -> Page:
    """A video of which TikTok says nothing for a day; its page."""
    town.order(film, account, [caption])
    page = look_up(ana, account)
    sent = lambda: any(entry["uploaded_at"] for entry in town.sandbox(f"ledger?username={account}")["publishes"])  # noqa: E731
    wait_for(sent, seconds=60)
    row = rows(page, account)
    expect(row.locator("[data-family=working], [data-family=waiting]")).to_be_attached(timeout=PATIENCE_MS)
    wait_for(lambda: town.a_day_passes(caption), seconds=60)
    row.get_by_role("link", name="Decir si está").click(timeout=PATIENCE_MS)
    expect(page.locator("dialog[open]")).to_be_visible()
    return page


def test_it_takes_a_persons_word_that_an_unconfirmed_video_is_there(
    ana: Session, town: Installation, film: Path
) -> None:
    (account,) = accounts_of("there", ana.size)
    caption = f"{account} está en el perfil"
    with town.fault("refuse", account, endpoint="status", http_status=429, code="rate_limit_exceeded"):
        page = unconfirmed(ana, town, film, account, caption)
        with page.expect_popup() as opened:
            page.get_by_role("link", name=f"Abrir el perfil de @{account}").click()
        profile = opened.value
        post = profile.locator(f"a[href*='/@{account}/video/']").first.get_attribute("href")
        profile.close()
        link = post if post.startswith("http") else f"{town.sandbox_url}{post}"

        page.get_by_label("Enlace de la publicación").fill(link)
        page.get_by_role("button", name="Ya está").click()

        expect(page.locator(".state .chip--done")).to_be_visible()
        expect(page.get_by_role("link", name="Abrir en TikTok")).to_have_attribute("href", link)
    assert len(town.posts(account)) == 1
    assert ana.complaints == []


def test_it_uploads_again_what_a_person_did_not_find(ana: Session, town: Installation, film: Path) -> None:
    (account,) = accounts_of("lost", ana.size)
    caption = f"{account} no está en el perfil"
    with town.fault("post_stuck", account, times=1):
        page = unconfirmed(ana, town, film, account, caption)

        page.get_by_role("button", name=re.compile("No está: volver a subir")).click()

        expect(page.locator(".state .chip--done")).to_be_visible(timeout=PATIENCE_MS)
    assert [post["title"] for post in town.posts(account)] == [caption]
    assert ana.complaints == []
