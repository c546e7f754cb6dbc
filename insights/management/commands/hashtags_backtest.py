"""`manage.py hashtags_backtest`: would the suggestions have helped?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext

from insights.cli import day_typed, sector_typed
from insights.models import Publication, PublicationTopic
from insights.statistics.backtest import Backtest, Finding, Lift, backtest
from insights.statistics.histories import EFFECT, history
from insights.statistics.posts import Post
from insights.words import percent, points
from subiteya.lib.cli import CliCommand, Refused


class Command(CliCommand):
    help = "Replays history: suggests each week from what was known then, and looks how the posts after did."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--from", dest="start", metavar="DATE", help="first day of publication, such as 2026-10-01")
        add("--to", dest="end", metavar="DATE", help="last day")
        add("--sector", metavar="NAME", help="only this sector")
        add("--history", choices=["planted", "null"], help="an invented history: with effects, or without any")
        add("--seed", type=int, default=1, metavar="N", help="of the invented history")

    def answer(self, options: dict[str, Any]) -> int:
        if options["history"]:
            document, found = _invented(options)
        else:
            document, found = _of_database(options)
        self.tell({**document, **found.as_json()}, _text(found))
        return 0


def _invented(options: dict[str, Any]) -> tuple[dict[str, Any], Backtest]:
    for name, option in (("start", "from"), ("end", "to"), ("sector", "sector")):
        if options[name]:
            words = gettext("--%(option)s is for the database: leave it out with --history.")
            raise Refused("option_without", words % {"option": option}, field=option)
    made = history(options["seed"], effect=EFFECT if options["history"] == "planted" else 0)
    about = {"source": options["history"], "seed": options["seed"], "planted": sorted(made.planted)}
    return about, backtest(made.posts)


def _of_database(options: dict[str, Any]) -> tuple[dict[str, Any], Backtest]:
    start, end = day_typed(options["start"], "from"), day_typed(options["end"], "to")
    if start and end and start > end:
        raise Refused("range", gettext("--from is after --to."), field="from")
    about = {"source": "database", "from": start and start.isoformat(), "to": end and end.isoformat()}
    return about, backtest(_posts(start, end, sector_typed(options["sector"])))


def _posts(start: date | None, end: date | None, sector: int | None) -> Iterable[Post]:
    rows = Publication.objects.filter(posted_at__isnull=False)
    if start:
        rows = rows.filter(posted_at__gte=datetime.combine(start, time.min, tzinfo=UTC))
    if end:
        rows = rows.filter(posted_at__lt=datetime.combine(end + timedelta(days=1), time.min, tzinfo=UTC))
    if sector:
        rows = rows.filter(sector=sector)
    carried: dict[int, set[str]] = {}
    uses = PublicationTopic.objects.filter(publication__in=rows.order_by().values("pk")).order_by()
    for publication, topic in uses.values_list("publication", "topic__name").iterator():
        carried.setdefault(publication, set()).add(topic)
    facts = rows.order_by("pk").values_list("pk", "posted_at", "account__username", "sector__name", "is_hit")
    for pk, posted_at, account, name, is_hit in facts.iterator():
        assert posted_at is not None, "only published rows were asked for"
        yield Post(posted_at.astimezone(UTC).date(), account, name, frozenset(carried.get(pk, ())), is_hit)


def _text(found: Backtest) -> str:
    head = gettext("%(weeks)s weeks, %(posts)s posts of %(accounts)s accounts with known views.") % {
        "weeks": found.weeks, "posts": found.posts, "accounts": found.accounts,
    }  # fmt: skip
    rates = gettext(
        "Above the median of their account: %(suggested)s with a suggested hashtag, %(most_used)s with one of the most"
        " used, %(all)s of all."
    ) % {
        "suggested": percent(found.suggested_rate), "most_used": percent(found.most_used_rate),
        "all": percent(found.rate),
    }  # fmt: skip
    over_sector = gettext("Over the sector's average: %(words)s") % {"words": _lift(found.over_sector)}
    over_used = gettext("Over the most used: %(words)s") % {"words": _lift(found.over_most_used)}
    return "\n".join([head, rates, over_sector, over_used])


def _lift(lift: Lift) -> str:
    if lift.interval is None:
        return gettext("not enough data for a verdict.")
    words = gettext("%(points)s points (%(low)s to %(high)s): %(verdict)s") % {
        "points": points(lift.difference), "low": points(lift.interval.low), "high": points(lift.interval.high),
        "verdict": gettext("they helped.") if lift.finding == Finding.FOUND else gettext("no sign that they help."),
    }  # fmt: skip
    return str(words)
