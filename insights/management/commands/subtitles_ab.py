"""`manage.py subtitles_ab`: do automatic subtitles go with more videos published in time?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext, override

from insights.cli import day_typed, sector_typed
from insights.reports import subtitle_report
from insights.selectors.subtitles import Filters
from insights.statistics.report import ABReport, ab_report
from insights.statistics.sheets import COLUMNS, MAX_BYTES, SheetInvalid, strata_read
from insights.words import CAUTIONS, advice, difference_words, percent, points, verdict_words, views_words
from publishing.cli.choices import accounts_named, operator
from subiteya.lib.cli import CliCommand, Refused


class Command(CliCommand):
    help = "Compares videos with automatic subtitles and without: which are published in time?"

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--from", dest="start", metavar="DATE", help="first day, such as 2026-10-01")
        add("--to", dest="end", metavar="DATE", help="last day")
        add("--sector", metavar="NAME", help="only this sector")
        add("--account", metavar="@NAME", help="only this account")
        add("--randomised", action="store_true", help="what the system drew by lot, instead of what people chose")
        add("--strata", metavar="FILE.csv", help=f"counts from a file ({','.join(COLUMNS)}; - is stdin)")

    def answer(self, options: dict[str, Any]) -> int:
        if options["strata"]:
            self._of_file(options)
        else:
            self._of_database(options)
        return 0

    def _of_file(self, options: dict[str, Any]) -> None:
        for name in ("start", "end", "sector", "account"):
            if options[name]:
                option = {"start": "from", "end": "to"}.get(name, name)
                words = gettext("--%(option)s is for the database: leave it out with --strata.")
                raise Refused("option_without", words % {"option": option}, field=option)
        try:
            rows = strata_read(_bytes(options["strata"]))
        except SheetInvalid as invalid:
            raise Refused(f"strata_{invalid.code}", _sentence(invalid), field="strata") from None
        report = ab_report(rows, randomised=options["randomised"])
        self.tell({"source": "file", **report.as_json(), "verdict_words": _in_both(report)}, _text(report))

    def _of_database(self, options: dict[str, Any]) -> None:
        start, end = (day_typed(options[name], option) for name, option in (("start", "from"), ("end", "to")))
        if start and end and start > end:
            raise Refused("range", gettext("--from is after --to."), field="from")
        accounts = accounts_named([options["account"]], operator()) if options["account"] else []
        filters = Filters(
            start=start, end=end, randomised=options["randomised"], sector=sector_typed(options["sector"]),
            account=accounts[0].pk if accounts else None,
        )  # fmt: skip
        report = subtitle_report(filters)
        document = {
            "source": "database", "from": start and start.isoformat(), "to": end and end.isoformat(),
            **report.as_json(), "verdict_words": _in_both(report.main),
        }  # fmt: skip
        views = views_words(report.views)
        self.tell(document, "\n\n".join(filter(None, [_text(report.main), views])))


def _bytes(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(name).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        words = gettext("%(name)s cannot be read: %(why)s.") % {"name": name, "why": error.strerror}
        raise Refused("file_unreadable", words, field="strata") from None


def _sentence(invalid: SheetInvalid) -> str:
    sentences = {
        "too_big": gettext("The file is larger than 5 MB."),
        "not_utf8": gettext("The file is not UTF-8."),
        "not_csv": gettext("This is no CSV: %(value)s."),
        "columns": gettext("The columns must be stratum,arm,successes,failures; they are “%(value)s”."),
        "empty": gettext("The file has no counts."),
        "cells": gettext("There must be 4 cells; there are %(value)s."),
        "no_stratum": gettext("The stratum has no name."),
        "arm": gettext("The arm must be auto or none; it is “%(value)s”."),
        "twice": gettext("This arm of this stratum is there twice: %(value)s."),
        "number": gettext("“%(value)s” is no count: write a whole number, 0 or more."),
    }
    words = sentences[invalid.code] % {"value": invalid.value}
    return gettext("Line %(line)s: %(what)s") % {"line": invalid.line, "what": words} if invalid.line else words


def _in_both(report: ABReport) -> dict[str, str]:
    words = {}
    for language in ("es", "en"):
        with override(language):
            words[language] = verdict_words(report)
    return words


def _text(report: ABReport) -> str:
    kind = gettext("By lot") if report.randomised else gettext("Observed: people chose")
    lines = [f"{verdict_words(report)} ({kind})", difference_words(report), str(advice(report)), ""]
    for name, arm in (("auto", report.both.auto), ("none", report.both.none)):
        lines.append(f"{name:>5}  {arm.x}/{arm.n}  {percent(arm.rate)}")
    crude = points(report.crude)
    adjusted = points(report.adjusted.value if report.adjusted else None)
    lines += [gettext("Crude %(crude)s points, by account %(adjusted)s.") % {"crude": crude, "adjusted": adjusted}, ""]
    lines += [f"! {CAUTIONS[caution]}" for caution in report.warnings]
    return "\n".join(lines).replace("\n\n\n", "\n\n")
