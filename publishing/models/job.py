"""Pieces of work. The row is the truth; a message in Redis only says "look at this row"."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from publishing.models.asset import Asset
from publishing.models.video import Video
from publishing.states import JOB_ACTIVE, JobKind, JobStatus
from subiteya.lib.tracing import current_trace_id


class Job(models.Model):
    """One edit or upload of a video.

    `owner`, `lease_until` and `fence` say who works on it: every claim raises `fence`, and every later write
    of that worker names it, so that a worker which lost its lease can change nothing.
    """

    video = models.ForeignKey(Video, models.CASCADE, related_name="jobs", verbose_name=_("video"))
    kind = models.CharField(max_length=8, choices=JobKind.choices, verbose_name=_("kind"))
    status = models.CharField(
        max_length=12, choices=JobStatus.choices, default=JobStatus.QUEUED, verbose_name=_("status")
    )
    attempt = models.PositiveSmallIntegerField(default=1, verbose_name=_("attempt"))
    crash_count = models.PositiveSmallIntegerField(default=0, verbose_name=_("crashes"))
    owner = models.CharField(max_length=160, blank=True, verbose_name=_("worker"))
    host = models.CharField(max_length=128, blank=True, verbose_name=_("host"))
    prefer_host = models.CharField(
        max_length=128, blank=True, help_text=_("it keeps files of this edit"), verbose_name=_("preferred host")
    )
    fence = models.PositiveBigIntegerField(default=0, verbose_name=_("fence"))
    lease_until = models.DateTimeField(null=True, blank=True, verbose_name=_("lease until"))
    run_at = models.DateTimeField(help_text=_("not before this time"), verbose_name=_("not before"))
    belled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last rung"))
    step = models.CharField(max_length=24, blank=True, verbose_name=_("step"))
    progress = models.FloatField(default=0, verbose_name=_("progress"))
    render_key = models.CharField(max_length=64, blank=True, db_index=True, verbose_name=_("render key"))
    poll_count = models.PositiveIntegerField(default=0, verbose_name=_("polls"))
    reason_code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    reason_detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    traceback = models.TextField(blank=True, verbose_name=_("traceback"))
    trace_id = models.CharField(max_length=32, verbose_name=_("trace"))
    traceparent = models.CharField(
        max_length=55, blank=True, help_text=_("the span of its last run, or of what asked for it"),
        verbose_name=_("traceparent"),
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    started_at = models.DateTimeField(null=True, blank=True, verbose_name=_("started"))
    finished_at = models.DateTimeField(null=True, blank=True, verbose_name=_("finished"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="job_kind_known"),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known"),
            models.CheckConstraint(condition=Q(progress__gte=0) & Q(progress__lte=1), name="job_progress_share"),
            models.UniqueConstraint(
                fields=["video"], condition=Q(status__in=sorted(JOB_ACTIVE)), name="job_one_active_per_video"
            ),
        ]
        indexes = [
            # What the reconciler and the workers look for, and how many there are of each. Not a partial index:
            # SQLite cannot see that "one of these two statuses" lies within "one of these five".
            models.Index(fields=["kind", "status", "run_at"], name="job_kind_status_due"),
            models.Index(fields=["status", "run_at"], name="job_status_due"),
            # Who is at work, and whose lease ran out: asked each second. Only jobs at work have a lease, so that it is
            # as small as they are few, and its condition follows from any comparison with the lease: SQLite, which
            # takes every status for equally frequent, would rather read the whole table than use an index of those.
            models.Index(fields=["lease_until"], name="job_leased", condition=Q(lease_until__isnull=False)),
            # The monitor: how long the work of the last day took.
            models.Index(fields=["finished_at", "kind", "status"], name="job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class JobEvent(models.Model):
    """A change of a job's status; append-only."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events", verbose_name=_("job"))
    old = models.CharField(max_length=12, blank=True, verbose_name=_("before"))
    new = models.CharField(max_length=12, verbose_name=_("after"))
    code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    owner = models.CharField(max_length=160, blank=True, verbose_name=_("worker"))
    fence = models.PositiveBigIntegerField(default=0, verbose_name=_("fence"))
    at = models.DateTimeField(verbose_name=_("when"))
    trace_id = models.CharField(max_length=32, default=current_trace_id, blank=True, verbose_name=_("trace"))

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("job event")
        verbose_name_plural = _("job events")
        constraints = [models.CheckConstraint(condition=Q(new__in=JobStatus.values), name="job_event_status_known")]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


class Render(models.Model):
    """The claim on one edit, named by its content: five accounts with the same edit render it once."""

    key = models.CharField(max_length=64, primary_key=True, verbose_name=_("key"))
    asset = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("file"))
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job"))
    lease_until = models.DateTimeField(verbose_name=_("lease until"))
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))

    class Meta:
        verbose_name = _("render")
        verbose_name_plural = _("renders")

    def __str__(self) -> str:
        return self.key[:12]


class Leadership(models.Model):
    """Who does what only one process may do; taken by a conditional UPDATE, lost by silence."""

    name = models.CharField(max_length=32, primary_key=True, verbose_name=_("name"))
    owner = models.CharField(max_length=160, verbose_name=_("worker"))
    until = models.DateTimeField(verbose_name=_("until"))

    class Meta:
        verbose_name = _("leadership")
        verbose_name_plural = _("leaderships")

    def __str__(self) -> str:
        return self.name
