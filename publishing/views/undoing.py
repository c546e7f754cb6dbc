"""The offer to take back what a person just did: kept in their session, so that it survives a reload."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

OFFER = "undo"


def offer_undo(request: HttpRequest, *, target: str, text: str, until: datetime) -> None:
    """From now until `until` every page shows `text` and a button that posts to `target`; one offer at a time."""
    request.session[OFFER] = {"target": target, "text": text, "until": until.isoformat()}


def forget_undo(request: HttpRequest) -> None:
    request.session.pop(OFFER, None)


def undo_offer(request: HttpRequest) -> dict[str, Any] | None:
    """The offer that still stands, with the `seconds` left; None without one. No query beyond the session's."""
    session = getattr(request, "session", None)
    offer = session.get(OFFER) if session is not None else None
    until = parse_datetime(offer["until"]) if offer else None
    if offer is None or until is None:
        return None
    seconds = ceil((until - timezone.now()).total_seconds())
    return {**offer, "seconds": seconds} if seconds > 0 else None
