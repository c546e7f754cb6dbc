"""Counters that survive every process: what Prometheus scrapes is a sum of rows.

rq forks a process per job, and a counter in its memory dies with it. A counter row that every worker updates
would make them wait for each other, and could lock two transactions into each other. So whoever counts only
inserts a delta, in the transaction of what it counts; the scheduler folds deltas into totals.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CounterFields(models.Model):
    """One series of one metric: `labels` is its values in the catalogue's order, joined by `|`."""

    metric = models.CharField(max_length=80, verbose_name=_("metric"))
    labels = models.CharField(max_length=200, blank=True, verbose_name=_("labels"))
    value = models.FloatField(verbose_name=_("value"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.metric}{{{self.labels}}}"


class CounterDelta(CounterFields):
    """Something was counted and is not in the total yet."""

    class Meta:
        verbose_name = _("counted event")
        verbose_name_plural = _("counted events")


class CounterTotal(CounterFields):
    """What was folded so far."""

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints = [models.UniqueConstraint(fields=["metric", "labels"], name="counter_total_once")]


class DailyPeak(models.Model):
    """The most jobs that ran at the same time on one day: the history that capacity is judged by."""

    day = models.DateField(primary_key=True, verbose_name=_("day"))
    active_jobs = models.PositiveIntegerField(verbose_name=_("active jobs"))

    class Meta:
        ordering = ["-day"]
        verbose_name = _("daily peak")
        verbose_name_plural = _("daily peaks")

    def __str__(self) -> str:
        return f"{self.day}: {self.active_jobs}"
