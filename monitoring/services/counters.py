"""Counting: a delta row with the event, folded into totals by the scheduler, read as one sum.

The rows are the counters, so they are the same for every process and host, never go back, and agree with the
events: a rollback takes the count with it.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate

from django.db import DatabaseError, transaction
from django.db.models import F, Sum

from monitoring.catalogue import BUCKETS, METRICS, MetricKind
from monitoring.models import CounterDelta, CounterTotal

logger = logging.getLogger(__name__)

SEPARATOR = "|"
#: What one histogram is kept as: events per bucket, and the sum of all that was measured.
BUCKET, SUM = "_bucket", "_sum"
FOLD_AT_ONCE = 5_000

Labels = tuple[str, ...]


class Tally:
    """What one event adds to the counters, written by one statement."""

    def __init__(self) -> None:
        self._deltas: list[CounterDelta] = []

    def count(self, metric: str, *labels: str, by: float = 1.0) -> Tally:
        """Add `by` to the counter `metric` with these label values, in the catalogue's order."""
        _known(metric, MetricKind.COUNTER, labels)
        return self._add(metric, labels, by)

    def observe(self, metric: str, *labels: str, seconds: float) -> Tally:
        """Put one measurement into the histogram `metric`."""
        _known(metric, MetricKind.HISTOGRAM, labels)
        return self._add(metric + BUCKET, (*labels, bucket_of(seconds)), 1.0)._add(metric + SUM, labels, seconds)

    def write(self) -> None:
        """Insert it: in the transaction of the event, if there is one."""
        CounterDelta.objects.bulk_create(self._deltas)

    def write_if_possible(self) -> None:
        """Insert it, where a database that is away must not break what was counted."""
        try:
            with transaction.atomic():
                self.write()
        except DatabaseError as error:
            logger.warning("count_lost", extra={"error": str(error).strip()})

    def _add(self, metric: str, labels: Labels, by: float) -> Tally:
        self._deltas.append(CounterDelta(metric=metric, labels=SEPARATOR.join(labels), value=by))
        return self


def _known(metric: str, kind: MetricKind, labels: Labels) -> None:
    """Refuse a series that `/metrics` would not show."""
    known = METRICS[metric]
    if known.kind != kind or labels not in known.series:
        raise ValueError(f"{metric}{labels} is not in the catalogue")


def bucket_of(seconds: float) -> str:
    """The `le` of the smallest bucket that holds `seconds`."""
    place = bisect_left(BUCKETS, seconds)
    return str(BUCKETS[place]) if place < len(BUCKETS) else "+Inf"


def counters() -> dict[str, dict[Labels, float]]:
    """Every counter: metric → label values → value, the folded and the new ones in one statement."""
    fields = ("metric", "labels", "value")
    folded = CounterTotal.objects.values_list(*fields)
    new = CounterDelta.objects.order_by().values_list("metric", "labels").annotate(amount=Sum("value"))
    found: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
    for metric, labels, value in folded.union(new, all=True):
        found[metric][tuple(labels.split(SEPARATOR)) if labels else ()] += value
    return found


def series_of(metric: str, found: dict[str, dict[Labels, float]]) -> dict[Labels, float]:
    """A counter's every series, those at 0 included, in the catalogue's order."""
    return {labels: found.get(metric, {}).get(labels, 0.0) for labels in METRICS[metric].series}


def histogram_of(
    metric: str, found: dict[str, dict[Labels, float]]
) -> dict[Labels, tuple[list[tuple[str, float]], float]]:
    """A histogram's every series: label values → (cumulative `(le, count)` up to +Inf, sum)."""
    counts, sums = found.get(metric + BUCKET, {}), found.get(metric + SUM, {})
    bounds = [*map(str, BUCKETS), "+Inf"]
    return {
        labels: (
            list(zip(bounds, accumulate(counts.get((*labels, le), 0.0) for le in bounds), strict=True)),
            sums.get(labels, 0.0),
        )
        for labels in METRICS[metric].series
    }


@transaction.atomic
def counters_fold() -> int:
    """Move the oldest deltas into the totals; how many. Two at once take different rows, or wait for each other."""
    new = list(CounterDelta.objects.select_for_update(skip_locked=True).order_by("pk")[:FOLD_AT_ONCE])
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for delta in new:
        sums[delta.metric, delta.labels] += delta.value
    for (metric, labels), value in sorted(sums.items()):
        total, created = CounterTotal.objects.get_or_create(metric=metric, labels=labels, defaults={"value": value})
        if not created:
            CounterTotal.objects.filter(pk=total.pk).update(value=F("value") + value)
    CounterDelta.objects.filter(pk__in=[delta.pk for delta in new]).delete()
    return len(new)
