"""What tests of the notices share: people in charge, a video that fails, a clock that stands, a mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from accounts.models import TikTokAccount, User
from publishing.models import Video
from publishing.services.moves import video_move
from publishing.states import VideoStatus
from tests.factories import TikTokAccountFactory, UserFactory, VideoFactory
from tests.publishing.conftest import clip, ingest, submit, work  # noqa: F401  # fixtures
from tests.receivers import Mailbox, mail_server

#: Twelve in Buenos Aires.
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ana(db: None) -> User:
    return UserFactory(username="ana", email="ana@agency.example", language="en")


@pytest.fixture
def account(ana: User) -> TikTokAccount:
    return TikTokAccountFactory(username="luna", managers=[ana])


@pytest.fixture
def fail(account: TikTokAccount) -> Callable[..., Video]:
    """A video of the account, or of another, whose edit just failed."""

    def fail(*, code: str = "edit_failed", **fields: Any) -> Video:
        video = VideoFactory(**{"account": account, "status": VideoStatus.EDITING} | fields)
        return video_move(video=video, to=VideoStatus.FAILED_EDIT, code=code)

    return fail


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    settings.NOTICE_MAILS = True
    with mail_server(settings) as box:
        yield box
