"""Every red status, reached through the real services, is told once to each person in charge."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.services.connections import account_import
from accounts.services.tokens import account_lost
from notices.models import Notice, NoticeCopy, NoticeKind
from notices.services.catching import notices_catch_up
from publishing.models import Job, Video
from publishing.services.reconcile import reconcile_tick
from publishing.services.runner import job_run
from publishing.services.videos import video_resolve
from publishing.states import FAMILIES, Family, JobStatus, VideoStatus
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db(transaction=True)


def failed_edit(world):
    source = world.batch.source
    type(source).objects.filter(pk=source.pk).update(storage_key="gone.mp4")
    world.work()


def failed_upload(world):
    world.tiktok.sandbox.add_account(world.account.username, privacy_level_options=["PUBLIC_TO_EVERYONE"])
    world.work()


def rejected(world):
    world.tiktok.sandbox.fault("post_failed", fail_reason="frame_rate_check_failed")
    world.work()


def unconfirmed(world):
    world.tiktok.sandbox.fault("post_stuck", "post", times=None)
    world.work(rounds=4)
    world.clock.shift(timedelta(hours=25))
    job_run(Job.objects.get(video=world.video, status=JobStatus.PROCESSING).pk)


def missed(world):
    Video.objects.filter(pk=world.video.pk).update(scheduled_at=timezone.now())
    world.clock.shift(timedelta(hours=1))
    reconcile_tick()


WAYS = {
    VideoStatus.FAILED_EDIT: failed_edit,
    VideoStatus.FAILED_UPLOAD: failed_upload,
    VideoStatus.REJECTED: rejected,
    VideoStatus.UNCONFIRMED: unconfirmed,
    VideoStatus.MISSED: missed,
}


class World:
    def __init__(self, tiktok, connect, submit, work, clock):
        self.tiktok, self.work, self.clock = tiktok, work, clock
        self.account = connect()
        self.batch = submit(self.account)
        self.video = self.batch.videos.get()


@pytest.fixture
def world(tiktok, connect, submit, work):
    with time_machine.travel(timezone.now(), tick=True) as clock:
        yield World(tiktok, connect, submit, work, clock)


def test_it_knows_a_way_to_every_red_status():
    assert WAYS.keys() == FAMILIES[Family.ATTENTION]


@pytest.mark.parametrize("status", sorted(WAYS))
def test_it_tells_each_red_status_exactly_once(world, cm, status):
    WAYS[status](world)
    video = reload(world.video)
    assert video.status == status
    assert notices_catch_up() == 0
    told = Notice.objects.get(video=video)
    assert (told.kind, told.code) == (NoticeKind.VIDEO_FAILED, video.reason_code)
    assert list(NoticeCopy.objects.filter(notice=told).values_list("user", flat=True)) == [cm.pk]


def test_it_tells_that_an_unconfirmed_video_was_found(world):
    unconfirmed(world)
    video_resolve(video=reload(world.video), posted=True, post_url="https://www.tiktok.com/@a/video/1")
    assert kinds(world.video) == [NoticeKind.VIDEO_FAILED, NoticeKind.VIDEO_RECOVERED]
    assert Notice.objects.latest("pk").detail["was"] == VideoStatus.UNCONFIRMED


def test_it_tells_a_lost_account_once_and_that_it_is_back(world):
    account_lost(account=world.account, reason="auth_removed")
    world.work()
    assert reload(world.video).status == VideoStatus.HELD
    answer = world.tiktok.sandbox.mint_tokens(world.account.username)
    account_import(answer=answer, username=world.account.username, sector_name="Gastronomía")
    reconcile_tick()
    world.work()
    assert reload(world.video).status == VideoStatus.POSTED
    assert list(Notice.objects.order_by("pk").values_list("kind", flat=True)) == [
        NoticeKind.ACCOUNT_LOST, NoticeKind.ACCOUNT_BACK,
    ]  # fmt: skip
    assert Notice.objects.get(kind=NoticeKind.ACCOUNT_BACK).detail == {"waiting": 1}


def kinds(video):
    return list(Notice.objects.filter(video=video).order_by("pk").values_list("kind", flat=True))
