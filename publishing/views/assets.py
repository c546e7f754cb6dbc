"""Taking a file in from the browser, and showing what became of it."""

from __future__ import annotations

from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import unquote

from django.core.cache import cache
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import UnreadablePostError
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, polled, signed_in
from publishing.causes import advice, clock_text, sentence, size_text
from publishing.editing.ffmpeg import FfmpegError, frame_at
from publishing.errors import IngestRefused
from publishing.models import Asset, AssetStatus
from publishing.services.ingest import source_ingest
from publishing.views.media import harmless, local_path
from publishing.views.scope import asset_or_404
from subiteya.lib.ratelimits import limited

REFUSED_STATUS = {
    "too_large": 413, "quota_too_large": 413, "disk_full": 507, "quota_stored": 507, "quota_coming": 429,
    "quota_day": 429,
}  # fmt: skip
#: Frames are cut at whole tenths of a second, so that few different ones exist.
FRAME_STEP_MS = 100
FRAME_LIFE = 86_400
#: A poster's, and a row's, which is shown 48 or 56 wide: twice that for sharp screens.
FRAME_WIDTH, SMALL_WIDTH = 360, 112
#: Cutting a frame takes a core for a moment; a page full of thumbnails must not take them all.
_CUTTING = BoundedSemaphore(2)


@limited("upload", per_minute=60)
@require_POST
@signed_in
def asset_upload(request: MemberRequest) -> JsonResponse:
    """Stream the request's raw body into the store, never holding more than a block of it.

    `X-File-Name` is URI-encoded. Answers `asset_json`, or {"error", "code"} with 411, 413, 415, 422, 429 or 507.
    """
    declared = request.headers.get("Content-Length", "")
    if not declared.isdigit():
        return _refused("size_unknown", gettext("The browser did not say how large the file is."), 411)
    if not _takes(request.content_type or ""):
        return _refused("not_a_video", sentence("not_a_video"), 415)
    name = unquote(request.headers.get("X-File-Name", ""))
    try:
        asset = source_ingest(stream=request, name=name, user=request.user, declared_size=int(declared))
    except IngestRefused as refusal:
        text = f"{refusal} {advice(refusal.code, refusal.detail)}"
        return _refused(refusal.code, text, REFUSED_STATUS.get(refusal.code, 422))
    except UnreadablePostError:
        return _refused("cancelled", gettext("The upload was cut."), 400)
    return JsonResponse(asset_json(asset), status=201)


def _takes(content_type: str) -> bool:
    return content_type.startswith("video/") or content_type == "application/octet-stream"


def _refused(code: str, text: str, status: int) -> JsonResponse:
    return JsonResponse({"error": text, "code": code}, status=status)


@polled
@require_GET
@signed_in
def asset_detail(request: MemberRequest, pk: int) -> JsonResponse:
    """What is known of a file by now: the New page asks until it is ready or refused."""
    return JsonResponse(asset_json(asset_or_404(request.user, pk)), headers={"Cache-Control": "no-store"})


def asset_json(asset: Asset) -> dict[str, Any]:
    """`status` pending, ready or refused; numbers in bytes and milliseconds, and as text for a person."""
    answer: dict[str, Any] = {
        "id": asset.pk,
        "status": asset.status,
        "name": asset.original_name,
        "size": asset.size,
        "size_text": size_text(asset.size),
        "detail_url": reverse("publishing:asset_detail", args=[asset.pk]),
        "media_url": reverse("publishing:asset_media", args=[asset.pk]),
        "frame_url": reverse("publishing:asset_frame", args=[asset.pk]),
    }
    if asset.status == AssetStatus.REFUSED:
        code, detail = asset.refused_code, asset.refused_detail
        answer["error"] = f"{sentence(code, detail)} {advice(code, detail)}"
    if asset.status == AssetStatus.READY:
        answer |= _measured(asset)
    return answer


def _measured(asset: Asset) -> dict[str, Any]:
    video = asset.probe.get("video", {})
    return {
        "duration_ms": asset.duration_ms,
        "duration_text": clock_text(asset.duration_ms),
        "width": video.get("display_width", 0),
        "height": video.get("display_height", 0),
        "fps": video.get("fps", 0),
        "has_audio": asset.probe.get("audio") is not None,
    }


@require_GET
@signed_in
def asset_frame(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The frame at `?ms=` as JPEG, 360 pixels wide, 112 with `small`: only of a file whose claims were checked."""
    asset = asset_or_404(request.user, pk)
    if asset.status != AssetStatus.READY:
        raise Http404
    width = SMALL_WIDTH if "small" in request.GET else FRAME_WIDTH
    data = _frame(asset, _whole_step(request.GET.get("ms", "0"), asset.duration_ms), width)
    response = HttpResponse(data, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})
    return harmless(response, f"subiteya-{asset.pk}.jpg")


def _whole_step(text: str, duration_ms: int) -> int:
    """Inside the video: at its very end there is no frame to cut."""
    ms = int(text) if text.isdecimal() and len(text) < 12 else 0
    last = max(0, duration_ms - 2 * FRAME_STEP_MS) if duration_ms else ms
    return min(ms, last) // FRAME_STEP_MS * FRAME_STEP_MS


def _frame(asset: Asset, ms: int, width: int) -> bytes:
    key = f"frame:{asset.sha256}:{ms}:{width}"
    data: bytes | None = cache.get(key)
    if data is None:
        path = local_path(asset)
        with _CUTTING, suppress(FfmpegError):
            data = frame_at(path, ms, width)
        if data is None:
            raise Http404
        cache.set(key, data, FRAME_LIFE)
    return data
