"""What publishing does when an account connects again."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import receiver

from accounts.models import TikTokAccount
from accounts.signals import account_connected
from publishing.causes import CATALOGUE, Action
from publishing.errors import NotPossible, StateConflict
from publishing.models import Video
from publishing.services.videos import video_retry
from publishing.states import VideoStatus

logger = logging.getLogger(__name__)

RECONNECT_CODES = [code for code, cause in CATALOGUE.items() if cause.action == Action.RECONNECT]


@receiver(account_connected)
def resume_waiting(sender: object, account: TikTokAccount, actor: Any = None, **_kwargs: Any) -> None:
    """Videos that failed because the account was disconnected go on by themselves, oldest first."""
    waiting = Video.objects.filter(
        account=account, status=VideoStatus.FAILED_UPLOAD, reason_code__in=RECONNECT_CODES
    ).order_by("scheduled_at", "pk")
    for video in waiting:
        try:
            video_retry(video=video, actor=actor)
        except (NotPossible, StateConflict):
            logger.info("resume_skipped", extra={"video": video.pk})
