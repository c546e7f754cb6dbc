"""Two CMs who may not see each other's work, and a small story of the first one's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import TikTokAccount, User
from insights.models import Outcome, Publication
from insights.services.suggestions import topic_block
from insights.services.topics import topics_counted, topics_keep
from notices.models import Notice, NoticeCopy
from publishing.models import AccountBrand, Act, ActItem, BrandPattern, SavedFilter, Video, VideoEvent
from publishing.states import FAMILIES, ActKind, Family, JobKind, JobStatus, SubtitleChoice, VideoStatus
from tests.factories import (
    AssetFactory,
    BatchFactory,
    EditedAssetFactory,
    JobFactory,
    SubtitleTrackFactory,
    TikTokAccountFactory,
    UploadSessionFactory,
    UserFactory,
    VideoFactory,
)

#: Words that appear nowhere but in Ana's rows.
SECRETS = (
    "secretanita", "palabra-de-ana", "archivo-de-ana", "guion-de-ana", "traza-de-ana", "anacm", "guionDeAna",
    "guiondeana", "bloqueadoporana",
)  # fmt: skip


@pytest.fixture
def ana(db: None) -> User:
    return UserFactory(username="anacm")


@pytest.fixture
def bruno(db: None) -> User:
    return UserFactory(username="bruno")


@pytest.fixture
def as_ana(ana: User) -> Client:
    return logged_in(ana)


@pytest.fixture
def as_bruno(bruno: User) -> Client:
    return logged_in(bruno)


def logged_in(user: User, **options: bool) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.fixture
def make_video(ana: User) -> Callable[..., Video]:
    """A video of Ana's account in the given status, with the reason that such a video has."""
    account = TikTokAccountFactory(username="secretanita", managers=[ana])

    def make(status: str = VideoStatus.PENDING, *, account: TikTokAccount = account, **fields: object) -> Video:
        batch = BatchFactory(
            created_by=ana,
            caption="palabra-de-ana #hashtag",
            source=AssetFactory(created_by=ana, original_name="archivo-de-ana.mp4"),
            trace_id="traza-de-ana",
        )
        if status == VideoStatus.POSTED:
            fields = {"posted_at": timezone.now(), "post_url": "https://www.tiktok.com/@secretanita/video/1"} | fields
        if status in FAMILIES[Family.ATTENTION]:
            fields = {"reason_code": "edit_failed"} | fields
        video = VideoFactory(batch=batch, account=account, status=status, **fields)
        VideoEvent.objects.create(video=video, new=status, at=timezone.now(), actor=ana)
        return video

    return make


@pytest.fixture
def story(ana: User, make_video: Callable[..., Video]) -> SimpleNamespace:
    """Everything that a CM can have: a video in each status, one half uploaded, subtitles, files."""
    videos = {status: make_video(status) for status in VideoStatus.values}
    uploading = videos[VideoStatus.UPLOADING]
    edited = EditedAssetFactory(created_by=None, original_name="archivo-de-ana-editado.mp4")
    Video.objects.filter(pk=uploading.pk).update(edited=edited)
    job = JobFactory(video=uploading, kind=JobKind.UPLOAD, status=JobStatus.RUNNING, progress=0.5)
    UploadSessionFactory(
        video=uploading,
        job=job,
        asset=edited,
        video_size=12_000_000,
        chunk_size=1_000_000,
        total_chunk_count=12,
        uploaded_bytes=6_000_000,
    )
    scheduled = videos[VideoStatus.SCHEDULED]
    Video.objects.filter(pk=scheduled.pk).update(scheduled_at=timezone.now() + timedelta(hours=3))
    track = SubtitleTrackFactory(asset=uploading.batch.source, script="guion-de-ana", created_by=ana)
    type(uploading.batch).objects.filter(pk=uploading.batch_id).update(track=track, subtitles=SubtitleChoice.AUTO)
    event = videos[VideoStatus.FAILED_EDIT].events.get()
    failed = {"account": uploading.account, "video": event.video, "video_event": event, "code": "edit_failed"}
    notice = NoticeCopy.objects.create(
        notice=Notice.objects.create(kind="video_failed", at=timezone.now(), **failed), user=ana
    )
    now = timezone.now()
    act = Act.objects.create(
        actor=ana, key="k", kind=ActKind.HOLD, done=1, begun_at=now, undo_until=now + timedelta(hours=1)
    )
    ActItem.objects.create(act=act, video=scheduled)
    pattern = BrandPattern.objects.create(name="patrón-secretanita", created_by=ana)
    AccountBrand.objects.create(account=uploading.account, pattern=pattern)
    posted = videos[VideoStatus.POSTED]
    publication = Publication.objects.create(
        video=posted, account=posted.account, sector=posted.account.sector, arm=SubtitleChoice.NONE, due_at=now,
        outcome=Outcome.PUBLISHED, posted_at=now, views=4_000, settled_views=4_000, median_views=2_000, is_hit=True,
    )  # fmt: skip
    topics_keep(publication, "#traza-de-ana #guionDeAna")
    topics_counted(publication)
    blocked = topic_block(
        typed="#bloqueadoPorAna", sector=posted.account.sector, user=ana, reason="archivo-de-ana, palabra-de-ana"
    )
    return SimpleNamespace(
        pattern=pattern, notice=notice, publication=publication, blocked=blocked,
        videos=videos, uploading=uploading, edited=edited, source=uploading.batch.source, track=track,
        account=uploading.account, batch=uploading.batch, job=job, act=act,
        saved=SavedFilter.objects.create(user=ana, name="secretanita", query="family=attention"),
    )  # fmt: skip
