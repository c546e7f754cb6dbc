"""What insights write when publishing tells them something. None of it may stop a video."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import TikTokAccount
from accounts.signals import account_connected
from insights.services.counts import account_may_be_asked_again
from insights.services.publications import publication_make, publication_moved, safely
from insights.services.rounds import insights_tick
from insights.services.suggestions import suggestions_take
from publishing.models import Video
from publishing.signals import ticked, video_created, video_moved
from publishing.states import FAMILIES, Family, VideoStatus

#: The other moves, which are most, cost nothing.
MATTERS = FAMILIES[Family.ATTENTION] | {VideoStatus.POSTED}


@receiver(video_created)
def publication_begun(sender: object, video: Video, **_kwargs: Any) -> None:
    safely(publication_make, video)
    safely(suggestions_take, video)


@receiver(video_moved)
def publication_went_on(sender: object, video: Video, new: str, **_kwargs: Any) -> None:
    if new in MATTERS:
        safely(publication_moved, video)


@receiver(account_connected)
def ask_for_counts_again(sender: object, account: TikTokAccount, **_kwargs: Any) -> None:
    account_may_be_asked_again(account)


@receiver(ticked)
def learn(sender: object, **_kwargs: Any) -> None:
    insights_tick()
