"""Batches, videos, their events and uploads."""

from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from publishing.causes import sentence
from publishing.errors import NotPossible, StateConflict
from publishing.models import Batch, Job, UploadSession, Video, VideoEvent, WebhookReceipt
from publishing.services.videos import video_cancel, video_retry
from publishing.states import FAMILIES, Family
from subiteya.lib.admin import ReadOnlyAdmin, ReadOnlyInline, chip, report_each

REFUSED = (NotPossible, StateConflict)


class FamilyFilter(admin.SimpleListFilter):
    """Red, amber, green …: the families of statuses."""

    title = _("family")
    parameter_name = "family"
    names = {
        Family.YOURS: _("Your turn"),
        Family.QUEUED: _("Queued"),
        Family.WORKING: _("Working"),
        Family.WAITING: _("Waiting"),
        Family.ATTENTION: _("Needs attention"),
        Family.DONE: _("Published"),
        Family.ENDED: _("Cancelled"),
    }

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(family), str(name)) for family, name in self.names.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> QuerySet[Video]:
        chosen = self.value()
        if chosen not in set(Family):
            return queryset
        return queryset.filter(status__in=sorted(FAMILIES[Family(chosen)]))


class VideoEventInline(ReadOnlyInline):
    model = VideoEvent
    fields = ["at", "old", "new", "cause", "actor"]
    readonly_fields = ["cause"]
    verbose_name_plural = _("what happened")

    @admin.display(description=_("cause"))
    def cause(self, event: VideoEvent) -> str:
        return sentence(event.code, event.detail)


class JobInline(ReadOnlyInline):
    model = Job
    fields = ["kind", "status", "attempt", "crash_count", "step", "host", "run_at", "finished_at"]


class UploadInline(ReadOnlyInline):
    model = UploadSession
    fk_name = "video"
    fields = ["publish_id", "state", "uploaded_bytes", "video_size", "total_chunk_count", "tiktok_status", "log_id"]


@admin.register(Video)
class VideoAdmin(ReadOnlyAdmin):
    list_display = ["id", "account", "state", "why", "text", "scheduled_at", "posted_at", "created_at"]
    list_filter = [FamilyFilter, "status", "account", "account__sector", "mode", "subtitle_variant"]
    list_select_related = ["account"]
    date_hierarchy = "created_at"
    search_fields = ["caption", "account__username", "trace_id", "post_id", "uploads__publish_id"]
    inlines = [VideoEventInline, JobInline, UploadInline]
    actions = ["retry", "cancel"]
    fieldsets = [
        (None, {"fields": ["page", "account", "batch", "state", "why", "post"]}),
        (
            _("The post"),
            {
                "fields": [
                    "caption", "mode", "privacy_level", "disable_comment", "disable_duet", "disable_stitch",
                    "brand_content_toggle", "brand_organic_toggle", "is_aigc", "cover_timestamp_ms",
                    "subtitle_variant", "scheduled_at", "time_zone",
                ]
            },
        ),
        (_("Track"), {"fields": ["edited", "tiktok_status", "posted_at", "resume_at", "trace_id", "created_at"]}),
    ]  # fmt: skip
    readonly_fields = ["page", "state", "why", "post"]

    @admin.display(description=_("status"), ordering="status")
    def state(self, video: Video) -> SafeString:
        return chip(video.family, video.get_status_display())

    @admin.display(description=_("cause"))
    def why(self, video: Video) -> str:
        return sentence(video.reason_code, video.reason_detail) or "–"

    @admin.display(description=_("text"))
    def text(self, video: Video) -> str:
        return video.caption[:60]

    @admin.display(description=_("page"))
    def page(self, video: Video) -> SafeString:
        url = reverse("publishing:video_detail", args=[video.pk])
        return format_html('<a href="{}">{}</a>', url, _("Open in SubiteYa"))

    @admin.display(description=_("post"))
    def post(self, video: Video) -> SafeString | str:
        if not video.post_url:
            return "–"
        return format_html('<a href="{}" rel="noreferrer noopener">{}</a>', video.post_url, video.post_url)

    @admin.action(description=_("Retry, or publish now"), permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        report_each(
            request,
            queryset,
            lambda video: video_retry(video=video, actor=cast(User, request.user)),
            refused=REFUSED,
        )

    @admin.action(description=_("Cancel"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        report_each(
            request,
            queryset,
            lambda video: video_cancel(video=video, actor=cast(User, request.user)),
            refused=REFUSED,
        )


class VideoInline(ReadOnlyInline):
    model = Video
    fields = ["account", "status", "scheduled_at", "posted_at"]


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["id", "created_by", "source", "text", "accounts", "subtitles", "created_at"]
    list_filter = ["subtitles", "created_by"]
    list_select_related = ["created_by", "source"]
    date_hierarchy = "created_at"
    search_fields = ["caption", "trace_id", "source__original_name"]
    inlines = [VideoInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = super().get_queryset(request)
        return rows.annotate(video_count=Count("videos"))

    @admin.display(description=_("accounts"), ordering="video_count")
    def accounts(self, batch: Batch) -> int:
        return int(getattr(batch, "video_count", 0))

    @admin.display(description=_("text"))
    def text(self, batch: Batch) -> str:
        return batch.caption[:60]


@admin.register(VideoEvent)
class VideoEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "video", "old", "new", "code", "actor"]
    list_filter = ["new"]
    list_select_related = ["video", "actor"]
    date_hierarchy = "at"
    search_fields = ["trace_id", "code", "=video__pk"]


@admin.register(UploadSession)
class UploadSessionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "account", "video", "state", "sent", "tiktok_status", "fail_reason", "init_at"]
    list_filter = ["state", "account"]
    list_select_related = ["account", "video"]
    date_hierarchy = "init_at"
    search_fields = ["publish_id", "log_id", "account__username"]
    exclude = ["upload_url"]  # it carries a token

    @admin.display(description=_("sent"))
    def sent(self, session: UploadSession) -> str:
        return f"{100 * session.uploaded_bytes // session.video_size} %"


@admin.register(WebhookReceipt)
class WebhookReceiptAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "event", "publish_id", "open_id"]
    list_filter = ["event"]
    date_hierarchy = "received_at"
    search_fields = ["publish_id", "open_id"]
