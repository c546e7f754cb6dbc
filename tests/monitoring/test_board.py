"""The monitor's page: who sees what, what it draws, and how it stays up to date."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import OAuthToken
from monitoring.models import DailyPeak, TikTokFailure
from publishing.models import AccountCircuit
from publishing.states import CircuitState, VideoStatus
from subiteya.tiktok import Endpoint
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory
from tests.monitoring.conftest import verified

pytestmark = pytest.mark.django_db
PAGE, LIVE = "/monitor/", "/monitor/live/"


def text_of(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def ana() -> Any:
    return UserFactory(language="en")


@pytest.fixture
def ana_looks(ana: Any) -> Client:
    client = Client()
    client.force_login(ana)
    return client


def failure_of(video: Any) -> None:
    TikTokFailure.objects.create(
        at=timezone.now(), endpoint=Endpoint.UPLOAD, reason="server", code="internal_error", seconds=1,
        account=video.account,
    )  # fmt: skip


def test_it_sends_a_stranger_to_the_log_in() -> None:
    for address in (PAGE, LIVE):
        assert Client().get(address).status_code == 302


def test_it_says_when_there_is_nothing_to_draw(ana_looks: Client) -> None:
    text = text_of(ana_looks)

    assert "Nothing to draw yet" in text
    assert "<polyline" not in text


def test_it_draws_everything_for_an_administrator(administrator: Client, ended: Any) -> None:
    ended(VideoStatus.POSTED)
    failed = ended(VideoStatus.FAILED_UPLOAD, reason_code="upload_cut")
    failure_of(failed)
    DailyPeak.objects.create(day=timezone.localdate(), active_jobs=3)

    text = text_of(administrator)

    assert "The upload was cut at part … of …." in text
    assert f"@{failed.account.username}" in text
    assert "Most at once in 30 days" in text
    assert "mostly server" in text
    assert "Published in 30 days: 50 % (1 of 2)" in text


def test_it_shows_a_manager_only_their_accounts(ana_looks: Client, ana: Any, ended: Any) -> None:
    mine, other = TikTokAccountFactory(managers=[ana]), TikTokAccountFactory()
    ended(VideoStatus.FAILED_UPLOAD, account=mine, reason_code="upload_cut")
    for _video in range(3):
        failure_of(ended(VideoStatus.FAILED_EDIT, account=other, reason_code="bug"))
    AccountCircuit.objects.create(account=other, state=CircuitState.ISOLATED, isolated_code="by_person")
    OAuthToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=3))

    text = text_of(ana_looks)

    assert mine.username in text
    assert other.username not in text
    assert "Something of ours broke" not in text
    assert "0 published, 1 failed" in text
    assert "mostly server" not in text
    assert "Capacity" not in text


@pytest.mark.parametrize(("asked", "days"), [("", 7), ("30", 30), ("90", 90), ("365", 7), ("x", 7)])
def test_it_draws_the_period_that_was_asked_for(administrator: Client, ended: Any, asked: str, days: int) -> None:
    ended(VideoStatus.POSTED)

    text = text_of(administrator, f"{PAGE}?days={asked}")

    assert text.count('class="room"') == days
    assert text.count('aria-current="true"') == 1


def test_it_counts_a_day_in_the_agency_s_zone(administrator: Client, ended: Any, time_machine: Any) -> None:
    time_machine.move_to("2026-11-23 02:30:00+00:00", tick=False)  # still the 22nd in Buenos Aires
    ended(VideoStatus.POSTED)

    text = text_of(administrator)

    assert "11/22/2026: 1 submitted, 1 published, 0 failed" in text
    assert "days of Buenos Aires" in text


def test_it_writes_only_whole_numbers_into_svg(ended: Any) -> None:
    """Spanish writes 1.5 as 1,5."""
    spanish = verified(AdminFactory(language="es"))
    for _video in range(3):
        ended(VideoStatus.POSTED)
    ended(VideoStatus.FAILED_EDIT)

    drawings = re.findall(r"<svg(?![^>]*class=\"icon).*?</svg>", text_of(spanish), re.DOTALL)

    assert len(drawings) >= 5
    for drawing in drawings:
        for part in ElementTree.fromstring(drawing).iter():
            numbers = [part.get(name) for name in ("x", "y", "width", "height") if part.get(name) is not None]
            assert all(number.isdecimal() for number in numbers if number)
            assert re.fullmatch(r"(\d+,\d+ ?)*", part.get("points", ""))


def test_it_names_every_drawing_for_who_cannot_see_it(administrator: Client, ended: Any) -> None:
    ended(VideoStatus.POSTED)
    text = text_of(administrator)

    for names in re.findall(r'role="img" aria-labelledby="([^"]+)"', text):
        assert all(f'id="{name}"' in text for name in names.split())
    assert text.count("<summary>As a table</summary>") == 2


def test_it_carries_no_style_and_no_script_of_its_own(administrator: Client, ended: Any) -> None:
    ended(VideoStatus.POSTED)
    text = text_of(administrator)

    assert " style=" not in text
    assert not re.search(r"<script(?![^>]* src=)", text)


def test_it_answers_only_what_changed(administrator: Client, ended: Any) -> None:
    ended(VideoStatus.POSTED)
    version = re.search(r'data-v="(\w+)"', text_of(administrator))
    assert version
    assert administrator.get(LIVE, {"v": version[1]}).status_code == 204

    ended(VideoStatus.POSTED)

    changed = administrator.get(LIVE, {"v": version[1]}).content.decode()
    assert 'hx-swap-oob="true"' in changed
    assert version[1] not in changed


def test_it_asks_the_same_few_questions_for_many_rows(
    administrator: Client, ended: Any, django_assert_max_num_queries: Any
) -> None:
    for _video in range(12):
        failure_of(ended(VideoStatus.FAILED_UPLOAD, reason_code="upload_cut"))

    with django_assert_max_num_queries(45):
        text_of(administrator, f"{PAGE}?days=90")
