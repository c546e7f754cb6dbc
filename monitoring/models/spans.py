"""OpenTelemetry spans, kept for the waterfall of a video."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _


class SpanKind(models.TextChoices):
    INTERNAL = "internal", _("inside")
    SERVER = "server", _("request")
    CLIENT = "client", _("call")
    PRODUCER = "producer", _("queued")
    CONSUMER = "consumer", _("worked on")


class SpanStatus(models.TextChoices):
    UNSET = "unset", _("went through")
    OK = "ok", _("well")
    ERROR = "error", _("failed")


class Span(models.Model):
    """One span. Without `ended_at` it still runs, or its process died in the middle of it.

    `trace_id` and `span_id` are lower-case hexadecimal, as in W3C's traceparent. `links` is a list of
    `{"trace_id", "span_id", "why"}`.
    """

    trace_id = models.CharField(max_length=32, verbose_name=_("trace"))
    span_id = models.CharField(max_length=16, verbose_name=_("span"))
    parent_id = models.CharField(max_length=16, blank=True, verbose_name=_("parent"))
    name = models.CharField(max_length=120, verbose_name=_("name"))
    kind = models.CharField(max_length=8, choices=SpanKind.choices, verbose_name=_("kind"))
    status = models.CharField(
        max_length=8, choices=SpanStatus.choices, default=SpanStatus.UNSET, verbose_name=_("status")
    )
    started_at = models.DateTimeField(verbose_name=_("started"))
    ended_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ended"))
    video_id = models.BigIntegerField(null=True, blank=True, db_index=True, verbose_name=_("video"))
    job_id = models.BigIntegerField(null=True, blank=True, verbose_name=_("job"))
    process = models.CharField(max_length=160, blank=True, verbose_name=_("process"))
    attributes = models.JSONField(default=dict, blank=True, verbose_name=_("values"))
    links = models.JSONField(default=list, blank=True, verbose_name=_("links"))

    class Meta:
        ordering = ["started_at", "pk"]
        verbose_name = _("span")
        verbose_name_plural = _("spans")
        constraints = [models.UniqueConstraint(fields=["trace_id", "span_id"], name="span_once")]
        indexes = [models.Index(F("started_at"), name="span_oldest")]

    def __str__(self) -> str:
        return self.name
