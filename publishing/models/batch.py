"""What a CM submits once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from publishing.models.asset import Asset, SubtitleTrack
from publishing.states import SubtitleChoice


class BatchQuerySet(models.QuerySet["Batch"]):
    """Batches, narrowed to what a person may see."""

    def for_user(self, user: Any) -> BatchQuerySet:
        if user.sees_everything:
            return self
        return self.filter(Q(created_by=user) | Q(videos__account__managers=user)).distinct()


class Batch(models.Model):
    """One source, N accounts. `submission_key` makes a double click or a re-sent form the same batch."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="batches", verbose_name=_("created by")
    )
    source = models.ForeignKey(Asset, models.PROTECT, related_name="batches", verbose_name=_("source"))
    caption = models.TextField(blank=True, verbose_name=_("text"))
    subtitles = models.CharField(
        max_length=8, choices=SubtitleChoice.choices, default=SubtitleChoice.NONE, verbose_name=_("subtitles")
    )
    track = models.ForeignKey(
        SubtitleTrack, models.PROTECT, null=True, blank=True, related_name="batches", verbose_name=_("subtitle track")
    )
    submission_key = models.CharField(max_length=64, unique=True, verbose_name=_("submission key"))
    trace_id = models.CharField(max_length=32, verbose_name=_("trace"))
    created_at = models.DateTimeField(auto_now_add=True, db_index=True, verbose_name=_("created"))

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = [
            models.CheckConstraint(condition=Q(subtitles__in=SubtitleChoice.values), name="batch_subtitles_known"),
            models.CheckConstraint(
                condition=Q(subtitles=SubtitleChoice.NONE) | Q(track__isnull=False),
                name="batch_subtitles_have_track",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()
