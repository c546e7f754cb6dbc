"""A message on its way to a person or a program."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveryChannel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class Delivery(models.Model):
    """What every message has: written with what it tells, sent by `monitoring.services.sending` until it arrives."""

    attempts = models.PositiveSmallIntegerField(default=0, verbose_name=_("attempts"))
    next_at = models.DateTimeField(verbose_name=_("not before"))
    sent_at = models.DateTimeField(null=True, blank=True, verbose_name=_("sent"))
    error = models.CharField(max_length=200, blank=True, verbose_name=_("last error"))

    class Meta:
        abstract = True
