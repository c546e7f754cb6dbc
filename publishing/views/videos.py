"""The list and the page of a video, and what keeps both live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, signed_in
from accounts.selectors import accounts_for
from publishing.forms import VideoFilterForm
from publishing.models import AssetStatus, Video
from publishing.selectors.plans import retry_words
from publishing.selectors.videos import Progress, family_counts, timeline, videos_for
from publishing.services.circuits import RECONNECT_CODES
from publishing.states import Family, PostMode, VideoStatus
from publishing.views.buttons import offers_retry, secondary_buttons
from publishing.views.rows import Shown, row_of, shown, shown_rows, zone_of
from publishing.views.scope import video_or_404

PAGE = 30
#: Rows that a browser may ask about at once.
WATCHED = 150
#: Parts that are drawn one by one.
SEGMENTS = 60
FILTERS = ("family", "account", "batch", "q")


@require_GET
@signed_in
def video_list(request: MemberRequest) -> HttpResponse:
    """The videos in the person's charge, newest first; a fragment with more of them for `?before=<pk>`."""
    asked = VideoFilterForm.read(request.GET)
    rows, more = _page(request, asked)
    context: dict[str, Any] = {"rows": rows, "more": more, "asked": asked}
    if request.htmx and "before" in asked:
        return render(request, "publishing/_rows.html", context)
    context |= {
        "accounts": list(accounts_for(request.user)),
        "families": _families_part(request, asked),
        "live": _live_address(asked),
        "filtered": any(name in asked for name in FILTERS),
    }
    return render(request, "publishing/video_list.html", context)


def _families_part(request: MemberRequest, asked: Mapping[str, Any]) -> Shown:
    return shown("publishing/_families.html", {"families": _families(request, asked)}, 0)


def _filters(asked: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {"query" if name == "q" else name: asked[name] for name in names or FILTERS if name in asked}


def _page(request: MemberRequest, asked: Mapping[str, Any]) -> tuple[list[Shown], str]:
    """One page of rows and the address of the next one, by the last key: new videos shift nothing."""
    videos = videos_for(request.user, **_filters(asked))
    if "before" in asked:
        videos = videos.filter(pk__lt=asked["before"])
    found = list(videos[: PAGE + 1])
    rows = shown_rows(found[:PAGE])
    if len(found) <= PAGE:
        return rows, ""
    return rows, _address(asked, before=rows[-1].pk)


def _address(asked: Mapping[str, Any], **changed: Any) -> str:
    """The list's address with these filters; an empty value takes one away."""
    values = {name: asked[name] for name in FILTERS if name in asked} | changed
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in values.items() if value})
    return f"{reverse('publishing:video_list')}?{query.urlencode()}".rstrip("?")


def _live_address(asked: Mapping[str, Any]) -> str:
    return _address(asked).replace(reverse("publishing:video_list"), reverse("publishing:video_list_live"), 1)


def _families(request: MemberRequest, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The filter chips with their counts under the other filters; those to mend come first."""
    counts = family_counts(videos_for(request.user, **_filters(asked, "account", "batch", "q")).prefetch_related(None))
    order = (
        Family.ATTENTION, Family.YOURS, Family.WORKING, Family.WAITING, Family.QUEUED, Family.DONE, Family.ENDED,
    )  # fmt: skip
    chips = [
        {
            "family": family.value,
            "count": counts[family],
            "address": _address(asked, family="" if asked.get("family") == family else family.value),
            "chosen": asked.get("family") == family,
        }
        for family in order
    ]
    total = {"family": "", "count": sum(counts.values()), "address": _address(asked, family="")}
    return [total | {"chosen": "family" not in asked}, *chips]


@require_GET
@signed_in
def video_list_live(request: MemberRequest) -> HttpResponse:
    """What changed since the browser looked: `v=<pk>-<version>,…` are the rows it shows, `newest` its first key.

    204 when nothing did. Changed rows, new rows and the counts come as out-of-band pieces.
    """
    asked = VideoFilterForm.read(request.GET)
    known = _known(request.GET.get("v", ""))
    videos = videos_for(request.user).filter(pk__in=known)
    changed = [row for row in shown_rows(videos) if row.version != known[row.pk]]
    context: dict[str, Any] = {"changed": changed, "fresh": _fresh(request, asked)}
    counts = _families_part(request, asked)
    if counts.version != request.GET.get("counts", ""):
        context["counts"] = counts
    if not any(context.values()):
        return HttpResponse(status=204)
    return render(request, "publishing/_changes.html", context)


def _known(text: str) -> dict[int, str]:
    """`12-ab12cd34,13-…` as {12: "ab12cd34"}; nonsense is left out."""
    pairs = (item.partition("-") for item in text.split(",")[:WATCHED])
    return {int(pk): version for pk, _dash, version in pairs if pk.isdecimal() and len(pk) < 18}


def _fresh(request: MemberRequest, asked: Mapping[str, Any]) -> list[Shown]:
    newest = request.GET.get("newest", "")
    if not newest.isdecimal() or len(newest) > 17:
        return []
    return shown_rows(videos_for(request.user, **_filters(asked)).filter(pk__gt=int(newest))[:PAGE])


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
        "direct": video.mode == PostMode.DIRECT,
        "final": video.edited or video.batch.source,
    }
    return render(request, "publishing/video_detail.html", context)


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


def _live_part(request: HttpRequest, video: Video) -> Shown:
    row, buttons = row_of(video), secondary_buttons(video)
    context = {
        "row": row,
        "video": video,
        "zone": row.zone,
        "buttons": buttons,
        "plan": retry_words(video) if offers_retry(video, [row.button, *buttons]) else "",
        "timeline": timeline(video),
        "siblings": _siblings(request, video),
        "segments": _segments(row.progress, video),
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
    }
    return shown("publishing/_players.html", context, video.pk)


def _siblings(request: HttpRequest, video: Video) -> list[Video]:
    """The batch's videos that this person may see, this one among them; none when it is alone."""
    found = list(Video.objects.for_user(request.user).filter(batch=video.batch).select_related("account"))
    return sorted(found, key=lambda one: one.account.username) if len(found) > 1 else []


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
    return Video.objects.filter(
        account=video.account_id, status=VideoStatus.FAILED_UPLOAD, reason_code__in=RECONNECT_CODES
    ).count()
