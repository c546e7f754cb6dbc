"""What was suggested to whom, and what they took: suggestions are judged by their own results."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Sector
from insights.models.topic import Topic
from publishing.models import Batch


class Suggestion(models.Model):
    """The chips that one person saw for one sector while writing one submission; `batch` once it was submitted."""

    submission_key = models.CharField(max_length=64, verbose_name=_("submission key"))
    sector = models.ForeignKey(Sector, models.CASCADE, related_name="suggestions", verbose_name=_("sector"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="hashtag_suggestions", verbose_name=_("person")
    )
    shown_at = models.DateTimeField(verbose_name=_("shown"))
    batch = models.ForeignKey(
        Batch, models.CASCADE, null=True, blank=True, related_name="hashtag_suggestions", verbose_name=_("batch")
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        constraints = [
            models.UniqueConstraint(fields=["submission_key", "sector", "user"], name="suggestion_once_per_submission")
        ]
        indexes = [models.Index(fields=["shown_at"], name="suggestion_shown")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()


class SuggestedTopic(models.Model):
    """One chip: its place, what it said, and whether the submission took it (null until it was submitted)."""

    suggestion = models.ForeignKey(Suggestion, models.CASCADE, related_name="topics", verbose_name=_("suggestion"))
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="suggested", verbose_name=_("topic"))
    rank = models.PositiveSmallIntegerField(verbose_name=_("place"))
    evidence = models.JSONField(default=dict, verbose_name=_("evidence"))
    is_chosen = models.BooleanField(null=True, blank=True, verbose_name=_("chosen"))

    class Meta:
        ordering = ["rank"]
        verbose_name = _("suggested topic")
        verbose_name_plural = _("suggested topics")
        constraints = [models.UniqueConstraint(fields=["suggestion", "topic"], name="suggested_topic_once")]

    def __str__(self) -> str:
        return str(self.topic)
