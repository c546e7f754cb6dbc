"""Which processes are alive: each writes a row and renews it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerKind(models.TextChoices):
    EDIT = "edit", _("Edit")
    UPLOAD = "upload", _("Upload")
    HOST = "host", _("Edit, this host's files")
    SCHEDULER = "scheduler", _("Scheduler")


class WorkerHeartbeat(models.Model):
    """One process. It is taken for dead when `seen_at` is older than a minute, and forgotten after a day."""

    name = models.CharField(max_length=160, primary_key=True, verbose_name=_("name"))
    kind = models.CharField(max_length=12, choices=WorkerKind.choices, verbose_name=_("kind"))
    host = models.CharField(max_length=128, verbose_name=_("host"))
    pid = models.PositiveIntegerField(verbose_name=_("process"))
    started_at = models.DateTimeField(verbose_name=_("started"))
    seen_at = models.DateTimeField(verbose_name=_("last seen"))

    class Meta:
        ordering = ["kind", "name"]
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
