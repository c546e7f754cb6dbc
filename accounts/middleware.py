"""Each person's language, and a trace id for each request."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from subiteya.lib.tracing import SpanKind, current_trace_id, failed, span

GetResponse = Callable[[HttpRequest], HttpResponse]


class UserLocaleMiddleware(LocaleMiddleware):
    """The language cookie, else the product's default: a browser's header alone never changes the language."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get("django_language", "")
        language = chosen if translation.check_for_language(chosen) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


class UserPreferencesMiddleware:
    """A logged-in person's own language wins."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class TraceMiddleware:
    """A span per request, whose trace is answered in `X-Trace-Id`, so that a person can quote it.

    Whatever trace a caller names is ignored: strangers do not write into ours. A page that was just looked at
    leaves no span; what changes something, fails, is slow or calls TikTok does.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        method = request.method or ""
        looks_only = method in {"GET", "HEAD", "OPTIONS"}
        attributes = {"http.request.method": method}
        with span(method, kind=SpanKind.SERVER, parent="", attributes=attributes, minor=looks_only) as at:
            response = self.get_response(request)
            response["X-Trace-Id"] = current_trace_id()
            if request.resolver_match:
                at.update_name(f"{method} /{request.resolver_match.route}")
                at.set_attribute("http.route", f"/{request.resolver_match.route}")
            at.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                failed(at, str(response.status_code))
            return response
