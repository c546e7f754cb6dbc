"""What the scheduler does each second, with a short and with a long history behind it.

The history is made by copying one finished video with all its rows, a thousand a day back from now; so what the last
days hold is the same in both, and only the past is longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from benchmarks._pipeline_world import World
from benchmarks.harness import Figure, progress, timed

SECONDS_BETWEEN = 86.4
#: A part that takes less than this is at the edge of what can be timed: its growth says nothing.
SMALL_MS = 2.0
GOAL = 1.5


def ticks(world: World, *, quick: bool) -> list[Figure]:
    from django.db import connection

    short, long, times = (200, 1_000, 3) if quick else (20_000, 200_000, 11)
    history = History(world)
    _work_in_hand(world, quick=quick)
    found = {}
    for size in (short, long):
        history.grow(size)
        found[size] = {name: min(timed(part, times, warm=2)) * 1000 for name, part in _parts().items()}
        progress(f"{connection.vendor}: {size:,} finished videos: one round {found[size]['round']:.1f} ms")
    return _figures(connection.vendor, found, short, long)


def _figures(vendor: str, found: dict[int, dict[str, float]], short: int, long: int) -> list[Figure]:
    before, after = found[short], found[long]
    ratios = {name: after[name] / before[name] for name in after if name != "round" and after[name] >= SMALL_MS}
    worst = max(ratios, key=lambda name: ratios[name])
    detail = {
        f"{name}_ms": [round(before[name], 2), round(after[name], 2)]
        for name in sorted(after, key=lambda name: -after[name])
    }
    return [
        Figure(name=f"{vendor}: a round of the reconciler, {long:,} ÷ {short:,} finished videos", goal=GOAL,
               measured=after["round"] / before["round"], detail=detail),
        Figure(name=f"{vendor}: the part of a tick that grows most ({worst}), the same", measured=ratios[worst],
               goal=GOAL),
        Figure(name=f"{vendor}: a round of the reconciler with {long:,} finished videos", measured=after["round"],
               unit="ms"),
    ]  # fmt: skip


def _parts() -> dict[str, Callable[[], object]]:
    """Everything that hangs on the tick, each part as if its turn had come."""
    from django.utils import timezone

    from audit.services.sealing import audit_seal
    from insights.services import counts, publications
    from monitoring.services import alerts, counters, keeping
    from notices.services import catching, mails, rounds, summaries
    from publishing.services import reconcile
    from publishing.states import JobKind

    now = timezone.now()
    look = {
        "due": lambda: list(reconcile._due(now)),
        "late": lambda: list(reconcile._late(now)),
        "dead": lambda: list(reconcile._dead(now)),
        "paused": lambda: list(reconcile._paused(now)),
        "forgotten": lambda: list(reconcile._forgotten()),
        "let go": lambda: reconcile._let_go(now),
        "ring edits": lambda: reconcile._ring_jobs(now, JobKind.EDIT),
        "ring uploads": lambda: reconcile._ring_jobs(now, JobKind.UPLOAD),
        "ring files": lambda: reconcile._ring_files(now),
    }
    return {
        "round": lambda: reconcile._round(now),
        **{f"publishing: {name}": part for name, part in look.items()},
        "audit: seal": audit_seal,
        "monitoring: peak": keeping.peak_record,
        "monitoring: fold counters": counters.counters_fold,
        "monitoring: prune": keeping.prune,
        "monitoring: alerts": alerts.alerts_evaluate,
        "insights: publications": publications.publications_reconcile,
        "insights: counts due": lambda: counts.counts_due(timezone.now()).exists(),
        "insights: prune": counts.snapshots_prune,
        "insights: spellings": publications.spellings_refresh,
        "notices: catch up": catching.notices_catch_up,
        "notices: summaries": lambda: summaries.summaries_compose(timezone.now()),
        "notices: mails": lambda: mails.mails_compose(timezone.now()),
        "notices: prune": rounds.notices_prune,
    }


def _work_in_hand(world: World, *, quick: bool) -> None:
    """The same in both: videos for later, uploads that wait, uploads of which TikTok is asked."""
    from django.utils import timezone

    from publishing.states import JobKind, JobStatus, VideoStatus

    count = 20 if quick else 500
    later = timezone.now() + timedelta(days=1)
    world.videos(2 * count, status=VideoStatus.SCHEDULED, at=later, edited=world.edited)
    for status, state in ((VideoStatus.HELD, JobStatus.HELD), (VideoStatus.RETRYING, JobStatus.WAITING)):
        world.jobs(world.videos(count, status=status, edited=world.edited), JobKind.UPLOAD, status=state, run_at=later)


class History:
    """Finished videos in bulk: rows copied in the database."""

    def __init__(self, world: World) -> None:
        from django.utils import timezone

        self.now, self.size = timezone.now(), 0
        self.first_account, self.accounts = world.accounts[0].pk, len(world.accounts)
        self.template = world.finished(world.accounts[0], self.now)
        #: The copies' keys begin here, so that a copy names its neighbours by arithmetic.
        self.base = 10_000_000

    def grow(self, size: int) -> None:
        """Make the history `size` videos long."""
        from django.db import connection

        video = self.template
        account = f"({self.first_account} + n % {self.accounts})"
        batches = range(self.size // self.accounts, -(-size // self.accounts))
        self._copy([video.batch], {"id": f"{self.base} + n", "submission_key": "'copy-' || n"}, batches)
        rows = range(self.size, size)
        mine = {"video_id": f"{self.base} + n", "account_id": account}
        own = {"id": f"{self.base} + n", "batch_id": f"{self.base} + n / {self.accounts}", "account_id": account}
        self._copy([video], own, rows)
        mine |= {"publish_id": "'copy-' || n", "job_id": f"{self.base} + n * 10"}
        for related in (video.jobs, video.events, video.uploads):
            for place, row in enumerate(related.order_by("pk")):
                self._copy([row], {"id": f"{self.base} + n * 10 + {place}"} | mine, rows)
        self._copy([video.publication], mine, rows)
        self.size = size
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _copy(self, templates: Iterable[Any], values: dict[str, str], numbers: range) -> None:
        from django.db import connection

        for row in templates:
            meta = row._meta
            fields = [field for field in meta.concrete_fields if field.column in values or not field.primary_key]
            taken = [self._value(row, field, values) for field in fields]
            names = ", ".join(f'"{field.column}"' for field in fields)
            series = _series(connection.vendor, numbers)
            with connection.cursor() as cursor:
                cursor.execute(
                    f'INSERT INTO "{meta.db_table}" ({names}) SELECT {", ".join(taken)} '  # noqa: S608
                    f'FROM "{meta.db_table}" t, ({series}) s WHERE t.{meta.pk.column} = {row.pk}'
                )

    def _value(self, row: Any, field: Any, values: dict[str, str]) -> str:
        from django.db import connection, models

        if field.column in values:
            return values[field.column]
        if isinstance(field, models.DateTimeField) and getattr(row, field.attname):
            return _earlier(connection.vendor, f't."{field.column}"')
        return f't."{field.column}"'


def _series(vendor: str, numbers: range) -> str:
    if vendor == "postgresql":
        return f"SELECT generate_series({numbers.start}::bigint, {numbers.stop - 1}) AS n"
    return (
        f"WITH RECURSIVE c(n) AS (SELECT {numbers.start} UNION ALL SELECT n + 1 FROM c WHERE n < {numbers.stop - 1}) "  # noqa: S608
        "SELECT n FROM c"
    )


def _earlier(vendor: str, column: str) -> str:
    if vendor == "postgresql":
        return f"{column} - n * interval '{SECONDS_BETWEEN} seconds'"
    return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-' || (n * {SECONDS_BETWEEN}) || ' seconds')"
