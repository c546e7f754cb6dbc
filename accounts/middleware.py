"""Each person's language, and a trace id for each request."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from subiteya.lib.tracing import trace

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
    """One trace id per request, answered in `X-Trace-Id`, so that a person can quote it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with trace() as trace_id:
            response = self.get_response(request)
            response["X-Trace-Id"] = trace_id
            return response
