"""Subtitles of the New page: made, read from a file, corrected."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, polled, signed_in
from publishing.causes import advice, sentence
from publishing.editing.subtitles import FILE_MAX
from publishing.errors import TrackRefused
from publishing.models import Asset, SubtitleTrack, TrackStatus
from publishing.services.tracks import track_from_file, track_request, track_save_cues
from publishing.views.scope import asset_or_404, track_or_404


@require_POST
@signed_in
def track_create(request: MemberRequest) -> JsonResponse:
    """Form fields: `asset`, `language`, and `script` (made on the edit queue) or `file`. Answers `track_json`."""
    pk = request.POST.get("asset", "")
    asset = asset_or_404(request.user, int(pk) if pk.isdecimal() and len(pk) < 18 else 0)
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return _refused(gettext("Choose the language that is spoken."))
    try:
        track = _create(request, asset, language)
    except TrackRefused as refusal:
        return _refused(f"{refusal} {advice(refusal.code, refusal.detail)}")
    return JsonResponse(track_json(track), status=201)


def _create(request: MemberRequest, asset: Asset, language: str) -> SubtitleTrack:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        script = request.POST.get("script", "")
        return track_request(asset=asset, language=language, script=script, user=request.user)
    # One byte more than is allowed is enough for the service to refuse it.
    data = file.read(FILE_MAX + 1)
    return track_from_file(asset=asset, data=data, name=file.name or "", language=language, user=request.user)


@polled
@require_http_methods(["GET", "POST"])
@signed_in
def track_detail(request: MemberRequest, pk: int) -> JsonResponse:
    """GET: the track as it is now. POST {"cues": […]}: store corrections; the answer's `id` may be a new one."""
    track = track_or_404(request.user, pk)
    if request.method == "POST":
        try:
            track = track_save_cues(track=track, cues=_cues(request), user=request.user)
        except TrackRefused as refusal:
            return _refused(f"{refusal} {advice(refusal.code, refusal.detail)}")
    return JsonResponse(track_json(track), headers={"Cache-Control": "no-store"})


def _cues(request: MemberRequest) -> list[dict[str, Any]]:
    """The body's cues. Raises TrackRefused unless it is a list of objects."""
    try:
        cues = json.loads(request.body)["cues"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TrackRefused("subtitles_invalid", {"line": "?"}) from None
    if not isinstance(cues, list) or not all(isinstance(cue, dict) for cue in cues):
        raise TrackRefused("subtitles_invalid", {"line": "?"})
    return cues


def _refused(text: str) -> JsonResponse:
    return JsonResponse({"error": text}, status=422)


def track_json(track: SubtitleTrack) -> dict[str, Any]:
    """`status` pending, ready or failed; `cues` in milliseconds; `error` with what to do when it failed."""
    code, detail = track.reason_code, track.reason_detail
    failed = track.status == TrackStatus.FAILED
    return {
        "id": track.pk,
        "status": track.status,
        "language": track.language,
        "engine": track.engine,
        "edited": track.edited,
        "cues": track.cues,
        "detail_url": reverse("publishing:track_detail", args=[track.pk]),
        "error": f"{sentence(code, detail)} {advice(code, detail)}" if failed else "",
    }
