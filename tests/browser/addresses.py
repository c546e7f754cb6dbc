"""Every page of the product that a community manager can open, for the tests that look at all of them."""

from __future__ import annotations

from tests.browser.conftest import Session

ADDRESSES = (
    "/",
    "/videos/",
    "/videos/?family=attention",
    "/videos/?q=nothing-like-this",
    "/new/",
    "/accounts/",
    "/accounts/1/circuit/",
    "/monitor/?days=30",
    "/monitor/alerts/",
    "/notices/",
    "/notices/preferences/",
    "/brands/",
    "/brands/new/",
    "/setup/",
    "/reports/subtitles/",
    "/reports/subtitles/?by=lot",
    "/reports/hashtags/",
    "/security/",
    "/nowhere/",
)
#: Families of which the demo has videos; the page of a video differs with its family.
FAMILIES = ("yours", "queued", "attention", "done", "ended")


def addresses_of_videos(session: Session) -> list[str]:
    """A video of each family."""
    found = []
    for family in FAMILIES:
        page = session.go(f"/videos/?family={family}")
        found.append(str(page.locator(".row__link").first.get_attribute("href")))
    return found
