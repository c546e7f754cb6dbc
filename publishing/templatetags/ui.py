"""Small pieces of every page: icons, status chips, times with their zone."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.html import format_html
from django.utils.safestring import SafeString

from publishing.causes import clock_text, size_text
from publishing.clocks import city, hour, moment
from publishing.models import Video
from publishing.states import Family, VideoStatus

register = template.Library()

FAMILY_ICONS = {
    Family.YOURS: "pencil",
    Family.QUEUED: "clock",
    Family.WORKING: "ring",
    Family.WAITING: "eye",
    Family.ATTENTION: "alert",
    Family.DONE: "check-circle",
    Family.ENDED: "ban",
}
#: Statuses whose own picture says more than their family's.
STATUS_ICONS = {VideoStatus.HELD: "pause", VideoStatus.RETRYING: "refresh", VideoStatus.IN_INBOX: "inbox"}

register.filter("clock", clock_text)
register.filter("bytes", size_text)


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite; decoration only, a word always stands beside it."""
    return _drawn(name, css, get_script_prefix())


@lru_cache(maxsize=512)
def _drawn(name: str, css: str, _prefix: str) -> SafeString:
    """A page has two hundred, of twenty kinds. The sprite's address changes with the path below which we are served."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("img/sprite.svg"),
        name,
    )


@register.simple_tag
def chip(video: Video, word: str = "") -> SafeString:
    """The video's status: colour and icon of its family, and the word."""
    status = VideoStatus(video.status)
    picture = STATUS_ICONS.get(status, FAMILY_ICONS[video.family])
    return format_html(
        '<span class="chip chip--{}">{}<span>{}</span></span>',
        video.family.value,
        icon(picture),
        word or status.label,
    )


@register.simple_tag
def family_icon(family: str) -> SafeString:
    return icon(FAMILY_ICONS[Family(family)])


register.filter(city)
register.simple_tag(moment)
register.filter(hour)


@register.filter
def initials(name: str) -> str:
    """Two letters in place of a picture that is not there."""
    words = [word for word in name.replace("_", " ").replace(".", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def tint(number: int) -> int:
    """One of six quiet colours for the picture of row `number`, always the same one."""
    return number % 6
