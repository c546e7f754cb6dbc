"""Playing and downloading stored videos: by ranges, from this host's copy, only to whom they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, signed_in
from publishing.errors import StepFailed
from publishing.models import Asset
from publishing.services.files import local_copy
from publishing.views.scope import asset_or_404

BLOCK = 1 << 18
TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm"}


@require_safe
@signed_in
def asset_media(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The file's bytes; `?download=1` names it as a file to keep. One range at a time, as RFC 9110 allows."""
    asset = asset_or_404(request.user, pk)
    path = local_path(asset)
    response = _partial(request, asset, path)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{asset.sha256}"'
    response["Cache-Control"] = "private, max-age=86400, immutable"
    # A person's bytes come from our own address: whatever they turn out to be, they run nothing.
    response["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="subiteya-{asset.pk}{path.suffix}"'
    return response


def local_path(asset: Asset) -> Path:
    """Where this host has the file. Raises Http404 when the bucket lost it."""
    try:
        return local_copy(asset, verify=False)
    except StepFailed as failure:
        raise Http404(failure.code) from None


def _partial(request: MemberRequest, asset: Asset, path: Path) -> HttpResponseBase:
    size = path.stat().st_size
    wanted = request.headers.get("Range", "")
    if request.headers.get("If-Range", f'"{asset.sha256}"') != f'"{asset.sha256}"':
        wanted = ""
    bounds = byte_range(wanted, size)
    if bounds is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = bounds
    body = _blocks(path, first, last) if request.method == "GET" else iter(())
    response = StreamingHttpResponse(
        body,
        status=206 if wanted and _RANGE.match(wanted) else 200,
        content_type=TYPES.get(path.suffix.lower(), "application/octet-stream"),
    )
    response["Content-Length"] = str(last - first + 1)
    if response.status_code == 206:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that `header` asks for; the whole file for none or a form we do not serve; None for 416."""
    match = _RANGE.match(header)
    if match is None:
        return 0, size - 1
    first, last = match.groups()
    if not first:
        length = int(last or 0)
        return (max(0, size - length), size - 1) if length else None
    start, end = int(first), min(int(last or size - 1), size - 1)
    return (start, end) if start <= end else None


def _blocks(path: Path, first: int, last: int) -> Iterator[bytes]:
    left = last - first + 1
    with path.open("rb") as file:
        file.seek(first)
        while left and (data := file.read(min(BLOCK, left))):
            left -= len(data)
            yield data
