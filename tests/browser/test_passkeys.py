"""Passkeys in a real Chromium, with the authenticator that its developer tools pretend to have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from tests.accounts.doors import PASSWORD, code_of, enrolled

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="session", autouse=True)
def beside_a_loop() -> Iterator[None]:
    """The thread of these tests has Playwright's loop, and makes the database too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def site(live_server: Any, settings: Any) -> str:
    """The product at a host with a name."""
    address = str(live_server.url)
    assert address.startswith("http://localhost:")
    settings.SITE_URL, settings.CSRF_TRUSTED_ORIGINS = address, [address]
    settings.PASSKEYS, settings.OTP_WEBAUTHN_RP_ID = True, "localhost"
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [address]
    return address


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en")
    context.set_default_timeout(30_000)
    yield context
    context.close()


def with_authenticator(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    developer = context.new_cdp_session(page)
    developer.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    developer.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def give_password(page: Page, site: str, user: User) -> None:
    page.goto(f"{site}/login/?next=/security/")
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.click(".plain__form .button")
    page.wait_for_url("**/login/code/**")


def test_it_is_made_used_after_the_password_used_as_a_proof_and_removed(site: str, context: BrowserContext) -> None:
    user = User.objects.create(username="ana", language="en", password=make_password(PASSWORD))
    device, _codes = enrolled(user)
    complaints: list[str] = []
    page = with_authenticator(context, complaints)

    give_password(page, site, user)
    expect(page.locator("[data-passkey]")).to_have_count(0)
    page.fill("#code", code_of(device))
    page.click(".plain__form .button--primary")
    page.fill("#passkey-name", "Ana's laptop")
    page.click("[data-passkey=new] button")
    expect(page.locator(".toast p", has_text="Passkey Ana's laptop is ready.")).to_be_visible()
    page.fill("#passkey-name", "Again")
    page.click("[data-passkey=new] button")
    expect(page.get_by_text("That device has a passkey for you already.")).to_be_visible()

    page.locator("form[action='/logout/'] button:visible").first.click()
    give_password(page, site, user)
    page.click("[data-passkey=use] button")
    page.wait_for_url(f"{site}/security/")
    expect(page.locator("strong", has_text="Ana's laptop")).to_be_visible()

    page.goto(f"{site}/security/again/?next=/accounts/")
    page.click("[data-passkey=use] button")
    page.wait_for_url(f"{site}/accounts/")

    page.goto(f"{site}/security/")
    page.get_by_role("button", name="Remove Ana's laptop").click()
    expect(page.get_by_text("That passkey opens nothing any more.")).to_be_visible()
    assert not WebAuthnCredential.objects.exists()
    assert complaints == []


def test_it_opens_nothing_for_somebody_else(site: str, context: BrowserContext) -> None:
    """A device that has Ana's passkey, and Bruno's password: his own passkey is somewhere else."""
    ana, bruno = (
        User.objects.create(username=name, language="en", password=make_password(PASSWORD)) for name in ("ana", "bruno")
    )
    device, _codes = enrolled(ana)
    enrolled(bruno)
    WebAuthnCredential.objects.create(
        user=bruno, name="far away", credential_id=b"far away", public_key=b"x", aaguid="", transports=["usb"],
        created_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    page = with_authenticator(context, [])
    give_password(page, site, ana)
    page.fill("#code", code_of(device))
    page.click(".plain__form .button--primary")
    page.fill("#passkey-name", "Ana's laptop")
    page.click("[data-passkey=new] button")
    expect(page.locator("strong", has_text="Ana's laptop")).to_be_visible()
    page.locator("form[action='/logout/'] button:visible").first.click()

    give_password(page, site, bruno)
    page.click("[data-passkey=use] button")

    page.wait_for_timeout(1000)
    page.goto(f"{site}/accounts/")
    page.wait_for_url("**/login/code/**")
