"""What a person did to many videos at once, and how each of them was before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.video import Video
from publishing.states import ActKind

#: How long an act can be undone once it is done.
UNDO_FOR = timedelta(seconds=30)


class ActQuerySet(models.QuerySet["Act"]):
    """Acts, narrowed to those of one person."""

    def for_user(self, user: Any) -> ActQuerySet:
        """A person's own acts: nobody undoes another's."""
        return self.filter(actor=user) if user.is_authenticated else self.none()


class Act(models.Model):
    """One press of a button on many videos. `key` comes with the form: pressed twice, it is done once.

    `done` and `refused` are counted, and `undo_until` is set, when every video had its turn.
    """

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="acts", verbose_name=_("person"))
    key = models.CharField(max_length=64, verbose_name=_("key"))
    kind = models.CharField(max_length=12, choices=ActKind.choices, verbose_name=_("what"))
    detail = models.JSONField(default=dict, blank=True, verbose_name=_("values"))
    done = models.PositiveIntegerField(default=0, verbose_name=_("done"))
    refused = models.PositiveIntegerField(default=0, verbose_name=_("refused"))
    begun_at = models.DateTimeField(verbose_name=_("begun"))
    finished_at = models.DateTimeField(null=True, blank=True, verbose_name=_("finished"))
    undo_until = models.DateTimeField(verbose_name=_("can be undone until"))
    undone_at = models.DateTimeField(null=True, blank=True, verbose_name=_("undone"))

    objects = ActQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("act")
        verbose_name_plural = _("acts")
        constraints = [
            models.UniqueConstraint(fields=["actor", "key"], name="act_once_per_key"),
            models.CheckConstraint(condition=Q(kind__in=ActKind.values), name="act_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{ActKind(self.kind).label} · {self.done}"

    @property
    def undoable(self) -> bool:
        """Is there something to put back, and time left for it?"""
        return self.done > 0 and self.undone_at is None and timezone.now() < self.undo_until


class ActItem(models.Model):
    """One video of an act. `code` is empty when it was done, else the catalogue's reason against it.

    `before` is what an undo puts back: status, cause, times, edited file, and the job that was under way. `event` is
    the last line of the video's story then: a later one by a person means that it is not where the act put it.
    """

    act = models.ForeignKey(Act, models.CASCADE, related_name="items", verbose_name=_("act"))
    video = models.ForeignKey(Video, models.CASCADE, related_name="act_items", verbose_name=_("video"))
    code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    before = models.JSONField(default=dict, blank=True, verbose_name=_("before"))
    event = models.PositiveBigIntegerField(default=0, verbose_name=_("last event"))
    undone_at = models.DateTimeField(null=True, blank=True, verbose_name=_("undone"))
    undo_code = models.CharField(max_length=64, blank=True, verbose_name=_("why it was not undone"))

    class Meta:
        ordering = ["pk"]
        verbose_name = _("video of an act")
        verbose_name_plural = _("videos of an act")
        constraints = [models.UniqueConstraint(fields=["act", "video"], name="act_item_once_per_video")]

    def __str__(self) -> str:
        return f"{self.act_id}: {self.video_id}"
