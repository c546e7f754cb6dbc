"""A refresh of *Hoy* brings the parts that changed, and an empty place for each of the others."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

from accounts.models import TikTokAccount, User
from monitoring.parts import DIGITS, marks_in
from monitoring.views import today
from publishing.models import Video
from publishing.states import VideoStatus
from tests.factories import TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db

#: A body over which a refresh is over 5 kB on the wire: its headers and the bell's answer beside it take the rest.
BODY_MOST = 3_000


@pytest.fixture
def ana() -> User:
    return UserFactory(username="ana", language="en")


@pytest.fixture
def as_ana(ana: User) -> Client:
    client = Client()
    client.force_login(ana)
    return client


@pytest.fixture
def accounts(ana: User) -> list[TikTokAccount]:
    """Twenty, each with three failed edits."""
    made = [TikTokAccountFactory(managers=[ana]) for _number in range(20)]
    for account in made:
        for _time in range(3):
            VideoFactory(account=account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    return made


def marks(html: str) -> dict[str, str]:
    """Id → mark of each part that came."""
    return dict(re.findall(r'id="([^"]+)" data-part="([0-9a-f]+)"', html))


def places(html: str) -> list[str]:
    return re.findall(r'<i id="([^"]+)" hx-preserve></i>', html)


def refresh(client: Client, html: str) -> str:
    """What a browser gets that shows `html`."""
    header = "".join(marks(html).values())
    return client.get("/today/live/", headers={"Has-Parts": header}).content.decode()


def test_it_brings_what_one_failure_changed_and_nothing_else(as_ana, accounts):
    page = as_ana.get("/").content.decode()
    last = VideoFactory(account=accounts[0], status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")

    answer = refresh(as_ana, page)

    group = f"group-retry-edit_failed-a{accounts[0].pk}"
    assert {key for key in marks(answer) if key.startswith("group-")} == {group}
    assert {"today-families", "today-needs", "today-recent"} <= marks(answer).keys()
    assert {"today-leaders", "today-plans"} <= set(places(answer))
    assert sum(place.startswith("group-") for place in places(answer)) == 19
    assert f'id="recent-{last.pk}"' in answer


def test_it_weighs_less_than_what_a_refresh_may(as_ana, accounts):
    page = as_ana.get("/").content.decode()
    Video.objects.filter(account=accounts[3]).update(status=VideoStatus.CANCELLED)
    VideoFactory(account=accounts[4], status=VideoStatus.UNCONFIRMED, reason_code="unconfirmed")
    assert len(gzip.compress(refresh(as_ana, page).encode())) < BODY_MOST < len(gzip.compress(page.encode()))


def test_the_parts_and_what_the_browser_has_make_up_the_page(ana, accounts):
    before, _needs = today._part(ana)
    VideoFactory(account=accounts[0], status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    after, _needs = today._part(ana)

    html = after.without({part.mark for part in before.parts})

    assert len(html) < len(after.html)
    for part in before.parts:
        html = html.replace(f'<i id="{part.key}" hx-preserve></i>', part.html)
    assert html == after.html


def test_it_brings_everything_to_a_browser_that_has_nothing_or_nonsense(as_ana, accounts):
    whole = as_ana.get("/today/live/").content.decode()
    assert places(whole) == []
    for nonsense in ("", "zz", "<i>", "0" * 5000):
        assert as_ana.get("/today/live/", headers={"Has-Parts": nonsense}).content.decode() == whole


def test_it_is_kept_by_no_cache(as_ana, accounts):
    assert "no-store" in as_ana.get("/today/live/")["Cache-Control"]


def test_it_reads_marks_that_stand_one_after_the_other():
    assert marks_in("a" * DIGITS + "b" * DIGITS) == {"a" * DIGITS, "b" * DIGITS}
