"""Correcting a video that has not gone out: its subtitles, its text, its cover."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import User
from publishing.errors import NotPossible
from publishing.models import SubtitleTrack, TrackStatus, Video
from publishing.services.approvals import APPROVAL_AGAIN, approval_again, needs_new_approval
from publishing.services.jobs import job_cancel_active
from publishing.services.moves import video_stay
from publishing.services.videos import edit_again, go_on, is_held_by_person, refuse_if_sent, video_lock, work_stop
from publishing.states import VIDEO_RETRYABLE, PostMode, SubtitleChoice, VideoStatus
from subiteya.tiktok import TITLE_MAX_UTF16, utf16_len

#: Nothing of these is on its way: what is being worked on is held first.
CORRECTABLE = VIDEO_RETRYABLE | {VideoStatus.SCHEDULED}


def is_correctable(video: Video) -> bool:
    """Does it stand still, so that what is sent can be changed? Scheduled, red, or held by a person."""
    return video.status in CORRECTABLE or is_held_by_person(video)


@transaction.atomic
def subtitles_replace(*, video: Video, track: SubtitleTrack | None, actor: User | None) -> Video:
    """Edit the video again with these lines, or without any; the lines of its batch's other videos stay.

    A red one goes on by itself; a scheduled or held one keeps its hour, or stays held. Raises NotPossible.
    """
    _lock(video)
    if track is not None and (track.asset_id != video.batch.source_id or track.status != TrackStatus.READY):
        raise NotPossible("track_required")
    fields: dict[str, Any] = {"track": track, "edited": None}
    if track is None:
        fields["subtitle_variant"] = SubtitleChoice.NONE
    elif video.subtitle_variant == SubtitleChoice.NONE:
        fields["subtitle_variant"] = SubtitleChoice.FILE
    if needs_new_approval(video, actor):
        fields["approval_due"] = True
    for name, value in fields.items():
        setattr(video, name, value)
    code = "subtitles_changed" if track else "subtitles_dropped"
    if video.status in VIDEO_RETRYABLE:
        work_stop(video)  # what was sent of the old edit is not wanted any more
        return go_on(video, code=code, actor=actor, late=video.status == VideoStatus.MISSED, **fields)
    job_cancel_active(video=video)
    video_stay(video=video, code=code, actor=actor, **fields)
    if video.approval_due and approval_again(video, code=APPROVAL_AGAIN, actor=actor):
        return video
    if video.status == VideoStatus.SCHEDULED:
        edit_again(video)
    return video


@transaction.atomic
def post_change(*, video: Video, caption: str, cover_timestamp_ms: int, actor: User | None) -> Video:
    """Another text and cover; nothing is edited again. Nothing moves, unless it was approved with the old ones.

    Raises NotPossible.
    """
    _lock(video)
    if video.mode == PostMode.INBOX:
        raise NotPossible("inbox_ignores")
    length = utf16_len(caption)
    if length > TITLE_MAX_UTF16:
        raise NotPossible("caption_too_long", {"length": length, "max_length": TITLE_MAX_UTF16})
    duration = (video.edited or video.batch.source).duration_ms
    if duration and cover_timestamp_ms > duration:
        raise NotPossible("cover_out_of_range")
    if video.status in VIDEO_RETRYABLE:
        work_stop(video)  # an upload that TikTok opened has the old text
    due: dict[str, Any] = {"approval_due": True} if needs_new_approval(video, actor) else {}
    video_stay(video=video, code="post_changed", actor=actor, caption=caption, cover_timestamp_ms=cover_timestamp_ms,
               **due)  # fmt: skip
    if video.approval_due:
        approval_again(video, code=APPROVAL_AGAIN, actor=actor)
    return video


def _lock(video: Video) -> None:
    video_lock(video)
    if not is_correctable(video):
        raise NotPossible("not_correctable", {"status": video.status})
    refuse_if_sent(video)
