"""Exactly what TikTok receives of a video, in words: read from the very `post_info` and parts that are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from publishing.causes import clock_text, size_text
from publishing.models import Video
from publishing.services.upload import post_info
from publishing.states import PostMode, PrivacyLevel
from subiteya.tiktok import TITLE_MAX_UTF16, chunk_plan, utf16_len


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One field: TikTok's name of it, ours, and its value in words."""

    name: str
    label: str | Promise
    value: str


def _yes(value: Any) -> str:
    return gettext("yes") if value else gettext("no")


def _allowed(value: Any) -> str:
    return gettext("not allowed") if value else gettext("allowed")


def _title(value: Any) -> str:
    units = utf16_len(str(value))
    count = gettext("%(n)s of %(most)s characters") % {"n": units, "most": TITLE_MAX_UTF16}
    return f"{value} ({count})" if value else gettext("Without text")


#: Every field of a direct post, in the order in which a person reads them.
FIELDS: dict[str, tuple[str | Promise, Callable[[Any], str]]] = {
    "title": (_("Text"), _title),
    "privacy_level": (_("Who may see it"), lambda value: str(PrivacyLevel(value).label)),
    "disable_comment": (_("Comments"), _allowed),
    "disable_duet": (_("Duets"), _allowed),
    "disable_stitch": (_("Stitches"), _allowed),
    "video_cover_timestamp_ms": (_("Cover"), lambda value: gettext("frame at %(at)s") % {"at": clock_text(value)}),
    "brand_content_toggle": (_("Paid partnership"), _yes),
    "brand_organic_toggle": (_("Promotional content"), _yes),
    "is_aigc": (_("Made with AI"), _yes),
}


def sending_of(video: Video) -> list[Sent]:
    """The fields of a video, written or not; the inbox takes the file and nothing else."""
    sent = [] if video.mode == PostMode.INBOX else _post(video)
    return [*sent, Sent(name="source_info", label=_("File"), value=_file(video))]


def _post(video: Video) -> list[Sent]:
    values = post_info(video).payload()
    return [Sent(name=name, label=label, value=words(values[name])) for name, (label, words) in FIELDS.items()]


def _file(video: Video) -> str:
    """The file that is sent, or while it is not edited yet, the one that it is made from."""
    asset = video.edited or video.batch.source
    plan = chunk_plan(asset.size, single_max=settings.UPLOAD_SINGLE_PART_MAX, target=settings.UPLOAD_PART_TARGET)
    parts = ngettext("%(n)s part", "%(n)s parts", plan.total_chunk_count) % {"n": plan.total_chunk_count}
    if video.edited:
        return f"{size_text(asset.size)}, {parts}"
    about = gettext("%(name)s edited for this account; as it is now: %(size)s, %(parts)s")
    return about % {"name": asset.original_name, "size": size_text(asset.size), "parts": parts}
