"""`manage.py publish`: one video file to one or more TikTok accounts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext, ngettext

from publishing.cli.bars import Bars
from publishing.cli.documents import batch_document
from publishing.cli.orders import Placed, order_from, place
from publishing.cli.waiting import (
    Watched,
    all_good,
    batch_videos,
    is_attended,
    outcome,
    unattended_note,
    watch,
)
from publishing.models import Video
from publishing.states import PostMode, PrivacyLevel, VideoStatus
from subiteya.lib.cli import EXIT_FAILED, EXIT_INTERRUPTED, CliCommand

EXITS = {"timeout": EXIT_FAILED, "interrupted": EXIT_INTERRUPTED}


class Command(CliCommand):
    help = "Publishes a video file to TikTok accounts; docs/cli.md explains every option."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the video")
        _add_post(parser)
        _add_subtitles(parser)
        _add_running(parser)

    def answer(self, options: dict[str, Any]) -> int:
        bars = Bars(self.screen)
        placed = place(order_from(options), bars)
        for note in placed.notes:
            self._say(note)
        if not is_attended():
            self._say(unattended_note())
        seen = watch(placed.batch, bars, timeout=options["timeout"]) if options["wait"] else None
        videos = seen.videos if seen else batch_videos(placed.batch)
        self._tell(placed, videos, seen)
        return _exit_code(seen)

    def _say(self, words: str) -> None:
        if not self.as_json:
            self.note(words)

    def _tell(self, placed: Placed, videos: list[Video], seen: Watched | None) -> None:
        document = batch_document(placed.batch, videos, duplicate=placed.duplicate)
        cut = seen.cut if seen else ""
        self.tell(document | {"notes": placed.notes, "cut": cut or None}, _words(placed, videos))
        if cut:
            self._say(_cut_words(cut))


def _add_post(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--account", action="append", required=True, dest="accounts", metavar="@NAME", help="where; repeatable")
    add("--caption", default="", help="the text of the post")
    add("--hashtag", action="append", default=[], dest="hashtags", metavar="TAG", help="behind the text; repeatable")
    add("--privacy", type=str.upper, choices=PrivacyLevel.values, default="", help="who may see it (direct mode)")
    add("--mode", choices=PostMode.values, default=PostMode.DIRECT.value, help="inbox: finished in TikTok's app")
    for what in ("comment", "duet", "stitch"):
        add(f"--allow-{what}", action="store_true", help=f"let others use it ({what})")
    add("--at", default="", metavar="TIME", help="when: 2026-12-01T18:00 (default: now)")
    add("--tz", default="", metavar="ZONE", help="zone of --at (default: the accounts')")
    add("--user", default="", metavar="USERNAME", help="on whose behalf (default: see docs/cli.md)")


def _add_subtitles(parser: CommandParser) -> None:
    add = parser.add_argument
    add(
        "--subtitles",
        default="none",
        metavar="none|auto|system|FILE",
        help="FILE: SRT, VTT or ASS; system: automatic ones or none, by lot",
    )
    add("--script", default="", metavar="TEXT|@FILE", help="what is said, for automatic subtitles")
    add("--language", choices=("es", "en"), default="es", help="of what is said")


def _add_running(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--key", default="", help="the same key again is the same submission")
    add("--wait", action="store_true", help="watch until every video is over; exit 0 only if all came out")
    add("--timeout", type=float, metavar="SECONDS", help="wait at most so long; the work goes on")


def _exit_code(seen: Watched | None) -> int:
    if seen is None:
        return 0
    return EXITS.get(seen.cut) or (0 if all_good(seen.videos) else EXIT_FAILED)


def _words(placed: Placed, videos: list[Video]) -> str:
    head = ngettext("Batch %(pk)s, %(n)s video:", "Batch %(pk)s, %(n)s videos:", len(videos))
    lines = [head % {"pk": placed.batch.pk, "n": len(videos)}]
    for video in videos:
        parts = [str(video.pk), str(video.account), str(VideoStatus(video.status).label), outcome(video)]
        lines.append("  " + "  ".join(part for part in parts if part))
    return "\n".join(lines)


def _cut_words(cut: str) -> str:
    if cut == "timeout":
        return gettext("The time is over; the work goes on. Look again with “manage.py videos”.")
    return gettext("Not watching any more; the work goes on. Look again with “manage.py videos”.")
