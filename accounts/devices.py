"""Browsers that somebody has logged in with before, by a signed cookie: strangers' failures do not slow them down.

The cookie opens nothing. It holds, for each of the last people, a random id under which failures are counted.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

DAYS = 180
#: People who share a browser.
MOST = 5
SALT = "accounts.devices"


def cookie_name() -> str:
    return f"{settings.COOKIE_PREFIX}device"


def device_of(request: HttpRequest, user: User | None) -> str:
    """The id that this browser has for the person; empty when they never logged in here."""
    return _known(request).get(str(user.pk), "") if user else ""


def device_remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """From now on this browser is known to belong to the person."""
    known = _known(request)
    mine = known.pop(str(user.pk), "") or secrets.token_urlsafe(12)
    kept = dict([*known.items()][-(MOST - 1) :]) | {str(user.pk): mine}
    response.set_cookie(
        cookie_name(), signing.dumps(kept, salt=SALT), max_age=DAYS * 24 * 3600, secure=settings.SESSION_COOKIE_SECURE,
        httponly=True, samesite="Lax", path="/",
    )  # fmt: skip


def _known(request: HttpRequest) -> dict[str, str]:
    try:
        known = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=SALT, max_age=DAYS * 24 * 3600)
    except signing.BadSignature:
        return {}
    return {str(pk): str(mine) for pk, mine in known.items()} if isinstance(known, dict) else {}
