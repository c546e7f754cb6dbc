"""Approving on the pages: *Hoy*, the video's page, the list; and who hears of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import TikTokAccount, User
from accounts.roles import Role
from notices.models import Notice, NoticeCopy, NoticeKind
from notices.services.catching import notices_catch_up
from publishing.models import Video
from publishing.services.batches import AccountChoice, batch_submit
from publishing.states import PostMode, SubtitleChoice, VideoStatus
from tests.factories import AssetFactory, UserFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def luz(db: None) -> User:
    return UserFactory(username="luz", role=Role.APPROVER, language="en")


@pytest.fixture
def video(ana: User, luz: User, make_video: Any) -> Video:
    """It waits: Ana submitted it, Luz may approve it."""
    account = TikTokAccount.objects.get(pk=make_video().account_id)
    Video.objects.all().delete()
    TikTokAccount.objects.update(needs_approval=True)
    account.refresh_from_db()
    account.managers.add(luz)
    batch = batch_submit(
        user=ana, source=AssetFactory(created_by=ana), caption="palabra-de-ana", mode=PostMode.INBOX,
        choices=[AccountChoice(account=account)], subtitles=SubtitleChoice.NONE, submission_key="key",
    )  # fmt: skip
    return batch.videos.get()


def told(kind: str) -> list[str]:
    return [copy.user.username for copy in NoticeCopy.objects.filter(notice__kind=kind).order_by("pk")]


def test_it_offers_the_group_in_today_to_the_approver_only(video, luz, as_ana, as_bruno):
    page = logged_in(luz).get("/").content.decode()
    assert "To approve" in page
    assert f'"kind": "approve", "tomorrow": "1", "selection": "account={video.account_id}&amp;status=awaiting' in page
    for other in (as_ana, as_bruno):
        assert "approve-" not in other.get("/").content.decode()


def test_it_approves_the_group_by_the_act_with_its_preview(video, luz):
    client, chosen = logged_in(luz), {"kind": "approve", "selection": f"account={video.account_id}"}
    preview = client.post("/acts/preview/", chosen, headers={"HX-Request": "true"}).content.decode()
    assert "Approve 1" in preview
    client.post("/acts/do/", {"kind": "approve", "videos": video.pk, "key": "once"})
    video.refresh_from_db()
    assert video.status == VideoStatus.PENDING
    assert "1 video is approved." in client.get("/").content.decode()


def test_it_answers_on_the_video_s_page(video, luz, as_ana):
    page, client = f"/videos/{video.pk}/", logged_in(luz)
    assert f"{page}approve/" in client.get(page).content.decode()
    assert "approve/" not in as_ana.get(page).content.decode()
    assert as_ana.post(f"{page}approve/").status_code == 403
    client.post(f"{page}send-back/", {"reason": " "})
    video.refresh_from_db()
    assert video.status == VideoStatus.AWAITING_APPROVAL

    client.post(f"{page}send-back/", {"reason": "Falta el logo"})

    video.refresh_from_db()
    assert video.status == VideoStatus.CANCELLED
    assert "Falta el logo" in as_ana.get(page).content.decode()


def test_it_says_to_the_second_of_two_that_it_was_answered(video, luz):
    first, second = logged_in(luz), logged_in(UserFactory(role=Role.ADMINISTRATOR, is_staff=True, language="en"))
    first.post(f"/videos/{video.pk}/approve/")
    answer = second.post(f"/videos/{video.pk}/approve/", follow=True).content.decode()
    assert "It does not wait for an approval." in answer


def test_it_tells_each_approver_once_and_the_submitter_when_it_comes_back(video, luz):
    assert told(NoticeKind.APPROVAL_DUE) == ["luz"]
    notices_catch_up()
    assert Notice.objects.count() == 1
    client = logged_in(luz)
    assert "waits for your approval" in client.get("/notices/").content.decode()

    client.post(f"/videos/{video.pk}/send-back/", {"reason": "Falta el logo"})

    assert told(NoticeKind.SENT_BACK) == ["anacm"]
    assert "does not wait any more" in client.get("/notices/").content.decode()
    assert "Falta el logo" in logged_in(video.batch.created_by).get("/notices/").content.decode()


def test_it_makes_up_for_a_notice_that_was_lost(video):
    Notice.objects.all().delete()
    assert notices_catch_up() == 1
    assert told(NoticeKind.APPROVAL_DUE) == ["luz"]


def test_it_tells_administrators_where_no_approver_is_in_charge(video, luz, ana):
    UserFactory(username="jefa", is_staff=True)
    video.account.managers.remove(luz)
    Notice.objects.all().delete()
    notices_catch_up()
    assert told(NoticeKind.APPROVAL_DUE) == ["jefa"]


def test_it_lists_what_waits_under_a_filter_of_its_own(video, luz):
    page = Client().get("/videos/")
    assert page.status_code == 302
    shown = logged_in(luz).get("/videos/?status=awaiting_approval").content.decode()
    assert "palabra-de-ana" in shown
    assert 'value="approve"' in shown
