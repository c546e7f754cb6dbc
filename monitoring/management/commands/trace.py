"""`manage.py trace`: the story of a video, from every row, span and call that carries its trace."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext

from monitoring.selectors.stories import Line, story_of_trace, story_of_video
from publishing.cli.choices import operator
from publishing.models import Video
from subiteya.lib.cli import CliCommand, Refused


class Command(CliCommand):
    help = "Prints what happened to a video, or in a trace, end to end and in the order of time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", metavar="VIDEO_OR_TRACE_ID", help="a video's number, or 32 hexadecimal digits")

    def answer(self, options: dict[str, Any]) -> int:
        what = options["what"].strip().lower()
        trace_id, lines = _found(what)
        document = {"traceId": trace_id, "lines": [line.document() for line in lines]}
        self.tell(document, "\n".join([f"trace {trace_id}", *map(_words, lines)]))
        return 0


def _found(what: str) -> tuple[str, list[Line]]:
    if what.isascii() and what.isdecimal() and len(what) < 18:
        video = Video.objects.for_user(operator()).filter(pk=int(what)).first()
        if video is None:
            raise Refused("video_unknown", gettext("There is no video %(pk)s.") % {"pk": what}, field="what")
        return video.trace_id, story_of_video(video)
    lines = story_of_trace(what)
    if not lines:
        raise Refused("trace_unknown", gettext("Nothing is known of the trace “%(id)s”.") % {"id": what}, field="what")
    return what, lines


def _words(line: Line) -> str:
    moment = timezone.localtime(line.at)
    head = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}  {line.kind:<10}"
    facts = "  ".join(f"{name}={value}" for name, value in line.facts.items() if value not in {"", None})
    return f"{head} {line.what}" + (f"  {facts}" if facts else "")
