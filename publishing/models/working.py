"""What the workers of a host keep on its disk, so that a retry there repeats no finished step."""

from __future__ import annotations

from pathlib import Path

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.job import Job
from publishing.models.video import Video
from publishing.states import JobKind


class WorkingKind(models.TextChoices):
    """A source is a copy of a file of the bucket. Cues are not here: they live in their track's row, on every host."""

    SOURCE = "source", _("Copy of a stored file")
    AUDIO = "audio", _("Extracted sound")
    RENDER = "render", _("Edited video, not stored yet")


class WorkingAssetQuerySet(models.QuerySet["WorkingAsset"]):
    """Working files, narrowed to what an edit can use."""

    def kept_for(self, video: Video) -> WorkingAssetQuerySet:
        """What hosts keep for the edit of `video`, the most useful first: its render, then its source's copy.

        Only of hosts that have edited this source: a web server keeps copies too, for the players, and edits nothing.
        """
        jobs = Job.objects.filter(kind=JobKind.EDIT)
        renders = jobs.filter(video=video).exclude(render_key="").order_by("-pk").values_list("render_key", flat=True)
        useful = Q(kind=WorkingKind.RENDER, key__in=list(renders[:1]))
        useful |= Q(kind=WorkingKind.SOURCE, key=video.batch.source.sha256)
        editing = jobs.filter(video__batch__source=video.batch.source_id).order_by().values("host")
        found = self.filter(useful, host__in=editing, expires_at__gt=timezone.now())
        return found.order_by("kind", "-used_at", "pk")  # "render" sorts before "source"


class WorkingAsset(models.Model):
    """One file below WORK_DIR of one host, written whole (synced, then renamed) before the row names it.

    `key` says what is in it: of a source its sha256, of a sound the source's sha256 and the format, of a render the
    edit's key. The file may be gone or damaged all the same: `services.working` believes it only after a look.
    """

    kind = models.CharField(max_length=8, choices=WorkingKind.choices, verbose_name=_("kind"))
    key = models.CharField(max_length=128, verbose_name=_("key"))
    host = models.CharField(max_length=128, verbose_name=_("host"))
    path = models.CharField(max_length=500, verbose_name=_("path"))
    sha256 = models.CharField(max_length=64, verbose_name=_("sha256"))
    xxh3 = models.CharField(max_length=32, null=True, blank=True, verbose_name="XXH3-128")  # noqa: DJ001
    size = models.PositiveBigIntegerField(verbose_name=_("size, bytes"))
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    used_at = models.DateTimeField(verbose_name=_("last used"))
    expires_at = models.DateTimeField(verbose_name=_("expires"))

    objects = WorkingAssetQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("working file")
        verbose_name_plural = _("working files")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key", "host"], name="working_asset_once_per_host"),
            models.CheckConstraint(condition=Q(kind__in=WorkingKind.values), name="working_asset_kind_known"),
        ]
        indexes = [models.Index(fields=["host", "expires_at"], name="working_asset_expiry")]

    def __str__(self) -> str:
        return f"{self.host}:{self.path}"

    @property
    def file(self) -> Path:
        return Path(self.path)
