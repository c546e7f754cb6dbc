"""How many videos and jobs there are of each kind, and what happened on each day, kept as sums.

The database's own triggers (`monitoring.triggers`) insert a delta in the transaction of the change; the scheduler folds
deltas into totals; a read sums both. docs/adr/0007-sums-are-kept-by-triggers.md says why.
"""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

#: The day of what has none: how many there are now.
NOW = date(1, 1, 1)
#: The account of what is counted over all of them.
EVERY = 0


class SummaryFields(models.Model):
    """`n` rows of what `what` says: of one account or of every one, of one day or now.

    The account is its number and no foreign key: a sum must not keep an account from being deleted.
    """

    account = models.BigIntegerField(default=EVERY, verbose_name=_("account"))
    day = models.DateField(default=NOW, verbose_name=_("day"))
    what = models.CharField(max_length=40, verbose_name=_("what"))
    n = models.BigIntegerField(verbose_name=_("number"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.what} {self.day} {self.account}: {self.n}"


class SummaryDelta(SummaryFields):
    """A change that is not in the totals yet. What it says of an account is also true of every one."""

    class Meta:
        verbose_name = _("change of a sum")
        verbose_name_plural = _("changes of sums")


class SummaryTotal(SummaryFields):
    """What was folded so far."""

    class Meta:
        verbose_name = _("sum")
        verbose_name_plural = _("sums")
        # One account's figures of now, or the days of all, lie side by side; the fold finds its row by it.
        constraints = [models.UniqueConstraint(fields=["account", "day", "what"], name="summary_total_once")]
