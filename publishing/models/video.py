"""One source for one account: the unit of truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount, validate_time_zone
from publishing.models.asset import Asset, SubtitleTrack
from publishing.models.batch import Batch
from publishing.states import (
    FAMILIES,
    FAMILY_OF,
    SUBTITLE_VARIANTS,
    Family,
    PostMode,
    PrivacyLevel,
    SubtitleAssignment,
    SubtitleChoice,
    VideoStatus,
)
from subiteya.lib.tracing import current_trace_id


class VideoQuerySet(models.QuerySet["Video"]):
    """Videos, narrowed to what a person may see."""

    def for_user(self, user: Any) -> VideoQuerySet:
        """Whoever sees everything sees all; a CM sees the videos of accounts in their charge."""
        if not user.is_authenticated:
            return self.none()
        return self if user.sees_everything else self.filter(account__managers=user)

    def stuck(self) -> VideoQuerySet:
        """Red and held ones, as the indexes of the few that are stuck name them."""
        return self.filter(_is_one_of(STUCK))

    def waiting(self) -> VideoQuerySet:
        """Those that wait for an hour, as the index of what is due names them."""
        return self.filter(_is_one_of(WAITING))


#: Red, or held: of a million videos a few are, and people look at them all day.
STUCK = sorted(FAMILIES[Family.ATTENTION] | {VideoStatus.HELD})
WAITING = ["scheduled", "deferred", "held"]


def _is_one_of(statuses: Sequence[str]) -> Func:
    """In literals: SQLite does not see that it may use a partial index behind parameters."""
    listed = ", ".join(f"'{status}'" for status in statuses)
    return Func(F("status"), template=f"%(expressions)s IN ({listed})", output_field=models.BooleanField())


class Video(models.Model):
    """Its status changes only through `publishing.services.videos.video_move`."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="videos", verbose_name=_("batch"))
    account = models.ForeignKey(TikTokAccount, models.PROTECT, related_name="videos", verbose_name=_("account"))
    status = models.CharField(
        max_length=20, choices=VideoStatus.choices, default=VideoStatus.PENDING, verbose_name=_("status")
    )
    mode = models.CharField(max_length=8, choices=PostMode.choices, default=PostMode.DIRECT, verbose_name=_("mode"))
    caption = models.TextField(blank=True, verbose_name=_("text"))
    privacy_level = models.CharField(
        max_length=24, choices=PrivacyLevel.choices, blank=True, verbose_name=_("who may see it")
    )
    disable_comment = models.BooleanField(default=True, verbose_name=_("without comments"))
    disable_duet = models.BooleanField(default=True, verbose_name=_("without duets"))
    disable_stitch = models.BooleanField(default=True, verbose_name=_("without stitches"))
    brand_content_toggle = models.BooleanField(default=False, verbose_name=_("paid partnership"))
    brand_organic_toggle = models.BooleanField(default=False, verbose_name=_("own brand"))
    is_aigc = models.BooleanField(default=False, verbose_name=_("made with AI"))
    cover_timestamp_ms = models.PositiveIntegerField(default=0, verbose_name=_("cover, ms"))
    subtitle_variant = models.CharField(
        max_length=8, choices=SubtitleChoice.choices, default=SubtitleChoice.NONE, verbose_name=_("subtitles")
    )
    subtitle_assignment = models.CharField(
        max_length=8, choices=SubtitleAssignment.choices, default=SubtitleAssignment.PERSON,
        verbose_name=_("who chose the subtitles"),
    )  # fmt: skip
    track = models.ForeignKey(
        SubtitleTrack, models.PROTECT, null=True, blank=True, related_name="videos",
        help_text=_("instead of its batch's"), verbose_name=_("subtitles of its own"),
    )  # fmt: skip
    approval_due = models.BooleanField(
        default=False, verbose_name=_("needs an approval"),
        help_text=_("it does not go out before somebody approves it"),
    )  # fmt: skip
    scheduled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("scheduled for"))
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone], verbose_name=_("time zone"))
    edited = models.ForeignKey(
        Asset, models.PROTECT, null=True, blank=True, related_name="edited_videos", verbose_name=_("edited")
    )
    reason_code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    reason_detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    resume_at = models.DateTimeField(null=True, blank=True, verbose_name=_("goes on at"))
    tiktok_status = models.CharField(max_length=32, blank=True, verbose_name=_("TikTok's status"))
    post_id = models.CharField(max_length=64, blank=True, verbose_name=_("post id"))
    post_url = models.URLField(max_length=500, blank=True, verbose_name=_("post"))
    posted_at = models.DateTimeField(null=True, blank=True, verbose_name=_("published"))
    trace_id = models.CharField(max_length=32, verbose_name=_("trace"))
    traceparent = models.CharField(
        max_length=55, blank=True, help_text=_("the span of its submission, as W3C writes it"),
        verbose_name=_("traceparent"),
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    updated_at = models.DateTimeField(auto_now=True, verbose_name=_("changed"))

    objects = VideoQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        constraints = [
            models.UniqueConstraint(fields=["batch", "account"], name="video_once_per_batch_and_account"),
            models.CheckConstraint(condition=Q(status__in=VideoStatus.values), name="video_status_known"),
            models.CheckConstraint(condition=Q(mode__in=PostMode.values), name="video_mode_known"),
            models.CheckConstraint(
                # a batch may leave it to the system; a video got one or the other
                condition=Q(subtitle_variant__in=SUBTITLE_VARIANTS),
                name="video_subtitle_variant_known",
            ),
            models.CheckConstraint(
                condition=Q(subtitle_assignment__in=SubtitleAssignment.values), name="video_subtitle_assignment_known"
            ),
            # Direct posts carry the privacy that a person chose; there is no default.
            models.CheckConstraint(
                condition=Q(mode=PostMode.INBOX) | Q(privacy_level__in=PrivacyLevel.values),
                name="video_privacy_chosen",
            ),
            models.CheckConstraint(
                condition=~Q(status=VideoStatus.POSTED) | Q(posted_at__isnull=False),
                name="video_posted_has_time",
            ),
        ]
        indexes = [
            # The list: newest first, per account and status.
            models.Index(F("account"), F("id").desc(), name="video_account_newest"),
            models.Index(F("status"), F("id").desc(), name="video_status_newest"),
            # And of the fifty accounts of a person by status, which are also counted like this.
            models.Index(F("account"), F("status"), F("id").desc(), name="video_account_status_newest"),
            # By cause, by what TikTok calls it and by trace: whole indexes, although most videos have no cause, because
            # SQLite could not see that a bound value is not the empty one. By the day on which it goes out: SQLite does
            # see that what is compared is not null.
            models.Index(F("reason_code"), F("id").desc(), name="video_cause_newest"),
            models.Index(fields=["post_id"], name="video_post"),
            models.Index(fields=["trace_id"], name="video_trace"),
            models.Index(fields=["scheduled_at"], name="video_goes_out", condition=Q(scheduled_at__isnull=False)),
            # The scheduler asks every second what is due.
            models.Index(
                fields=["scheduled_at"],
                name="video_due",
                condition=Q(status__in=WAITING),
            ),
            # What missed its hour, of four statuses; SQLite cannot see that they lie within those of `video_due`.
            models.Index(fields=["status", "scheduled_at"], name="video_status_due"),
            # The monitor: the days of the last months, and the latest of what is stuck.
            models.Index(fields=["created_at"], name="video_created"),
            models.Index(fields=["posted_at"], name="video_posted", condition=Q(posted_at__isnull=False)),
            models.Index(fields=["status", "updated_at"], name="video_status_changed"),
            # Hoy and the monitor: what is stuck, the latest first; of all accounts, and of one community manager's.
            # Small ones, whatever the history: VideoQuerySet.stuck() asks for them.
            models.Index(F("updated_at").desc(), F("id").desc(), name="video_stuck", condition=Q(status__in=STUCK)),
            models.Index(fields=["account", "updated_at"], name="video_stuck_account", condition=Q(status__in=STUCK)),
            # A community manager's days: their accounts' videos of the last weeks, without a look at the rows.
            models.Index(fields=["account", "created_at"], name="video_account_created"),
            models.Index(
                fields=["account", "posted_at"], name="video_account_posted", condition=Q(posted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()

    @property
    def subtitles(self) -> SubtitleTrack | None:
        """The lines that are burnt in: its own, or those of its batch."""
        if self.subtitle_variant == SubtitleChoice.NONE:
            return None
        return self.track or self.batch.track

    @property
    def family(self) -> Family:
        return FAMILY_OF[VideoStatus(self.status)]


class VideoEvent(models.Model):
    """A change of a video's status, or a note beside it (`old == new`); append-only."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="events", verbose_name=_("video"))
    old = models.CharField(max_length=20, blank=True, verbose_name=_("before"))
    new = models.CharField(max_length=20, verbose_name=_("after"))
    code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("person")
    )
    at = models.DateTimeField(verbose_name=_("when"))
    trace_id = models.CharField(max_length=32, default=current_trace_id, blank=True, verbose_name=_("trace"))

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("video event")
        verbose_name_plural = _("video events")
        constraints = [models.CheckConstraint(condition=Q(new__in=VideoStatus.values), name="video_event_status_known")]
        indexes = [
            models.Index(fields=["video", "at"], name="video_event_timeline"),
            # The monitor: what ended when, in any day of the last months, without a look at the rows.
            models.Index(fields=["new", "at", "video", "old"], name="video_event_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
