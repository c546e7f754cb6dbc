"""What an edit did to a file, in words: read from the two files' measures."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from publishing.models import Video


def edit_words(video: Video) -> list[str]:
    """What is different in the edited file; empty while there is none, or when nothing had to be edited."""
    if video.edited is None or video.edited.sha256 == video.batch.source.sha256:
        return []
    before, after = video.batch.source.measures, video.edited.measures
    words = [_shape(before, after), _rate(before, after)]
    if video.subtitles is not None:
        words.append(gettext("Subtitles burnt in: %(n)s lines.") % {"n": len(video.subtitles.cues)})
    return [word for word in words if word]


def _shape(before: dict[str, Any], after: dict[str, Any]) -> str:
    sizes = [f"{one.get('width', 0)}×{one.get('height', 0)}" for one in (before, after)]
    if sizes[0] == sizes[1]:
        return ""
    return gettext("Picture: %(before)s → %(after)s.") % {"before": sizes[0], "after": sizes[1]}


def _rate(before: dict[str, Any], after: dict[str, Any]) -> str:
    rates = [round(float(one.get("fps", 0))) for one in (before, after)]
    if rates[0] == rates[1]:
        return ""
    return gettext("Frames a second: %(before)s → %(after)s.") % {"before": rates[0], "after": rates[1]}
