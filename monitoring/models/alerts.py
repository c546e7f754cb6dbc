"""Alerts: opened once, closed once, told once per channel and change."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount
from monitoring.models.deliveries import Delivery, DeliveryChannel


class Severity(models.TextChoices):
    PAGE = "page", _("now")
    TICKET = "ticket", _("today")


class AlertSource(models.TextChoices):
    APP = "app", _("SubiteYa")
    ALERTMANAGER = "alertmanager", _("Alertmanager")


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts, narrowed to what a person may see."""

    def for_user(self, user: Any) -> AlertQuerySet:
        """Administrators and auditors see all; a CM sees those about accounts in their charge; a stranger none."""
        if not user.is_authenticated:
            return self.none()
        return self if user.sees_everything else self.filter(account__managers=user)


class Alert(models.Model):
    """A condition that holds, or held. `labels` names what it is about, such as an account: `{"account": "marca"}`.

    `fingerprint` is the rule and what it is about in a canonical order: at most one alert of it is open per source.
    """

    rule = models.CharField(max_length=80, verbose_name=_("alert"))
    fingerprint = models.CharField(max_length=200, verbose_name=_("fingerprint"))
    labels = models.JSONField(default=dict, blank=True, verbose_name=_("labels"))
    account = models.ForeignKey(
        TikTokAccount, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    severity = models.CharField(max_length=8, choices=Severity.choices, verbose_name=_("urgency"))
    source = models.CharField(
        max_length=16, choices=AlertSource.choices, default=AlertSource.APP, verbose_name=_("seen by")
    )
    value = models.FloatField(default=0, verbose_name=_("value"))
    detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    opened_at = models.DateTimeField(verbose_name=_("began"))
    seen_at = models.DateTimeField(verbose_name=_("last seen"))
    closed_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ended"))

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "fingerprint"], condition=Q(closed_at__isnull=True), name="alert_open_once"
            ),
            # A message about the same beginning that arrives late or twice opens nothing again.
            models.UniqueConstraint(fields=["source", "fingerprint", "opened_at"], name="alert_begins_once"),
        ]

    def __str__(self) -> str:
        return self.rule


class PendingAlert(models.Model):
    """A condition that holds, but not for long enough yet."""

    fingerprint = models.CharField(max_length=200, primary_key=True, verbose_name=_("fingerprint"))
    rule = models.CharField(max_length=80, verbose_name=_("alert"))
    since = models.DateTimeField(verbose_name=_("began"))
    seen_at = models.DateTimeField(verbose_name=_("last seen"))

    class Meta:
        ordering = ["since"]
        verbose_name = _("alert that waits")
        verbose_name_plural = _("alerts that wait")

    def __str__(self) -> str:
        return self.rule


class AlertDelivery(Delivery):
    """One message about one change of an alert, to one channel: written with the change, sent until it arrives."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries", verbose_name=_("alert"))
    channel = models.CharField(max_length=8, choices=DeliveryChannel.choices, verbose_name=_("channel"))
    resolved = models.BooleanField(default=False, verbose_name=_("it ended"))

    class Meta:
        ordering = ["pk"]
        verbose_name = _("message about an alert")
        verbose_name_plural = _("messages about alerts")
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel", "resolved"], name="alert_told_once"),
        ]
        indexes = [models.Index(fields=["next_at"], name="alert_to_tell", condition=Q(sent_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.channel}: {self.alert}"
