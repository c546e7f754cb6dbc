"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """`sandbox` and `audited`: the ribbon says when posts are not public or not real."""
    return {"sandbox": settings.TIKTOK_SANDBOX, "audited": settings.TIKTOK_AUDITED}
