"""Whether an account takes uploads: its circuit breaker, what it was decided from, and outages of TikTok."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount
from publishing.models.job import Job
from publishing.models.video import Video
from publishing.states import CircuitState
from subiteya.lib.tracing import current_trace_id


class AccountCircuit(models.Model):
    """The breaker of one account; no row means closed. Changed only by `publishing.services.circuits`.

    `probe_token` only grows: it is the right of one attempt to try a paused account, until `probe_until`.
    """

    account = models.OneToOneField(
        TikTokAccount, models.CASCADE, primary_key=True, related_name="circuit", verbose_name=_("account")
    )
    state = models.CharField(
        max_length=12, choices=CircuitState.choices, default=CircuitState.CLOSED, verbose_name=_("status")
    )
    level = models.PositiveSmallIntegerField(default=0, verbose_name=_("failed tries"))
    opened_at = models.DateTimeField(null=True, blank=True, verbose_name=_("paused"))
    open_until = models.DateTimeField(null=True, blank=True, verbose_name=_("paused until"))
    closed_at = models.DateTimeField(null=True, blank=True, verbose_name=_("publishing again"))
    probe_token = models.PositiveBigIntegerField(default=0, verbose_name=_("try number"))
    probe_owner = models.CharField(max_length=160, blank=True, verbose_name=_("worker"))
    probe_until = models.DateTimeField(null=True, blank=True, verbose_name=_("try ends"))
    last_failure_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last failure"))
    last_failure_code = models.CharField(max_length=64, blank=True, verbose_name=_("last cause"))
    isolated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    isolated_code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    isolated_reason = models.CharField(max_length=200, blank=True, verbose_name=_("reason"))

    class Meta:
        verbose_name = _("account's circuit breaker")
        verbose_name_plural = _("accounts' circuit breakers")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CircuitState.values), name="circuit_state_known"),
            models.CheckConstraint(
                condition=~Q(state=CircuitState.OPEN) | Q(open_until__isnull=False), name="circuit_open_has_end"
            ),
            models.CheckConstraint(
                condition=~Q(state=CircuitState.HALF_OPEN) | Q(probe_until__isnull=False),
                name="circuit_probe_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(state=CircuitState.ISOLATED) | ~Q(isolated_code=""), name="circuit_isolated_has_code"
            ),
        ]
        indexes = [
            # What the scheduler looks for each second; almost every circuit is closed.
            models.Index(
                fields=["state", "open_until"], name="circuit_paused", condition=~Q(state=CircuitState.CLOSED)
            ),
        ]

    def __str__(self) -> str:
        return str(self.account)


class CircuitEventKind(models.TextChoices):
    """The first two say what an attempt met, the others what the breaker or a person did."""

    FAILURE_RECORDED = "failure_recorded", _("Failure counted")
    ERROR_IGNORED = "ignored_error", _("Failure that does not count")
    OPENED = "opened", _("Paused")
    PROBE_STARTED = "probe_started", _("Try started")
    PROBE_FAILED = "probe_failed", _("Try failed")
    PROBE_RETURNED = "probe_returned", _("Try given back")
    CLOSED = "closed", _("Publishing again")
    ISOLATED = "isolated", _("Set apart")
    RELEASED = "released", _("Released")
    RESET = "reset", _("Back to normal")
    PROBE_REQUESTED = "probe_requested", _("Try asked for")


class CircuitEvent(models.Model):
    """What happened to an account's circuit; append-only. The failures of the last hour are counted from it."""

    account = models.ForeignKey(TikTokAccount, models.CASCADE, related_name="circuit_events", verbose_name=_("account"))
    kind = models.CharField(max_length=20, choices=CircuitEventKind.choices, verbose_name=_("kind"))
    old = models.CharField(max_length=12, verbose_name=_("before"))
    new = models.CharField(max_length=12, verbose_name=_("after"))
    code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    failure_class = models.CharField(max_length=8, blank=True, verbose_name=_("class"))
    counted = models.BooleanField(default=False, verbose_name=_("counted"))
    video = models.ForeignKey(Video, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("video"))
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job"))
    attempt = models.PositiveSmallIntegerField(default=0, verbose_name=_("attempt"))
    token = models.PositiveBigIntegerField(default=0, verbose_name=_("try number"))
    open_until = models.DateTimeField(null=True, blank=True, verbose_name=_("paused until"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    reason = models.CharField(max_length=200, blank=True, verbose_name=_("reason"))
    at = models.DateTimeField(verbose_name=_("when"))
    trace_id = models.CharField(max_length=32, default=current_trace_id, blank=True, verbose_name=_("trace"))

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("circuit event")
        verbose_name_plural = _("circuit events")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CircuitEventKind.values), name="circuit_event_kind_known"),
            # One attempt is one failure, however many of its calls failed.
            models.UniqueConstraint(
                fields=["job", "attempt"], condition=Q(counted=True), name="circuit_failure_once_per_attempt"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "at"], name="circuit_event_counted", condition=Q(counted=True)),
            models.Index(fields=["account", "-at"], name="circuit_event_story"),
            # The monitor: the counted failures of the last hour, of all accounts.
            models.Index(fields=["at", "account"], name="circuit_event_hour", condition=Q(counted=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.old} → {self.new}"


class TikTokOutage(models.Model):
    """Several accounts were paused at once: TikTok is ill, not they. One of them tries first."""

    opened_at = models.DateTimeField(verbose_name=_("began"))
    closed_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ended"))
    accounts = models.PositiveIntegerField(verbose_name=_("accounts"))

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("outage of TikTok")
        verbose_name_plural = _("outages of TikTok")
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=Q(closed_at__isnull=True), name="outage_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.opened_at:%Y-%m-%d %H:%M}"
