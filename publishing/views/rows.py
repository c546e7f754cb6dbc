"""A video as the pages show it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import User
from publishing.causes import Action, advice, cause_for, sentence
from publishing.clocks import readable
from publishing.models import AssetStatus, Video
from publishing.selectors.videos import Progress, video_progress
from publishing.services.approvals import APPROVAL_AGAIN, SENT_BACK
from publishing.services.videos import is_held_by_person
from publishing.states import VIDEO_TERMINAL, Family, VideoStatus
from publishing.views.buttons import Button, primary_button

#: Families in which the reason is part of what a person has to know.
TELLING = {Family.ATTENTION, Family.WAITING, Family.QUEUED}
#: And reasons that are told wherever the video stands.
TOLD = {SENT_BACK, APPROVAL_AGAIN}


@dataclass(frozen=True, kw_only=True)
class Row:
    """Everything that a list's row or a page's head says about a video."""

    video: Video
    progress: Progress
    sentence: str
    advice: str
    button: Button | None
    when: str
    at: datetime
    zone: ZoneInfo
    has_frame: bool
    active: bool
    may_act: bool


def row_of(video: Video, *, may_act: bool = True) -> Row:
    """The row of a video that was loaded with `with_progress`: no further query. No button for who may not act."""
    label, at = _moment(video)
    zone = zone_of(video)
    is_told = video.family in TELLING or video.status == VideoStatus.POSTED or video.reason_code in TOLD
    told = video.reason_code if is_told else ""
    detail = _readable(video, zone)
    return Row(
        video=video,
        progress=video_progress(video),
        sentence=sentence(told, detail),
        advice=_advice(video, told, detail),
        button=primary_button(video) if may_act else None,
        when=label,
        at=at,
        zone=zone,
        has_frame=video.batch.source.status == AssetStatus.READY,
        active=video.status not in VIDEO_TERMINAL,
        may_act=may_act,
    )


def _advice(video: Video, code: str, detail: dict[str, Any]) -> str:
    """What to do; nothing while it tries again by itself, whatever the cause's advice for a person is."""
    by_itself = video.status in {VideoStatus.RETRYING, VideoStatus.DEFERRED}
    if code and by_itself and cause_for(code).action in {Action.RETRY, Action.RESCHEDULE}:
        return gettext("It goes on by itself.")
    return advice(code, detail)


def zone_of(video: Video) -> ZoneInfo:
    return ZoneInfo(video.time_zone)


def _moment(video: Video) -> tuple[str, datetime]:
    """The time that matters now, and what it is."""
    if video.posted_at:
        return gettext("Published"), video.posted_at
    if video.resume_at and video.status in {VideoStatus.RETRYING, VideoStatus.DEFERRED, VideoStatus.HELD}:
        return gettext("Goes on"), video.resume_at
    if video.scheduled_at and is_held_by_person(video):
        return gettext("Its hour"), video.scheduled_at
    if video.scheduled_at and video.status != VideoStatus.CANCELLED:
        late = video.family == Family.ATTENTION and video.scheduled_at < timezone.now()
        return gettext("Was due") if late else gettext("Goes out"), video.scheduled_at
    return gettext("Sent"), video.created_at


def _readable(video: Video, zone: ZoneInfo) -> dict[str, Any]:
    """The reason's measured values; moments as clocks of the account show them."""
    return readable({"account": str(video.account)} | video.reason_detail, zone)


@dataclass(frozen=True)
class Shown:
    """A rendered piece and the mark by which a browser says that it has it already."""

    pk: int
    html: str
    version: str


def shown(template: str, context: dict[str, Any], pk: int) -> Shown:
    """Render a piece; equal pieces have equal versions, so nothing on the screen moves without a change.

    Without the request: a CSRF token would make every rendering different.
    """
    html = render_to_string(template, context)
    return Shown(pk, html, hashlib.sha1(html.encode(), usedforsecurity=False).hexdigest()[:8])


def shown_rows(videos: Iterable[Video], user: User) -> list[Shown]:
    """Each video's row, for this person's list."""
    rows = (row_of(video, may_act=user.may_act) for video in videos)
    return [shown("publishing/_row.html", {"row": row}, row.video.pk) for row in rows]
