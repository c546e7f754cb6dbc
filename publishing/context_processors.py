"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from publishing.models import Video
from publishing.states import FAMILIES, Family


def shell(request: HttpRequest) -> dict[str, Any]:
    """`sandbox` and `audited` (the ribbons), and `attention`: how many videos wait for this person.

    The count asks the database only where a page shows it.
    """
    return {
        "sandbox": settings.TIKTOK_SANDBOX,
        "audited": settings.TIKTOK_AUDITED,
        "attention": SimpleLazyObject(lambda: _attention(request)),
    }


def _attention(request: HttpRequest) -> int:
    red = sorted(FAMILIES[Family.ATTENTION])
    return Video.objects.for_user(request.user).filter(status__in=red).count()
