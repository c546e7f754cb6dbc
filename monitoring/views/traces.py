"""The waterfall on the page of a video."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import localize
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, signed_in
from monitoring.selectors.spans import Bar, Link, waterfall
from publishing.views.rows import zone_of
from publishing.views.scope import video_or_404

INDENTS = 6
WHY = {
    "previous": gettext_lazy("goes on from"),
    "follows": gettext_lazy("follows"),
    "bell": gettext_lazy("called by"),
    "asked": gettext_lazy("asked for by"),
    "led_to": gettext_lazy("led to"),
}
STATES = {
    "done": "",
    "failed": gettext_lazy("failed"),
    "running": gettext_lazy("still running"),
    "cut": gettext_lazy("cut off: its worker died"),
}


@require_GET
@signed_in
def video_trace(request: MemberRequest, pk: int) -> HttpResponse:
    """A fragment: the spans of a video in the person's charge, and of nothing else."""
    video = video_or_404(request.user, pk)
    shown = waterfall(video)
    context = {
        "video": video,
        "waterfall": shown,
        "zone": zone_of(video),
        "lasted": _lasted(shown.lasted),
        "rows": [_row(bar) for bar in shown.bars],
        "pauses": [{"left": pause.left, "width": pause.width} for pause in shown.pauses],
        "paused": _lasted(sum((pause.lasted for pause in shown.pauses), timedelta())),
    }
    return render(request, "monitoring/_trace.html", context)


def _row(bar: Bar) -> dict[str, Any]:
    error = str(bar.span.attributes.get("error.type", ""))
    words = " · ".join(part for part in (str(STATES[bar.state]), error) if part)
    return {
        "bar": bar,
        "indent": min(bar.depth, INDENTS),
        "part": _part(bar.span.attributes),
        "words": words,
        "lasted": _lasted(bar.lasted) if bar.lasted is not None else gettext("no end"),
        "offset": _lasted(bar.offset),
        "attributes": sorted(bar.span.attributes.items()),
        "links": [_link(link) for link in bar.links],
    }


def _part(attributes: dict[str, Any]) -> str:
    part, parts = (attributes.get(f"subiteya.{name}") for name in ("part", "parts"))
    return f"{part}/{parts}" if part and parts else ""


def _link(link: Link) -> dict[str, Any]:
    return {"why": WHY.get(link.why, link.why), "link": link}


def _lasted(lasted: timedelta) -> str:
    """12 ms, 3.4 s, 5 min 12 s, 2 h 5 min, 3 d 4 h: the units' symbols are those of every language."""
    seconds = lasted.total_seconds()
    if seconds < 60:
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{localize(round(seconds, 1))} s"
    for size, unit, below, lower in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} {seconds % size // below:.0f} {lower}"
    return ""
