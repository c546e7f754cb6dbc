"""What publishing does when an account connects again, or is lost."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import receiver

from accounts.models import TikTokAccount
from accounts.signals import account_connected, account_disconnected
from audit.services.sealing import audit_seal
from publishing.errors import NotPossible, StateConflict
from publishing.models import AccountCircuit, Video
from publishing.services.circuits import RECONNECT_CODES, circuit_isolate, circuit_release
from publishing.services.videos import video_retry
from publishing.signals import ticked
from publishing.states import CircuitState, VideoStatus

logger = logging.getLogger(__name__)


@receiver(account_disconnected)
def set_apart(sender: object, account: TikTokAccount, actor: Any = None, **_kwargs: Any) -> None:
    """Without access nothing can be sent: what waits is held until the account is connected again."""
    try:
        circuit_isolate(account=account, reason="", actor=actor, code="account_disconnected")
    except NotPossible:
        logger.info("isolated_already", extra={"account_id": account.pk})


@receiver(account_connected)
def resume_waiting(sender: object, account: TikTokAccount, actor: Any = None, **_kwargs: Any) -> None:
    """What waited for the connection goes on by itself, oldest first: the failed ones and the held ones."""
    waiting = Video.objects.filter(
        account=account, status=VideoStatus.FAILED_UPLOAD, reason_code__in=RECONNECT_CODES
    ).order_by("scheduled_at", "pk")
    for video in waiting:
        try:
            video_retry(video=video, actor=actor)
        except (NotPossible, StateConflict):
            logger.info("resume_skipped", extra={"video_id": video.pk})
    lost = AccountCircuit.objects.filter(pk=account.pk, state=CircuitState.ISOLATED, isolated_code__in=RECONNECT_CODES)
    if lost.exists():
        circuit_release(account=account, reason="", actor=actor)


@receiver(ticked)
def seal_what_was_left(sender: object, **_kwargs: Any) -> None:
    """A process that died between an act and the sealing of its entry left it to the scheduler."""
    audit_seal()
