"""From where on something is an alert: both the PromQL expressions and the evaluation over rows read these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from accounts.selectors import REFRESH_ENDS_SOON
from publishing.models import WorkerKind
from publishing.states import FAMILIES, CircuitState, Family, VideoStatus

#: More failed calls to TikTok than this within the window. Prometheus extrapolates: see docs/alerts.md.
FAILURES, FAILURE_WINDOW = 3, timedelta(minutes=5)
#: A share of the 30 days' peak, which counts as this many at least, and becomes history only after a while.
PEAK_SHARE, PEAK_FLOOR, PEAK_OFFSET = 0.8, 5, timedelta(minutes=10)
TOKEN_LEFT = REFRESH_ENDS_SOON
QUEUED_TOO_LONG = timedelta(minutes=15)
RECONCILER_SILENT = timedelta(seconds=60)
#: Without these kinds of process nothing is published; the one for a host's own files only saves work.
NEEDED_WORKERS = [str(kind) for kind in (WorkerKind.EDIT, WorkerKind.UPLOAD, WorkerKind.SCHEDULER)]
PAUSED = [str(state) for state in (CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.ISOLATED)]

#: Of the videos that end, this share must be published.
SLO = 0.95
FAILED_ENDS = sorted(str(status) for status in FAMILIES[Family.ATTENTION])
ENDS = sorted([str(VideoStatus.POSTED), *FAILED_ENDS])
#: Fewer ended videos than this say nothing about a share.
ENDED_AT_LEAST = 10


@dataclass(frozen=True)
class Burn:
    """Too many failures both over a long and a short window: `factor` times what the SLO allows."""

    factor: float
    long: timedelta
    short: timedelta

    @property
    def ratio(self) -> float:
        """The share of failures from which on it counts."""
        return round(self.factor * (1 - SLO), 4)


BURN_FAST = Burn(14.4, timedelta(hours=1), timedelta(minutes=5))
BURN_SLOW = Burn(6, timedelta(hours=6), timedelta(minutes=30))
BURN_LONG = Burn(1, timedelta(days=3), timedelta(hours=6))
BURNS = (BURN_FAST, BURN_SLOW, BURN_LONG)


def promql(span: timedelta) -> str:
    """`span` as Prometheus writes it, in its largest whole unit: 5m, 6h, 3d."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
