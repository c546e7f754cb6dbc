"""One cause, several videos: answered one after another, or with one new file for all."""

from __future__ import annotations

import html
import json

import pytest

from accounts.models import User
from publishing.states import VideoStatus
from tests.factories import BatchFactory, EditedAssetFactory, TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return UserFactory(language="en")


def test_it_asks_about_each_unconfirmed_video_of_the_account_in_turn(as_ana, ana):
    account = TikTokAccountFactory(managers=[ana])
    first, second = (
        VideoFactory(account=account, status=VideoStatus.UNCONFIRMED, edited=EditedAssetFactory()) for _one in "ab"
    )
    VideoFactory(status=VideoStatus.UNCONFIRMED)
    page = as_ana.get(f"/videos/{first.pk}/?then=next").content.decode()
    assert '<input type="hidden" name="then" value="next">' in page

    answer = {"posted": "yes", "then": "next"}
    assert as_ana.post(f"/videos/{first.pk}/resolve/", answer)["Location"] == (
        f"/videos/{second.pk}/?then=next#dialog-resolve"
    )
    assert as_ana.post(f"/videos/{second.pk}/resolve/", answer)["Location"] == "/"


def test_it_brings_every_account_that_the_file_failed_on(as_ana, ana):
    batch = BatchFactory()
    failed = {"status": VideoStatus.FAILED_EDIT, "reason_code": "no_video_stream", "batch": batch}
    mine = [VideoFactory(account=TikTokAccountFactory(managers=[ana]), **failed) for _one in "ab"]
    VideoFactory(**failed)
    VideoFactory(account=TikTokAccountFactory(managers=[ana]), status=VideoStatus.POSTED, posted_at=batch.created_at,
                 batch=batch)  # fmt: skip

    page = as_ana.get(f"/new/?from={mine[0].pk}&all=1").content.decode()

    preset = json.loads(html.unescape(page.partition('data-preset="')[2].partition('"')[0]))
    assert sorted(preset["accounts"]) == sorted(video.account_id for video in mine)
    assert "asset" not in preset
