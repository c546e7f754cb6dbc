"""How long the work takes, by stage, over the last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from django.db.models import Count, F, FloatField, Func, QuerySet, TextChoices, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from monitoring.selectors.summaries import Accounts
from publishing.models import Job, UploadSession, Video
from publishing.states import JobKind, JobStatus
from subiteya.lib.columns import AsRead

WINDOW = timedelta(days=1)
#: Of what ended, the latest so many are measured: a percentile of more says nothing else, and takes longer each year.
SAMPLE = 500


class Seconds(AsRead, Func):
    """Between the second moment and the first, as a number: the database subtracts, and no date is read here."""

    arity = 2
    output_field = FloatField()
    template = "DATE_PART('epoch', %(expressions)s)"
    arg_joiner = " - "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((julianday(%(expressions)s)) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)


@dataclass(frozen=True)
class Stage:
    """`count` that ended, and the seconds that the latest SAMPLE of them took; None where nothing was measured."""

    count: int
    average: float | None
    p50: float | None
    p95: float | None


def processing_seconds(since: datetime | None = None, accounts: Accounts = None) -> dict[str, Stage]:
    """`edit`, `upload`, `verify` and `total` → how long they took for what ended since then (a day ago).

    `total` is from the submission, or from the hour that the video was scheduled for, to TikTok's *published*.
    Of all accounts, or of `accounts`.
    """
    stages = _stages(since or timezone.now() - WINDOW, accounts)
    parts = [
        rows.order_by().annotate(name=Value(name)).values_list("name").annotate(n=Count("pk"))
        for name, (rows, _begin, _end) in stages.items()
    ]
    counted = dict(parts[0].union(*parts[1:], all=True))
    return {name: _stage(counted.get(name, 0), *stage) for name, stage in stages.items()}


def _stages(since: datetime, accounts: Accounts) -> dict[str, tuple[QuerySet[Any], Any, str]]:
    """Name → the rows that ended, when each began, and the column of its end."""
    # Not asked for by kind and state but without the others': SQLite would begin at all edits that ever succeeded.
    edits = Job.objects.filter(finished_at__gte=since, started_at__isnull=False)
    edits = edits.exclude(kind__in=_others(JobKind, JobKind.EDIT)).exclude(
        status__in=_others(JobStatus, JobStatus.SUCCEEDED)
    )
    sent = UploadSession.objects.filter(sent_at__gte=since)
    settled = UploadSession.objects.filter(settled_at__gte=since, sent_at__isnull=False)
    posted = Video.objects.filter(posted_at__gte=since)
    submitted = Greatest("created_at", Coalesce("scheduled_at", "created_at"))
    return {
        "edit": (_of(edits, "video__account", accounts), F("started_at"), "finished_at"),
        "upload": (_of(sent, "account", accounts), F("init_at"), "sent_at"),
        "verify": (_of(settled, "account", accounts), F("sent_at"), "settled_at"),
        "total": (_of(posted, "account", accounts), submitted, "posted_at"),
    }


def _others(choices: type[TextChoices], one: str) -> list[str]:
    return [value for value in choices.values if value != one]


def _of(rows: QuerySet[Any], path: str, accounts: Accounts) -> QuerySet[Any]:
    return rows if accounts is None else rows.filter(**{f"{path}__in": accounts.order_by()})


def _stage(count: int, rows: QuerySet[Any], begin: Any, end: str) -> Stage:
    spans = rows.order_by(f"-{end}").values_list(Seconds(F(end), begin), flat=True)[:SAMPLE]
    seconds = sorted(max(0.0, round(span, 3)) for span in spans)
    if not seconds:
        return Stage(0, None, None, None)
    return Stage(count, fmean(seconds), percentile(seconds, 0.5), percentile(seconds, 0.95))


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` of the ordered values lie, between the two nearest in proportion."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
