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
#: What our own check found the file to be -> its type and the end of its name.
TYPES = {
    "mp4": ("video/mp4", ".mp4"), "mov": ("video/quicktime", ".mov"), "webm": ("video/webm", ".webm"),
    "matroska": ("video/x-matroska", ".mkv"),
}  # fmt: skip
UNKNOWN = ("application/octet-stream", ".bin")


@require_safe
@signed_in
def asset_media(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The file's bytes: for our players, which do not mind, and as a file to keep. One range at a time.

    RFC 9110 lets a server answer several ranges, or one that it does not understand, with the whole.
    """
    asset = asset_or_404(request.user, pk)
    path = local_path(asset)
    response = _partial(request, asset, path)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = _etag(asset)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    _type, suffix = TYPES.get(asset.probe.get("container", ""), UNKNOWN)
    return harmless(response, f"subiteya-{asset.pk}{suffix}")


def harmless(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """A person's bytes come from our own address: whatever they turn out to be, they run nothing.

    Opened by themselves they are a file to keep, under a name of ours; elements of our pages show them all the same.
    """
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _etag(asset: Asset) -> str:
    return f'"{asset.sha256}"'


def local_path(asset: Asset) -> Path:
    """Where this host has the file. Raises Http404 when the bucket lost it."""
    try:
        return local_copy(asset, verify=False)
    except StepFailed as failure:
        raise Http404(failure.code) from None


def _partial(request: MemberRequest, asset: Asset, path: Path) -> HttpResponseBase:
    size = path.stat().st_size
    wanted = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", _etag(asset)) != _etag(asset):
        wanted = ""  # of an older file, or by a date, which we do not give: the whole
    bounds = byte_range(wanted, size)
    if bounds is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = bounds
    body = _blocks(path, first, last) if request.method == "GET" else iter(())
    response = StreamingHttpResponse(
        body,
        status=206 if _range_of(wanted) else 200,
        content_type=TYPES.get(asset.probe.get("container", ""), UNKNOWN)[0],
    )
    response["Content-Length"] = str(last - first + 1)
    if response.status_code == 206:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


#: RFC 9110, 14.1.2: the unit in any case; a first byte, a last one, or both. Other forms are not understood.
_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII | re.IGNORECASE)


def _range_of(header: str) -> re.Match[str] | None:
    return _RANGE.fullmatch(header)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that `header` asks for; the whole file for none or a form we do not serve; None for 416."""
    match = _range_of(header)
    if match is None:
        return 0, size - 1
    first, last, suffix = match.groups()
    if suffix is not None:
        length = int(suffix)
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
