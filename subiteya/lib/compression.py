"""Pages travel compressed, except where a stranger could learn something from their length."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TYPES = ("text/html", "application/json")


class CompressionMiddleware(GZipMiddleware):
    """gzip for pages and JSON; files come compressed from disk, and pictures and videos are it already.

    BREACH guesses a secret from the lengths of many answers that hold both the secret and the guess, which the attacker
    makes the victim's browser ask for from a page of theirs. So: what another site made the browser ask for is not
    compressed (`Sec-Fetch-Site`, which no page can set); our cookies do not travel with such requests anyhow, except
    when the whole window goes to us (`SameSite=Lax`). Besides, Django masks the CSRF token anew in each answer, and
    adds up to a hundred random bytes to each compressed one.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(response, HttpResponse) or not response.get("Content-Type", "").startswith(TYPES):
            return response
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
