"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from publishing.models import Video
from publishing.states import FAMILIES, Family
from publishing.views.undoing import undo_offer

#: The menu counts no further.
MOST_RED = 999


def shell(request: HttpRequest) -> dict[str, Any]:
    """`sandbox` and `audited` (the ribbons), `may_act`: whether to show buttons, `attention`: how many
    videos wait for this person, and `undo`: the offer.

    The count asks the database only where a page shows it.
    """
    return {
        "sandbox": settings.TIKTOK_SANDBOX,
        "audited": settings.TIKTOK_AUDITED,
        "may_act": getattr(request.user, "may_act", False),
        "undo": undo_offer(request),
        "attention": SimpleLazyObject(lambda: _attention(request)),
    }


def _attention(request: HttpRequest) -> str:
    red = sorted(FAMILIES[Family.ATTENTION])
    videos = Video.objects.for_user(request.user)
    count = videos.filter(status__in=red).order_by().values("pk")[: MOST_RED + 1].count()
    return f"{MOST_RED}+" if count > MOST_RED else str(count or "")
