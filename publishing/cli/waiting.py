"""Watching a batch until every video of it is over."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from publishing.causes import sentence, size_text
from publishing.cli.bars import Bars, Row
from publishing.models import Batch, Leadership, Video
from publishing.selectors.videos import Progress, video_progress, with_progress
from publishing.states import VIDEO_TERMINAL, PostMode, VideoStatus

LOOK_SECONDS = 0.5
#: How long nothing may happen before it is worth saying that nobody works here.
UNATTENDED = timedelta(seconds=20)


@dataclass(frozen=True)
class Watched:
    """How a wait ended: the videos as they are now, and what cut it short ("" | timeout | interrupted)."""

    videos: list[Video]
    cut: str = ""


def batch_videos(batch: Batch) -> list[Video]:
    """The videos of a batch as they are now, with all that bars and documents show."""
    return list(with_progress(Video.objects.filter(batch=batch)).order_by("pk"))


def watch(batch: Batch, bars: Bars, *, timeout: float | None = None) -> Watched:
    """Show how the videos go until all are over, `timeout` seconds have passed, or somebody presses Ctrl-C."""
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    try:
        while True:
            videos = batch_videos(batch)
            bars.show([row_of(video) for video in videos])
            if all(is_over(video) for video in videos):
                return Watched(videos)
            if time.monotonic() >= deadline:
                return Watched(videos, "timeout")
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        return Watched(batch_videos(batch), "interrupted")
    finally:
        bars.end()


def is_over(video: Video) -> bool:
    """Nothing happens any more unless a person does something."""
    return video.status in VIDEO_TERMINAL | {VideoStatus.AWAITING_APPROVAL}


def is_good(video: Video) -> bool:
    """It is where the person wanted it: published, or in the inbox when that was asked for."""
    wanted = {VideoStatus.POSTED} | ({VideoStatus.IN_INBOX} if video.mode == PostMode.INBOX else set())
    return video.status in wanted


def all_good(videos: Iterable[Video]) -> bool:
    return all(is_good(video) for video in videos)


def row_of(video: Video) -> Row:
    """A video as a line of the terminal."""
    progress = video_progress(video)
    over = is_over(video)
    return Row(
        name=str(video.account),
        label=progress.label,
        percent=progress.percent,
        text=outcome(video) if over else _bytes(progress) or outcome(video),
        good=is_good(video) if over else None,
    )


def outcome(video: Video) -> str:
    """The link of a published video, else why it is where it is, else when it goes out."""
    if video.status == VideoStatus.POSTED:
        return video.post_url
    if video.reason_code:
        return sentence(video.reason_code, video.reason_detail)
    return local_text(video.scheduled_at, video) if video.scheduled_at and not is_over(video) else ""


def local_text(at: datetime, video: Video) -> str:
    """A time in the video's zone, with the zone beside it."""
    return f"{at.astimezone(video.account.zone):%Y-%m-%d %H:%M} ({video.time_zone})"


def is_attended() -> bool:
    """Whether a scheduler was alive a moment ago; without one nothing moves."""
    return Leadership.objects.filter(name="reconciler", until__gt=timezone.now() - UNATTENDED).exists()


def unattended_note() -> str:
    return gettext("Nothing is working here now: start “manage.py up”, and it goes on by itself.")


def _bytes(progress: Progress) -> str:
    if not progress.bytes_total or not progress.part:
        return ""
    return f"{size_text(progress.bytes_sent)} / {size_text(progress.bytes_total)}"
