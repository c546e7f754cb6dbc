"""What notices hear from the other apps. None of it may break a worker's move."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import AccountEvent
from accounts.signals import account_connected, account_disconnected
from notices.services.making import notice_of_account, notice_of_circuit, notice_of_video, notice_safely
from notices.services.rounds import notices_tick
from publishing.models import CircuitEvent, Video, VideoEvent
from publishing.services.approvals import SENT_BACK
from publishing.signals import circuit_moved, ticked, video_created, video_moved, video_noted
from publishing.states import FAMILIES, Family, VideoStatus

#: Only these can be told about: the other moves, which are most, cost nothing.
MATTERS = FAMILIES[Family.ATTENTION] | {VideoStatus.POSTED, VideoStatus.AWAITING_APPROVAL}


@receiver(video_moved)
@receiver(video_noted)
def video_told(sender: object, event: VideoEvent, **_kwargs: Any) -> None:
    if event.new in MATTERS or event.code == SENT_BACK:
        notice_safely(notice_of_video, event)


@receiver(video_created)
def approval_asked(sender: object, video: Video, **_kwargs: Any) -> None:
    """It was submitted for an account that asks for an approval."""
    if video.status == VideoStatus.AWAITING_APPROVAL:
        notice_safely(notice_of_video, video.events.latest("pk"))


@receiver(circuit_moved)
def circuit_told(sender: object, event: CircuitEvent, **_kwargs: Any) -> None:
    notice_safely(notice_of_circuit, event)


@receiver(account_connected)
@receiver(account_disconnected)
def account_told(sender: object, event: AccountEvent, **_kwargs: Any) -> None:
    notice_safely(notice_of_account, event)


@receiver(ticked)
def told_by_mail(sender: object, **_kwargs: Any) -> None:
    notices_tick()
