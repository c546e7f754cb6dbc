"""Rows for tests: each factory makes a consistent row and says nothing about the story of the test."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import OAuthToken, Sector, TikTokAccount, User
from accounts.roles import Role
from publishing.models import (
    Asset,
    AssetKind,
    AssetStatus,
    Batch,
    Job,
    SubtitleTrack,
    TrackStatus,
    UploadSession,
    Video,
)
from publishing.states import JobKind, PrivacyLevel, UploadState
from subiteya.lib.tracing import new_trace_id

PROBE = {
    "container": "mp4",
    "duration_ms": 8000,
    "size": 600_000,
    "faststart": True,
    "video": {
        "codec": "h264",
        "profile": "High",
        "width": 1080,
        "height": 1920,
        "display_width": 1080,
        "display_height": 1920,
        "rotation": 0,
        "fps": 30.0,
        "variable_fps": False,
        "pix_fmt": "yuv420p",
        "bit_depth": 8,
    },
    "audio": {"codec": "aac", "channels": 2, "sample_rate": 48000},
}


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"cm{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@agency.example")
    password = factory.django.Password("a long password")
    is_staff = False
    role = factory.LazyAttribute(lambda user: Role.ADMINISTRATOR if user.is_staff else Role.COMMUNITY_MANAGER)


class AdminFactory(UserFactory):
    username = factory.Sequence(lambda n: f"admin{n}")
    is_staff = True
    is_superuser = True


class SectorFactory(DjangoModelFactory[Sector]):
    class Meta:
        model = Sector

    name = factory.Sequence(lambda n: f"Sector {n}")
    slug = factory.Sequence(lambda n: f"sector-{n}")


class OAuthTokenFactory(DjangoModelFactory[OAuthToken]):
    class Meta:
        model = OAuthToken

    access_token = factory.Sequence(lambda n: f"act.test{n}")
    refresh_token = factory.Sequence(lambda n: f"rft.test{n}")
    scope = "user.info.basic,video.publish,video.upload"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=20))
    refresh_expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=300))


class TikTokAccountFactory(DjangoModelFactory[TikTokAccount]):
    class Meta:
        model = TikTokAccount
        skip_postgeneration_save = True

    open_id = factory.Sequence(lambda n: f"open-{n}")
    username = factory.Sequence(lambda n: f"marca{n}")
    display_name = factory.Sequence(lambda n: f"Marca {n}")
    sector = factory.SubFactory(SectorFactory)
    connected_at = factory.LazyFunction(timezone.now)
    token = factory.RelatedFactory(OAuthTokenFactory, factory_related_name="account")

    @factory.post_generation
    def managers(self, create: bool, users: list[User] | None, **_kwargs: object) -> None:
        if create and users:
            self.managers.add(*users)


class AssetFactory(DjangoModelFactory[Asset]):
    class Meta:
        model = Asset

    kind = AssetKind.SOURCE
    status = AssetStatus.READY
    storage_key = factory.Sequence(lambda n: f"source/{n}.mp4")
    original_name = factory.Sequence(lambda n: f"video{n}.mp4")
    sha256 = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    size = 600_000
    probe = factory.LazyFunction(lambda: dict(PROBE))
    created_by = factory.SubFactory(UserFactory)


class EditedAssetFactory(AssetFactory):
    kind = AssetKind.EDITED
    storage_key = factory.Sequence(lambda n: f"edited/{n}.mp4")


class SubtitleTrackFactory(DjangoModelFactory[SubtitleTrack]):
    class Meta:
        model = SubtitleTrack

    asset = factory.SubFactory(AssetFactory)
    engine = "file"
    status = TrackStatus.READY
    cues = factory.LazyFunction(lambda: [{"start_ms": 0, "end_ms": 1500, "text": "Mañana, medialunas"}])


class BatchFactory(DjangoModelFactory[Batch]):
    class Meta:
        model = Batch

    created_by = factory.SubFactory(UserFactory)
    source = factory.SubFactory(AssetFactory)
    caption = "Recién horneadas #panaderia"
    submission_key = factory.Sequence(lambda n: f"submission-{n}")
    trace_id = factory.LazyFunction(new_trace_id)


class VideoFactory(DjangoModelFactory[Video]):
    class Meta:
        model = Video

    batch = factory.SubFactory(BatchFactory)
    account = factory.SubFactory(TikTokAccountFactory)
    caption = factory.SelfAttribute("batch.caption")
    privacy_level = PrivacyLevel.PUBLIC_TO_EVERYONE
    time_zone = factory.SelfAttribute("account.time_zone")
    trace_id = factory.SelfAttribute("batch.trace_id")


class JobFactory(DjangoModelFactory[Job]):
    class Meta:
        model = Job

    video = factory.SubFactory(VideoFactory)
    kind = JobKind.EDIT
    run_at = factory.LazyFunction(timezone.now)
    trace_id = factory.SelfAttribute("video.trace_id")


class UploadSessionFactory(DjangoModelFactory[UploadSession]):
    class Meta:
        model = UploadSession

    video = factory.SubFactory(VideoFactory)
    account = factory.SelfAttribute("video.account")
    asset = factory.SubFactory(EditedAssetFactory)
    state = UploadState.INITIALISED
    publish_id = factory.Sequence(lambda n: f"v_pub_file~v2-1.{n}")
    upload_url = "https://open-upload.tiktokapis.com/video/?upload_id=1"
    url_expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=55))
    video_size = 600_000
    chunk_size = 600_000
    total_chunk_count = 1
    source_sha256 = factory.SelfAttribute("asset.sha256")
    init_at = factory.LazyFunction(timezone.now)
