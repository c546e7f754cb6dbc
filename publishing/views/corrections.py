"""Correcting what a video that has not gone out will send: its subtitles, its text, its cover."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import User
from publishing.causes import sentence
from publishing.errors import NotPossible, StateConflict
from publishing.forms import CoverForm
from publishing.models import SubtitleTrack, Video
from publishing.services.corrections import is_correctable, post_change, subtitles_replace
from publishing.views.assets import asset_json
from publishing.views.scope import tracks_for, video_or_404


@require_http_methods(["GET", "POST"])
@signed_in
def video_subtitles(request: MemberRequest, pk: int) -> HttpResponse:
    """GET: the editor of its lines. POST: `track` (the saved lines), `everywhere`: for all of its upload's videos."""
    video = video_or_404(request.user, pk)
    track = video.subtitles
    if track is None or not is_correctable(video):
        messages.error(request, f"{video.account}: {sentence('not_correctable')}")
        return redirect("publishing:video_detail", pk=pk)
    if request.method == "POST":
        return _replace(request, video)
    context = {
        "video": video,
        "track": track,
        "others": _others(request.user, video),
        "asset_json": json.dumps(asset_json(video.batch.source)),
        "cues_json": json.dumps(track.cues),
    }
    return render(request, "publishing/video_subtitles.html", context)


def _others(user: User, video: Video) -> list[Video]:
    """The upload's other videos in the person's charge that have these lines and can be corrected too."""
    same = Video.objects.for_user(user).filter(batch=video.batch, track=video.track).exclude(pk=video.pk)
    rows = same.select_related("account", "batch__track", "track", "batch__source").order_by("account__username")
    return [other for other in rows if other.subtitles and is_correctable(other)]


def _replace(request: MemberRequest, video: Video) -> HttpResponse:
    asked = request.POST.get("track", "")
    known = tracks_for(request.user).filter(asset=video.batch.source_id)
    track = get_object_or_404(known, pk=int(asked) if asked.isdecimal() and len(asked) < 18 else 0)
    videos = [video, *(_others(request.user, video) if request.POST.get("everywhere") else [])]
    _each(request, videos, track)
    return redirect("publishing:video_detail", pk=video.pk)


@require_POST
@signed_in
def video_without_subtitles(request: MemberRequest, pk: int) -> HttpResponse:
    """Let it go out without subtitles."""
    video = video_or_404(request.user, pk)
    _each(request, [video], None)
    return redirect("publishing:video_detail", pk=pk)


def _each(request: MemberRequest, videos: list[Video], track: SubtitleTrack | None) -> None:
    done = 0
    for video in videos:
        try:
            subtitles_replace(video=video, track=track, actor=request.user)
            done += 1
        except (NotPossible, StateConflict) as error:
            why = str(error) if isinstance(error, NotPossible) else sentence("state_changed")
            messages.error(request, f"{video.account}: {why}")
    if done:
        text = ngettext("%(n)s video is corrected.", "%(n)s videos are corrected.", done)
        messages.success(request, text % {"n": done})


@require_POST
@signed_in
def video_change(request: MemberRequest, pk: int) -> HttpResponse:
    """Form fields `caption` and `cover_timestamp_ms`."""
    video = video_or_404(request.user, pk)
    form = CoverForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"{video.account}: {next(iter(form.errors.values()))[0]}")
        return redirect("publishing:video_detail", pk=pk)
    try:
        post_change(
            video=video, caption=form.cleaned_data["caption"].strip(),
            cover_timestamp_ms=form.cleaned_data["cover_timestamp_ms"], actor=request.user,
        )  # fmt: skip
    except (NotPossible, StateConflict) as error:
        why = str(error) if isinstance(error, NotPossible) else sentence("state_changed")
        messages.error(request, f"{video.account}: {why}")
    else:
        done = gettext("It goes out like this.")
        messages.success(request, f"{video.account}: {done}")
    return redirect("publishing:video_detail", pk=pk)
