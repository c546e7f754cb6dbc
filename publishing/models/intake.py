"""Files on their way in: who sends how much, for the quotas."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from publishing.models.asset import Asset, AssetKind


class IntakeState(models.TextChoices):
    """`open` while bytes arrive; a killed process leaves it so, and it stops counting after a while."""

    OPEN = "open", _("On its way in")
    STORED = "stored", _("Stored")
    FAILED = "failed", _("Refused or cut")


class Intake(models.Model):
    """One file that one person sent. `size` is what was announced until it has ended, then what arrived."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="intakes", verbose_name=_("uploaded by")
    )
    kind = models.CharField(max_length=12, choices=AssetKind.choices, verbose_name=_("kind"))
    state = models.CharField(
        max_length=8, choices=IntakeState.choices, default=IntakeState.OPEN, verbose_name=_("status")
    )
    size = models.PositiveBigIntegerField(verbose_name=_("size, bytes"))
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, blank=True, verbose_name=_("file"))
    started_at = models.DateTimeField(verbose_name=_("started"))
    ended_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ended"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("file on its way in")
        verbose_name_plural = _("files on their way in")
        indexes = [models.Index(fields=["user", "started_at"], name="intake_of_a_day")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=IntakeState.values), name="intake_state_known"),
            models.CheckConstraint(
                condition=Q(state=IntakeState.OPEN, ended_at__isnull=True)
                | (~Q(state=IntakeState.OPEN) & Q(ended_at__isnull=False)),
                name="intake_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()
