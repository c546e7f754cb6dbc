"""Whoever records something during a request finds out whose it is."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.origin import requested


class OriginMiddleware:
    """Behind those of sessions and people, before all that acts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with requested(request):
            return self.get_response(request)
