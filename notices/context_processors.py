"""What every page's frame shows of the notices."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notices.selectors.rows import unread_count


def bell(request: HttpRequest) -> dict[str, Any]:
    """`unread`: the bell's number; asked once, and only where a page shows it."""
    return {"unread": SimpleLazyObject(lambda: unread_count(request.user))}
