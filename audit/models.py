"""The audit record: who did what to what, from where. Rows are added, sealed once, and never change again.

The database refuses the rest by triggers (`audit.triggers`); the managers refuse it sooner.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.catalogue import actions


class AppendOnly(Exception):
    """Somebody's code wants to change or remove what was recorded."""


def _refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise AppendOnly("the audit record is append-only")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Entries to read."""

    update = delete = bulk_update = bulk_create = update_or_create = _refuse

    def unsealed(self) -> AuditQuerySet:
        """Recorded, and not in the chain yet."""
        return self.filter(sequence=None)


class AuditEntry(models.Model):
    """One act. `signature` covers what happened, `hash` its place in the chain; both are keyed (`audit.signing`).

    `actor_name` and `object_text` are as they were then: the person or the thing may be gone. Without a person it
    was the command, or the process, that it names.
    """

    sequence = models.BigIntegerField(null=True, editable=False, unique=True, verbose_name=_("number"))
    at = models.DateTimeField(db_index=True, verbose_name=_("when"))
    # No constraint in the database: to delete a person must neither be refused nor change what they did.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+",
        verbose_name=_("person"),
    )  # fmt: skip
    actor_name = models.CharField(max_length=150, verbose_name=_("who"))
    action = models.CharField(max_length=40, choices=actions, db_index=True, verbose_name=_("what"))
    object_type = models.CharField(max_length=80, blank=True, verbose_name=_("kind of object"))
    object_id = models.CharField(max_length=64, blank=True, verbose_name=_("object's id"))
    object_text = models.CharField(max_length=200, blank=True, verbose_name=_("object"))
    details = models.JSONField(default=dict, verbose_name=_("details"))
    address = models.CharField(max_length=45, blank=True, verbose_name=_("address"))
    agent = models.CharField(max_length=200, blank=True, verbose_name=_("browser or program"))
    trace_id = models.CharField(max_length=32, blank=True, db_index=True, verbose_name=_("trace"))
    key_id = models.CharField(max_length=8, verbose_name=_("key"))
    signature = models.CharField(max_length=64, verbose_name=_("signature"))
    previous_hash = models.CharField(max_length=64, blank=True, verbose_name=_("hash before"))
    hash = models.CharField(max_length=64, blank=True, verbose_name=_("hash"))

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["id"], condition=Q(sequence=None), name="audit_unsealed"),
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only to be added."""
        if not self._state.adding:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()


class AuditHead(models.Model):
    """The last entry of the chain: one row, whose lock lets one process seal at a time."""

    sequence = models.BigIntegerField(default=0, verbose_name=_("number"))
    hash = models.CharField(max_length=64, blank=True, verbose_name=_("hash"))

    class Meta:
        verbose_name = _("head of the audit record")
        verbose_name_plural = _("head of the audit record")

    def __str__(self) -> str:
        return f"{self.hash}@{self.sequence}"


def plain_rows() -> models.QuerySet[AuditEntry]:
    """For the sealer alone: rows that can be updated."""
    return models.QuerySet(AuditEntry)
