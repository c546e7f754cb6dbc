"""System checks: what must be there before a worker starts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from publishing.editing.ffmpeg import ffmpeg_path


@register("publishing")
def ffmpeg_is_there(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """publishing.E001: without ffmpeg nothing can be edited."""
    try:
        path = ffmpeg_path()
    except RuntimeError:
        path = ""
    if path and shutil.which(path):
        return []
    return [Error("There is no ffmpeg.", hint="Install imageio-ffmpeg or set SUBITEYA_FFMPEG.", id="publishing.E001")]


@register("publishing")
def uploads_have_a_target(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """publishing.E002: parts of the target size must never be smaller than TikTok's 5 MB."""
    if settings.UPLOAD_PART_TARGET // 2 >= 5_000_000:
        return []
    hint = "Set SUBITEYA_UPLOAD_PART_TARGET to 10000000 or more."
    return [Error("Upload parts could become too small for TikTok.", hint=hint, id="publishing.E002")]
