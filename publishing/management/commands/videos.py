"""`manage.py videos`: where the videos are."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils.translation import gettext

from publishing.cli.choices import accounts_named, operator, user_named
from publishing.cli.documents import video_document
from publishing.cli.waiting import local_text, outcome
from publishing.models import Video
from publishing.selectors.videos import video_progress, videos_for
from publishing.states import Family, VideoStatus
from subiteya.lib.cli import CliCommand, Refused

SHOWN = 50
CAPTION = 48


class Command(CliCommand):
    help = "Lists videos, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--status", choices=VideoStatus.values, help="only those")
        add("--family", choices=[str(family) for family in Family], help="only those; attention: what is red")
        add("--account", default="", metavar="@NAME", help="only of this account")
        add("--batch", type=int, metavar="N", help="only of this batch")
        add("--limit", type=int, default=SHOWN, metavar="N", help="at most so many (0: all)")
        add("--user", default="", metavar="USERNAME", help="only what this person may see")

    def answer(self, options: dict[str, Any]) -> int:
        if options["limit"] < 0:
            raise Refused("limit_invalid", gettext("--limit is 0 or more."), field="limit")
        found = _found(options)
        videos = list(found[: options["limit"]] if options["limit"] else found)
        total = found.count()
        self.tell({"videos": [video_document(video) for video in videos], "total": total}, _table(videos))
        if total > len(videos) and not self.as_json:
            self.note(gettext("%(shown)s of %(total)s; --limit shows more.") % {"shown": len(videos), "total": total})
        return 0


def _found(options: dict[str, Any]) -> QuerySet[Video]:
    user = user_named(options["user"]) if options["user"] else operator()
    accounts = accounts_named([options["account"]], user) if options["account"] else []
    return videos_for(
        user,
        status=options["status"],
        family=options["family"],
        account=accounts[0].pk if accounts else None,
        batch=options["batch"],
    )


def _table(videos: list[Video]) -> str:
    if not videos:
        return gettext("No videos.")
    head = [gettext("id"), gettext("account"), gettext("status"), gettext("created"), gettext("text")]
    rows = [head, *(_cells(video) for video in videos)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows)


def _cells(video: Video) -> list[str]:
    progress = video_progress(video)
    status = f"{progress.label} {progress.percent} %" if progress.percent not in {None, 100} else progress.label
    text = " ".join(video.caption.split())
    shown = text if len(text) <= CAPTION else text[: CAPTION - 1] + "…"
    after = outcome(video)
    return [
        str(video.pk),
        str(video.account),
        status,
        local_text(video.created_at, video),
        f"{shown}  {after}" if after else shown,
    ]
