"""System checks: what must be there before a worker starts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from publishing.editing.ffmpeg import ffmpeg_path
from publishing.editing.isolation import Isolation, available


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
def children_have_no_network(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """publishing.W003, E003: ffmpeg and the readers of untrusted files are cut off from the network."""
    return [] if settings.MEDIA_NETWORK == "off" else network_messages(settings.MEDIA_NETWORK, available())


def network_messages(wish: str, found: Isolation) -> list[CheckMessage]:
    """Of an installation that wants its children cut off, on a kernel that gives `found`."""
    if found != Isolation.NONE:
        return []
    says = "The kernel gives ffmpeg no network namespace of its own."
    hint = "Allow user namespaces (user.max_user_namespaces, the container's seccomp profile); see docs/media.md."
    if wish == "required":
        return [Error(says, hint=f"{hint} Or set SUBITEYA_MEDIA_NETWORK=auto.", id="publishing.E003")]
    return [Warning(says, hint=f"{hint} Or set SUBITEYA_MEDIA_NETWORK=off.", id="publishing.W003")]


@register("publishing")
def uploads_have_a_target(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """publishing.E002: parts of the target size must never be smaller than TikTok's 5 MB."""
    if settings.UPLOAD_PART_TARGET // 2 >= 5_000_000:
        return []
    hint = "Set SUBITEYA_UPLOAD_PART_TARGET to 10000000 or more."
    return [Error("Upload parts could become too small for TikTok.", hint=hint, id="publishing.E002")]
