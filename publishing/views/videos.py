"""The page of a video, and what keeps it live."""

from __future__ import annotations

from collections import Counter

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, polled, signed_in
from publishing.models import AssetStatus, Video
from publishing.selectors.edits import edit_words
from publishing.selectors.plans import retry_words
from publishing.selectors.videos import Progress, is_sent, timeline
from publishing.services.approvals import approval_refusal
from publishing.services.circuits import RECONNECT_CODES
from publishing.services.corrections import is_correctable
from publishing.states import PostMode, VideoStatus
from publishing.views.buttons import approval_buttons, offers_retry, secondary_buttons
from publishing.views.rows import Shown, row_of, shown, zone_of
from publishing.views.scope import video_or_404
from subiteya.tiktok import TITLE_MAX_UTF16

#: Parts that are drawn one by one.
SEGMENTS = 60


@require_GET
@signed_in
def video_detail(request: MemberRequest, pk: int) -> HttpResponse:
    """One video: where it stands, what is sent, its story."""
    video = video_or_404(request.user, pk)
    context = {
        "video": video,
        "zone": zone_of(video),
        "today": timezone.localtime(timezone=zone_of(video)),
        "live": _live_part(request, video),
        "players": _players(video),
        "profile": f"{settings.TIKTOK_AUTHORIZE_BASE}/{video.account}",
        "may_approve": not approval_refusal(request.user, video),
        "direct": video.mode == PostMode.DIRECT,
        "caption_max": TITLE_MAX_UTF16,  # browsers count as TikTok does
        "final": video.edited or video.batch.source,
    }
    return render(request, "publishing/video_detail.html", context)


@polled
@require_GET
@signed_in
def video_live(request: MemberRequest, pk: int) -> HttpResponse:
    """The changing part of the page; 204 when the browser has this version (`?v=`) of it."""
    video = video_or_404(request.user, pk)
    live, players = _live_part(request, video), _players(video)
    version = f"{live.version}-{players.version}"
    if request.GET.get("v") == version:
        return HttpResponse(status=204)
    context = {"video": video, "live": live, "version": version}
    if not request.GET.get("v", "").endswith(f"-{players.version}"):
        context["players"] = players
    return render(request, "publishing/_video_changes.html", context)


def _live_part(request: MemberRequest, video: Video) -> Shown:
    may_act = request.user.may_act
    row, buttons = row_of(video, may_act=may_act), secondary_buttons(video) if may_act else []
    context = {
        "row": row,
        "video": video,
        "zone": row.zone,
        "buttons": buttons,
        "plan": retry_words(video) if offers_retry(video, [row.button, *buttons]) else "",
        "approvals": approval_buttons(video, request.user),
        "timeline": timeline(video),
        "siblings": (siblings := _siblings(request, video)),
        "standing": _standing(siblings),
        "segments": _segments(row.progress, video),
        "correctable": may_act and is_correctable(video) and not is_sent(video),
        "waiting": _waiting(video) if row.button and row.button.icon == "plug" else 0,
    }
    return shown("publishing/_video_live.html", context, video.pk)


def _players(video: Video) -> Shown:
    """Before and after; the second appears when the edit is there."""
    source = video.batch.source
    context = {
        "source": source if source.status != AssetStatus.REFUSED else None,
        "edited": video.edited,
        "same": bool(video.edited and video.edited.sha256 == source.sha256),
        "poster_ms": video.cover_timestamp_ms,
        "changes": edit_words(video),
    }
    return shown("publishing/_players.html", context, video.pk)


def _siblings(request: MemberRequest, video: Video) -> list[Video]:
    """The batch's videos that this person may see, this one among them; none when it is alone."""
    found = list(Video.objects.for_user(request.user).filter(batch=video.batch).select_related("account"))
    return sorted(found, key=lambda one: one.account.username) if len(found) > 1 else []


def _standing(videos: list[Video]) -> str:
    """How many of the upload stand where: Publicado 2 · Subiendo 1."""
    counted = Counter(str(VideoStatus(video.status).label) for video in videos)
    return " · ".join(f"{label} {n}" for label, n in counted.most_common())


def _segments(progress: Progress, video: Video) -> list[str]:
    """A class per part: done, current or todo. More parts than a bar can show are left to the percentage."""
    if not 1 < progress.parts <= SEGMENTS:
        return []
    whole = progress.bytes_sent >= progress.bytes_total
    done = progress.parts if whole else progress.part - 1
    current = video.status == VideoStatus.UPLOADING
    words = ["done"] * done + ["current" if current else "todo"] * (not whole)
    return words + ["todo"] * (progress.parts - len(words))


def _waiting(video: Video) -> int:
    """How many videos of the account go on by themselves once it is connected again."""
    waits = (VideoStatus.FAILED_UPLOAD, VideoStatus.HELD)
    return Video.objects.filter(account=video.account_id, status__in=waits, reason_code__in=RECONNECT_CODES).count()
