"""Batches, videos and their events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms.utils import from_current_timezone
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from publishing.admin.jobs import JobInline
from publishing.admin.uploads import UploadInline
from publishing.admin.words import FAMILY_NAMES, video_chip
from publishing.causes import advice, sentence
from publishing.clocks import moment
from publishing.errors import NotPossible, StateConflict
from publishing.models import Batch, UploadSession, Video, VideoEvent
from publishing.selectors.looks import Looker
from publishing.selectors.videos import cause_text
from publishing.services.videos import video_cancel, video_reschedule, video_retry
from publishing.states import FAMILIES, Family
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin, ReadOnlyInline, code, json_block
from subiteya.lib.admin_actions import Asking, Refused, ask_first, report_each

#: Videos that a search of the admin shows.
SEARCHED = 500


class FamilyFilter(admin.SimpleListFilter):
    """Red, amber, green …: the families of statuses."""

    title = _("family")
    parameter_name = "family"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(family.value, str(name)) for family, name in FAMILY_NAMES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> QuerySet[Video]:
        chosen = self.value()
        if chosen not in set(Family):
            return queryset
        return queryset.filter(status__in=sorted(FAMILIES[Family(chosen)]))


class VideoEventInline(ReadOnlyInline):
    model = VideoEvent
    fields = ["at", "change", "cause", "actor", "trace_id"]
    verbose_name_plural = _("what happened")
    select_related = ["actor", "video__account"]
    show_change_link = False

    @admin.display(description=_("status"))
    def change(self, event: VideoEvent) -> SafeString:
        return video_chip(event.new)

    @admin.display(description=_("cause"))
    def cause(self, event: VideoEvent) -> str:
        return cause_text(event.code, event.detail, event.video) or NOTHING


class ScheduleForm(forms.Form):
    """One day and hour, read as the clocks of each video's account show them."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    hour = forms.TimeField(
        label=_("Hour"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("In each account's own time zone."),
    )


@admin.register(Video)
class VideoAdmin(ReadOnlyAdmin):
    list_display = ["id", "account", "state", "text", "scheduled_at", "posted_at", "created_at"]
    # No choice of account and no calendar: among thousands, and over all videos, both are slow. Search the account.
    list_filter = [FamilyFilter, "status", "account__sector", "mode", "subtitle_variant", "created_at"]
    list_select_related = ()
    list_prefetch_related = ["account"]
    search_fields = ["caption"]  # and more: see get_search_results
    search_help_text = _("Text, account, trace, post id or publish id")
    inlines = [VideoEventInline, JobInline, UploadInline]
    actions = ["retry", "reschedule", "cancel"]
    fieldsets = [
        (None, {"fields": ["account", "batch", "state", "todo", "detail", "post", "trace"]}),
        (
            _("The post"),
            {
                "fields": [
                    "caption", "mode", "privacy_level", ("disable_comment", "disable_duet", "disable_stitch"),
                    ("brand_content_toggle", "brand_organic_toggle", "is_aigc"), "cover_timestamp_ms",
                    "subtitle_variant",
                ]
            },
        ),
        (
            _("The way"),
            {
                "fields": [
                    ("scheduled_at", "time_zone"), "resume_at", "edited", "tiktok_status", "posted_at", "created_at",
                    "updated_at",
                ]
            },
        ),
    ]  # fmt: skip
    readonly_fields = ["state", "todo", "detail", "post", "trace"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Video], search_term: str
    ) -> tuple[QuerySet[Video], bool]:
        """By the indexes of the product's own list, the newest SEARCHED; by a publish id, the video of that upload."""
        if not search_term:
            return queryset, False
        found = Looker(user=request.user).page({"q": search_term}, size=SEARCHED)
        if found.after:
            words = _("The search looked at the newest videos only: narrow it down.")
            messages.info(request, words)
        uploads = UploadSession.objects.filter(publish_id=search_term).values_list("video", flat=True)
        return queryset.filter(pk__in=[*found.pks, *uploads[:SEARCHED]]), False

    @admin.display(description=_("status"), ordering="status")
    def state(self, video: Video) -> SafeString:
        why = cause_text(video.reason_code, video.reason_detail, video)
        return format_html('{}<p class="why">{}</p>', video_chip(video.status), why)

    @admin.display(description=_("what to do"))
    def todo(self, video: Video) -> str:
        return advice(video.reason_code, video.reason_detail) or NOTHING

    @admin.display(description=_("measured"))
    def detail(self, video: Video) -> SafeString | str:
        return json_block(video.reason_detail)

    @admin.display(description=_("text"))
    def text(self, video: Video) -> str:
        return Truncator(video.caption).chars(60) or NOTHING

    @admin.display(description=_("post"))
    def post(self, video: Video) -> SafeString | str:
        if not video.post_url:
            return video.post_id or NOTHING
        return format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', video.post_url)

    @admin.display(description=_("trace"))
    def trace(self, video: Video) -> SafeString | str:
        return code(video.trace_id)

    @admin.action(description=_("Retry, or publish now what is late"), permissions=["act"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        report_each(
            request,
            queryset,
            lambda video: _by_service(lambda: video_retry(video=video, actor=request.user)),  # type: ignore[arg-type]
            done=_("Taken up again"),
        )

    @admin.action(description=_("Choose another time…"), permissions=["act"])
    def reschedule(self, request: HttpRequest, queryset: QuerySet[Video]) -> TemplateResponse | None:
        asking = Asking(
            title=_("Choose another time"),
            effect=_("Each of these videos goes out then, in the time zone of its account."),
            button=_("Reschedule"),
            form=ScheduleForm,
            describe=_described,
        )
        return ask_first(
            self, request, queryset, asking=asking, act=lambda video, when: _reschedule(video, when, request),
            done=_("Rescheduled"),
        )  # fmt: skip

    @admin.action(description=_("Cancel…"), permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Video]) -> TemplateResponse | None:
        asking = Asking(
            title=_("Cancel these videos?"),
            effect=_(
                "The work on them stops and they do not go out. What TikTok has already received whole cannot be "
                "cancelled here."
            ),
            button=_("Cancel the videos"),
            danger=True,
            describe=_described,
        )
        return ask_first(
            self, request, queryset, asking=asking, done=_("Cancelled"),
            act=lambda video, _answers: _by_service(
                lambda: video_cancel(video=video, actor=request.user)  # type: ignore[arg-type]
            ),
        )  # fmt: skip


def _described(video: Video) -> SafeString:
    due = moment(video.scheduled_at, video.time_zone) if video.scheduled_at else ""
    return format_html("{} · {} {} {}", video, video.account, video_chip(video.status), due)


def _reschedule(video: Video, when: dict[str, Any], request: HttpRequest) -> None:
    try:
        with timezone.override(ZoneInfo(video.time_zone)):
            at = from_current_timezone(datetime.combine(when["day"], when["hour"]))
    except forms.ValidationError as error:
        raise Refused(error.messages[0]) from None
    _by_service(lambda: video_reschedule(video=video, at=at, actor=request.user))  # type: ignore[arg-type]


def _by_service(act: Callable[[], object]) -> None:
    """Call a service; what it refuses becomes a sentence for the administrator."""
    try:
        act()
    except NotPossible as refusal:
        raise Refused(str(refusal)) from refusal
    except StateConflict as conflict:
        raise Refused(sentence("state_changed")) from conflict


class VideoInline(ReadOnlyInline):
    model = Video
    fields = ["account", "state", "scheduled_at", "posted_at"]
    select_related = ["account"]

    @admin.display(description=_("status"))
    def state(self, video: Video) -> SafeString:
        return video_chip(video.status)


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["id", "created_by", "source", "text", "accounts", "subtitles", "created_at"]
    list_filter = ["subtitles", "created_at"]
    list_select_related = ()
    list_prefetch_related = ["created_by", "source"]
    search_fields = ["caption", "trace_id", "source__original_name"]
    inlines = [VideoInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = super().get_queryset(request)
        videos = Video.objects.filter(batch=OuterRef("pk")).order_by().values("batch").annotate(n=Count("pk"))
        return rows.annotate(video_count=Coalesce(Subquery(videos.values("n")), 0))

    @admin.display(description=_("accounts"), ordering="video_count")
    def accounts(self, batch: Any) -> int:
        return int(batch.video_count)

    @admin.display(description=_("text"))
    def text(self, batch: Batch) -> str:
        return Truncator(batch.caption).chars(60) or NOTHING


@admin.register(VideoEvent)
class VideoEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "video", "change", "cause", "actor"]
    ordering = ["-pk"]
    list_filter = ["new", "at"]
    list_select_related = ()
    list_prefetch_related = ["video__account", "actor"]
    search_fields = ["trace_id", "code", "=video__pk"]
    fields = ["at", "video", "old", "change", "cause", "code", "facts", "actor", "trace"]
    readonly_fields = ["change", "cause", "facts", "trace"]

    @admin.display(description=_("status"), ordering="new")
    def change(self, event: VideoEvent) -> SafeString:
        return video_chip(event.new)

    @admin.display(description=_("cause"), ordering="code")
    def cause(self, event: VideoEvent) -> str:
        return cause_text(event.code, event.detail, event.video) or NOTHING

    @admin.display(description=_("measured"))
    def facts(self, event: VideoEvent) -> SafeString | str:
        return json_block(event.detail)

    @admin.display(description=_("trace"))
    def trace(self, event: VideoEvent) -> SafeString | str:
        return code(event.trace_id)
