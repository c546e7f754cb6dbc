"""How fast our own clocks run: every lease, pause and look of the workers is multiplied by TIME_SCALE."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from django.conf import settings

Span = TypeVar("Span", float, timedelta)


def paced(span: Span) -> Span:
    """`span` as long as SUBITEYA_TIME_SCALE makes it; TikTok's own limits are never scaled."""
    return span * settings.TIME_SCALE
