"""What insights do by themselves, on the scheduler's tick. A turn looks at a bounded number of rows."""

from __future__ import annotations

from insights.services.counts import counts_refresh_aside, snapshots_prune
from insights.services.publications import HistoryWalk, publications_reconcile, spellings_refresh
from insights.services.reports import reports_make_aside
from insights.services.summaries import summaries_refresh
from subiteya.lib.turns import Turns

ROUND_SECONDS = 5.0
SUMS_SECONDS = 10.0
REPORTS_SECONDS = 5.0
SPELLINGS_SECONDS = 600.0
HISTORY_SECONDS = 86_400.0
COUNTS_SECONDS, PRUNE_SECONDS = 10.0, 600.0
turns = Turns()
walk = HistoryWalk()


def insights_tick() -> None:
    """One tick of the leading scheduler: recent rows every few seconds, and from its start and once a day on all of
    history, some of it each time.
    """
    if turns.is_due("history", HISTORY_SECONDS):
        walk.begin()
    if turns.is_due("round", ROUND_SECONDS):
        walk.step()
        publications_reconcile()
    if turns.is_due("sums", SUMS_SECONDS):
        summaries_refresh()
    if turns.is_due("reports", REPORTS_SECONDS):
        reports_make_aside()
    if turns.is_due("counts", COUNTS_SECONDS):
        counts_refresh_aside()
    if turns.is_due("prune", PRUNE_SECONDS):
        snapshots_prune()
    if turns.is_due("spellings", SPELLINGS_SECONDS):
        spellings_refresh()
