"""What a browser may do with our answers: the content security policy, and the headers that keep other sites out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.http import HttpRequest, HttpResponse

#: Nothing here uses these, so no script that got in may either. Only names that Chromium knows: it warns of others.
_UNUSED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
HEADERS = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
}


def content_policy(*, authorize_base: str, https: bool) -> dict[str, Any]:
    """django-csp's setting: our own files only, nothing inline.

    A script element without `src` would need the request's nonce; there is none. `blob:` is the video that a person
    is about to send, and a brand's preview. Chromium holds `form-action` against the redirect that follows a form,
    and *Connect* redirects to TikTok's page (`authorize_base`).
    """
    return {
        "DIRECTIVES": {
            "default-src": [NONE],
            "script-src": [SELF, NONCE],
            "style-src": [SELF, NONCE],
            "img-src": [SELF, "blob:"],
            "media-src": [SELF, "blob:"],
            "font-src": [SELF],
            "connect-src": [SELF],
            "form-action": [SELF, *_targets(authorize_base)],
            "base-uri": [NONE],
            "frame-ancestors": [NONE],
            "object-src": [NONE],
            "upgrade-insecure-requests": https,
        }
    }


def _targets(authorize_base: str) -> list[str]:
    """TikTok's page, and the hosts beside it, to which it may redirect somebody who has to log in first."""
    parts = urlsplit(authorize_base)
    origin = f"{parts.scheme}://{parts.netloc}"
    beside = parts.netloc.removeprefix("www.")
    return [origin] if beside == parts.netloc else [origin, f"{parts.scheme}://*.{beside}"]


class HeadersMiddleware:
    """Puts `HEADERS` on every answer, files and refusals included, unless its view chose otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
