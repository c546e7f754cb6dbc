"""Filtering by one of very many accounts: a part of the name is typed, and one of those offered is taken."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Session
from tests.browser.installation import Installation

pytestmark = pytest.mark.browser

STAGE = """
import json, sys
from django.utils import timezone
from accounts.models import Sector, TikTokAccount, User
ana, sector, count = User.objects.get(username="ana"), Sector.objects.first(), json.load(sys.stdin)
made = TikTokAccount.objects.bulk_create(
    TikTokAccount(open_id=f"who-{n}", username=f"sucursal.{n:03}", display_name=f"Sucursal {n}", sector=sector,
                  connected_at=timezone.now())
    for n in range(count)
)
TikTokAccount.managers.through.objects.bulk_create(
    TikTokAccount.managers.through(tiktokaccount=one, user=ana)
    for one in TikTokAccount.objects.filter(open_id__startswith="who-")
)
"""
UNSTAGE = """
from accounts.models import TikTokAccount
TikTokAccount.objects.filter(open_id__startswith="who-").delete()
"""


@pytest.fixture(scope="module")
def forty(installation: Installation):
    installation.manage("shell", "-v0", "-c", STAGE, stdin=json.dumps(40))
    yield
    installation.manage("shell", "-v0", "-c", UNSTAGE)


def test_it_offers_names_while_one_is_typed_and_enter_takes_what_was_typed(forty, at_desk: Session) -> None:
    page = at_desk.go("/videos/")
    field = page.get_by_role("combobox", name="Cuenta", exact=True)
    field.press_sequentially("sucursal.03", delay=20)
    offered = page.locator("#account-names option")
    expect(offered).to_have_count(10)
    assert offered.first.get_attribute("value") == "@sucursal.030"

    field.press_sequentially("4")
    expect(offered).to_have_count(1)
    field.press("Enter")

    expect(page.locator(".chosen__chip", has_text="@sucursal.034")).to_be_visible()
    expect(field).to_have_value("@sucursal.034")
    assert at_desk.complaints == []


def test_it_needs_no_other_press_for_a_name_that_is_taken_from_the_list(forty, on_phone: Session) -> None:
    page = on_phone.go("/videos/")
    field = page.get_by_role("combobox", name="Cuenta", exact=True)
    # The list is the browser's own, out of a script's reach: what it does to the field is done here.
    field.evaluate("""(field) => {
        field.value = "@sucursal.007";
        field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
    }""")
    chip = page.locator(".chosen__chip", has_text="@sucursal.007")
    expect(chip).to_be_visible()

    chip.click()
    expect(field).to_have_value("")
    expect(chip).to_have_count(0)
    assert on_phone.complaints == []
