"""What tests of the monitor share: people with and without the second factor, keys, videos that ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice

from accounts.models import User
from monitoring.models import KeyScope
from monitoring.services.keys import key_make
from publishing.models import Video, VideoEvent
from publishing.states import VideoStatus
from tests.factories import AdminFactory, VideoFactory


def verified(user: User) -> Client:
    """A browser in which `user` has logged in with both factors."""
    client = Client()
    client.force_login(user)
    device = StaticDevice.objects.create(user=user, name="test")
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    return client


def with_key(scope: KeyScope = KeyScope.MONITOR) -> Client:
    """A program with a new key."""
    _key, text = key_make(name="a program", scope=scope)
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def administrator(db: None) -> Client:
    return verified(AdminFactory(language="en"))


@pytest.fixture
def ended() -> Callable[..., Video]:
    """A video that came to its end now, or at `at`."""

    def ended(status: VideoStatus = VideoStatus.POSTED, at: datetime | None = None, **fields: Any) -> Video:
        at = at or timezone.now()
        posted = {"posted_at": at} if status == VideoStatus.POSTED else {}
        video = VideoFactory(status=status, **posted, **fields)
        Video.objects.filter(pk=video.pk).update(created_at=at, updated_at=at)
        VideoEvent.objects.create(video=video, old=VideoStatus.VERIFYING, new=status, at=at, code=video.reason_code)
        return video

    return ended
