"""A person's own filters of the list, in their order."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """Saved filters, narrowed to those of one person."""

    def for_user(self, user: Any) -> SavedFilterQuerySet:
        """A person's own, also the one that they have just deleted."""
        return self.filter(user=user) if user.is_authenticated else self.none()

    def kept(self) -> SavedFilterQuerySet:
        return self.filter(deleted_at=None)


class SavedFilter(models.Model):
    """A name for a query of the list. A deleted one stays, so that it can be brought back, until the next deletion."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters", verbose_name=_("person")
    )
    name = models.CharField(max_length=40, verbose_name=_("name"))
    query = models.CharField(max_length=500, verbose_name=_("query"))
    position = models.PositiveIntegerField(default=0, verbose_name=_("position"))
    deleted_at = models.DateTimeField(null=True, blank=True, verbose_name=_("deleted"))
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")

    def __str__(self) -> str:
        return self.name
