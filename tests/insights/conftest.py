"""Rows of both reports: publications with their results and views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import TikTokAccount
from insights.models import Outcome, Publication
from insights.services.topics import topics_counted, topics_keep
from publishing.states import VideoStatus
from tests.factories import VideoFactory


@pytest.fixture
def keep() -> Callable[..., Publication]:
    """A publication of `account`: `keep(account, "#pan", ago=timedelta(days=3), arm="auto", is_hit=True)`."""

    def keep(
        account: TikTokAccount, caption: str = "", *, ago: timedelta = timedelta(days=2), arm: str = "none",
        outcome: str = Outcome.PUBLISHED, is_hit: bool | None = None, **fields: Any,
    ) -> Publication:  # fmt: skip
        at: datetime = timezone.now() - ago
        posted = {"status": VideoStatus.POSTED, "posted_at": at} if outcome == Outcome.PUBLISHED else {}
        video = VideoFactory(account=account, caption=caption, subtitle_variant=arm, **posted)
        views = {} if is_hit is None else {"settled_views": 9 if is_hit else 2, "median_views": 5, "is_hit": is_hit}
        row = Publication.objects.create(
            video=video, account=account, sector=account.sector, arm=arm, due_at=at, outcome=outcome,
            posted_at=posted.get("posted_at"), **views, **fields,
        )  # fmt: skip
        if posted:
            topics_keep(row, caption)
            if is_hit is not None:
                topics_counted(row)
        return row

    return keep
