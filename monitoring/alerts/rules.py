"""The alerts: one definition, from which Prometheus's rules and the evaluation inside the app both come.

`expr` is PromQL over the metrics of the catalogue and over RECORDS; `look` finds the same in the rows. Texts for
Prometheus are English; the app's `title` and `sentence` are translated, and filled with what `look` measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from monitoring.alerts import limits, looks
from monitoring.alerts.limits import promql
from monitoring.models import Severity


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alert. It opens when it has held for `wait`; `look` is None where the app cannot see it itself.

    While an alert of `muted_by` is open nobody is told about this one: it is the same trouble, seen closer.
    """

    name: str
    severity: Severity
    expr: str
    wait: timedelta = timedelta(0)
    summary: str
    description: str
    title: str | Promise
    sentence: str | Promise
    look: looks.Look | None
    muted_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A series that Prometheus computes at each evaluation and keeps."""

    name: str
    expr: str


def _ends_in(results: list[str], window: timedelta) -> str:
    return f'sum(increase(videos_total{{result=~"{"|".join(results)}"}}[{promql(window)}]))'


def ended_in(window: timedelta) -> str:
    return f"subiteya:videos_ended:increase{promql(window)}"


def errors_in(window: timedelta) -> str:
    return f"subiteya:publish_errors:ratio_increase{promql(window)}"


_windows = sorted({window for burn in limits.BURNS for window in (burn.long, burn.short)})
RECORDS = (
    Record("subiteya:active_jobs:sum", "sum(active_jobs)"),
    Record("subiteya:active_jobs:max30d", "max_over_time(subiteya:active_jobs:sum[30d])"),
    *(Record(ended_in(window), _ends_in(limits.ENDS, window)) for window in _windows),
    *(Record(errors_in(window), f"{_ends_in(limits.FAILED_ENDS, window)} / {ended_in(window)}") for window in _windows),
)


def _burn(burn: limits.Burn) -> str:
    """The volume guard is half a video below: `increase` stretches what it saw over the whole window."""
    return (
        f"{errors_in(burn.long)} > {burn.ratio} and {errors_in(burn.short)} > {burn.ratio}"
        f" and {ended_in(burn.long)} > {limits.ENDED_AT_LEAST - 0.5}"
    )


_burnt = _("Of {ended} videos that ended, {failed} failed ({percent} %).")
_history = f"(subiteya:active_jobs:max30d offset {promql(limits.PEAK_OFFSET)} or vector(0))"
_expiry, _earliest = (
    f'tiktok_token_{name}_timestamp_seconds{{token="refresh"}}' for name in ("expiry", "earliest_expiry")
)

RULES = (
    Rule(
        name="TikTokOutage", severity=Severity.PAGE, look=looks.outage,
        expr="tiktok_outage > 0",
        summary="TikTok is down: several accounts were paused at once",
        description="Uploads wait. One account tries at a time; when it goes through, the others follow.",
        title=_("TikTok is down"),
        sentence=_("{accounts} accounts were paused at once. One tries at a time; the others follow when it works."),
    ),
    Rule(
        name="TikTokApiFailuresBurst", severity=Severity.PAGE, look=looks.failures_burst, muted_by=("TikTokOutage",),
        expr=f"sum(increase(tiktok_api_failures_total[{promql(limits.FAILURE_WINDOW)}])) > {limits.FAILURES + 0.5}",
        summary=f"More than {limits.FAILURES} calls to TikTok failed within five minutes",
        description="About {{ $value | printf \"%.0f\" }} calls failed. An account that goes on failing is paused.",
        title=_("TikTok fails often"),
        sentence=_("{count} calls to TikTok failed within five minutes. Accounts: {accounts}."),
    ),
    Rule(
        name="CircuitOpen", severity=Severity.TICKET, look=looks.circuits_open, muted_by=("TikTokOutage",),
        expr=f'sum(subiteya_circuits{{state=~"{"|".join(limits.PAUSED)}"}}) > 0',
        summary="{{ $value }} account(s) take no uploads",
        description="Their circuit breaker is open, or they were set apart. What is due waits.",
        title=_("An account is paused"),
        sentence=_("Nothing goes out on {account}: what is due waits."),
    ),
    Rule(
        name="TikTokTokenExpiresSoon", severity=Severity.TICKET, look=looks.tokens_expiring,
        expr=f"({_expiry} or {_earliest} unless on () {_expiry}) - time() < {limits.TOKEN_LEFT.total_seconds():.0f}",
        summary="The access to {{ with $labels.account }}@{{ . }}{{ else }}an account{{ end }} ends within 48 hours",
        description="The refresh token ends in {{ $value | humanizeDuration }}: a person must reconnect the account.",
        title=_("An access to TikTok ends soon"),
        sentence=_("The access to {account} ends in {hours} h. Reconnect the account, or its videos will wait."),
    ),
    Rule(
        name="VideosUnconfirmed", severity=Severity.TICKET, look=looks.videos_unconfirmed,
        expr='subiteya_videos{status="unconfirmed"} > 0',
        summary="{{ $value }} video(s) are unconfirmed",
        description="TikTok never said what became of them: a person must look at the profile.",
        title=_("TikTok never confirmed a video"),
        sentence=_("Unconfirmed videos of {account}: {count}. Look at its profile, and say whether they are there."),
    ),
    Rule(
        name="ActiveJobsNearPeak", severity=Severity.TICKET, look=looks.active_near_peak, wait=timedelta(minutes=5),
        expr=f"subiteya:active_jobs:sum > {limits.PEAK_SHARE} * clamp_min({_history}, {limits.PEAK_FLOOR})",
        summary="More than 80 % of the 30 days' peak of jobs run at once",
        description="{{ $value }} jobs run. The peak is history, not capacity: compare with subiteya_workers.",
        title=_("Almost as much work as ever"),
        sentence=_("{jobs} jobs run at once; the most in 30 days was {peak}. There are workers for {capacity}."),
    ),
    Rule(
        name="OldestQueuedTooOld", severity=Severity.PAGE, look=looks.queued_too_long, wait=timedelta(minutes=2),
        expr=f"oldest_queued_age_seconds > {limits.QUEUED_TOO_LONG.total_seconds():.0f}",
        summary="A job of the {{ $labels.queue }} queue waits for more than 15 minutes",
        description="The oldest has waited for {{ $value | humanizeDuration }}.",
        title=_("Work piles up"),
        sentence=_("The oldest job of the queue {queue} has waited for {minutes} min; in all {count} wait."),
    ),
    Rule(
        name="WorkerMissing", severity=Severity.PAGE, look=looks.workers_missing, wait=timedelta(minutes=2),
        expr=f'subiteya_workers{{kind=~"{"|".join(limits.NEEDED_WORKERS)}"}} == 0',
        summary="No {{ $labels.kind }} process is alive",
        description="None of this kind has given a sign of life for a minute, anywhere.",
        title=_("Nobody does this work"),
        sentence=_("No process of the kind {kind} is alive, on any machine."),
    ),
    Rule(
        name="ReconcilerStalled", severity=Severity.PAGE, look=looks.reconciler_stalled,
        expr=f"time() - reconciler_last_run_timestamp_seconds > {limits.RECONCILER_SILENT.total_seconds():.0f}",
        summary="The scheduler has stopped",
        description="Its last round ended {{ $value | humanizeDuration }} ago: nothing due starts or is repaired.",
        title=_("The scheduler has stopped"),
        sentence=_("Its last round ended {seconds} s ago: nothing due starts, and nothing is repaired."),
    ),
    Rule(
        name="PublishSuccessBurnsFast", severity=Severity.PAGE, look=looks.burning(limits.BURN_FAST),
        expr=_burn(limits.BURN_FAST),
        summary="Most videos of the last hour failed",
        description="{{ $value | humanizePercentage }} failed: at 14.4 times the allowed rate.",
        title=_("Most videos of the last hour failed"), sentence=_burnt,
    ),
    Rule(
        name="PublishSuccessBurnsSlow", severity=Severity.PAGE, look=looks.burning(limits.BURN_SLOW),
        expr=_burn(limits.BURN_SLOW), muted_by=("PublishSuccessBurnsFast",),
        summary="Too many videos of the last six hours failed",
        description="{{ $value | humanizePercentage }} failed: at 6 times the allowed rate.",
        title=_("Too many videos of the last six hours failed"), sentence=_burnt,
    ),
    Rule(
        name="PublishSuccessBelowTarget", severity=Severity.TICKET, look=looks.burning(limits.BURN_LONG),
        expr=_burn(limits.BURN_LONG), muted_by=("PublishSuccessBurnsFast", "PublishSuccessBurnsSlow"),
        summary="Fewer than 95 % of the videos of three days were published",
        description="{{ $value | humanizePercentage }} failed.",
        title=_("Fewer than 95 % of the videos of three days were published"), sentence=_burnt,
    ),
    Rule(
        name="SubiteYaMetricsAbsent", severity=Severity.PAGE, look=None, wait=timedelta(minutes=2),
        expr="absent(subiteya_build_info)",
        summary="Prometheus sees nothing of SubiteYa",
        description="/metrics does not answer, or refuses the key: every other alert is blind.",
        title=_("Prometheus sees nothing of SubiteYa"),
        sentence=_("Its alerts are blind; the ones that SubiteYa finds by itself go on."),
    ),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in RULES}
