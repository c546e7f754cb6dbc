"""Whatever went wrong, a red video offers exactly one way out first, and says what happened and what to do."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from publishing.causes import CATALOGUE
from publishing.selectors.videos import with_progress
from publishing.states import FAMILIES, Family
from publishing.views.buttons import Button, primary_button, secondary_buttons
from publishing.views.rows import row_of
from tests.factories import EditedAssetFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db

RED = sorted(FAMILIES[Family.ATTENTION])
#: What an unknown answer of TikTok leaves behind, and a row without a cause.
CODES = [*sorted(CATALOGUE), "brand_new", ""]


def red(status: str, code: str, *, is_edited: bool):
    edited = EditedAssetFactory() if is_edited else None
    detail = {"due": timezone.now().isoformat()}
    video = VideoFactory(status=status, reason_code=code, reason_detail=detail, edited=edited)
    return with_progress(type(video).objects.filter(pk=video.pk)).get()


@pytest.mark.parametrize("status", RED)
def test_it_offers_one_primary_action_whatever_the_cause(status):
    video = red(status, "", is_edited=False)
    for code in CODES:
        video.reason_code = code
        first = primary_button(video)
        assert isinstance(first, Button) and first.label and first.target, code
        assert first.target not in [button.target for button in secondary_buttons(video)], code


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("status", RED)
def test_it_says_what_happened_and_what_to_do(status, language):
    video = red(status, "", is_edited=False)
    with translation.override(language):
        for code in CODES[:-1]:
            video.reason_code = code
            row = row_of(video)
            assert row.sentence and row.advice, code


@pytest.mark.parametrize(("status", "code", "is_edited"), [
    ("failed_edit", "edit_failed", False),
    ("failed_edit", "no_video_stream", False),
    ("failed_edit", "no_speech", False),
    ("failed_upload", "account_disconnected", True),
    ("failed_upload", "unavailable", True),
    ("failed_upload", "spam_risk_user_banned_from_posting", True),
    ("rejected", "frame_rate_check_failed", True),
    ("rejected", "spam_risk_text", True),
    ("rejected", "brand_new", True),
    ("unconfirmed", "unconfirmed", True),
    ("missed", "missed", True),
])  # fmt: skip
def test_its_page_has_exactly_one_primary_button(client, status, code, is_edited):
    cm = UserFactory()
    video = red(status, code, is_edited=is_edited)
    video.account.managers.add(cm)
    client.force_login(cm)

    page = client.get(f"/videos/{video.pk}/").content.decode()

    state = page.partition('class="state__acts"')[2].partition("</section>")[0]
    assert state.count("button--primary") == 1
