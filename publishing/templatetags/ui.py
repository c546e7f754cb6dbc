"""Small pieces of every page: icons, status chips, times with their zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from publishing.causes import clock_text, size_text
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


@register.filter
def city(zone: str | tzinfo) -> str:
    """America/Argentina/Buenos_Aires -> Buenos Aires."""
    return str(zone).rsplit("/", 1)[-1].replace("_", " ")


@register.simple_tag(name="moment")
def moment(at: datetime, zone: str | tzinfo) -> str:
    """A day and hour as clocks in `zone` show it, with the zone beside it; the year only when it is another."""
    local = at.astimezone(zone if isinstance(zone, tzinfo) else ZoneInfo(zone))
    same_year = local.year == timezone.now().year
    return f"{date_format(local, 'D j M, H:i' if same_year else 'j M Y, H:i')} ({city(zone)})"


@register.filter
def hour(at: datetime, zone: str | tzinfo) -> str:
    """Day and hour without the zone, where the zone is already printed."""
    return date_format(at.astimezone(zone if isinstance(zone, tzinfo) else ZoneInfo(zone)), "D j M, H:i:s")


@register.filter
def initials(name: str) -> str:
    """Two letters in place of a picture that is not there."""
    words = [word for word in name.replace("_", " ").replace(".", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def tint(number: int) -> int:
    """One of six quiet colours for the picture of row `number`, always the same one."""
    return number % 6
