"""What every page's frame shows of the monitor."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from monitoring.selectors.alerts import alerts_open_count


def alerts(request: HttpRequest) -> dict[str, Any]:
    """`alerts_open`: how many alerts this person should know of; asked only where a page shows it."""
    return {"alerts_open": cache(lambda: alerts_open_count(request.user))}  # type: ignore[arg-type]
