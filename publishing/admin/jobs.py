"""Jobs, their events, renders and leaderships."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount
from publishing.admin.words import job_chip
from publishing.causes import sentence
from publishing.models import Job, JobEvent, Leadership, Render, Video
from publishing.selectors.videos import cause_text
from publishing.services.jobs import job_ring
from publishing.states import JOB_ACTIVE
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin, ReadOnlyInline, block, code, json_block
from subiteya.lib.admin_actions import Refused, report_each

#: Videos whose jobs a search shows.
SEARCHED = 500


class JobEventInline(ReadOnlyInline):
    model = JobEvent
    fields = ["at", "change", "cause", "owner", "fence"]
    show_change_link = False
    verbose_name_plural = _("what happened")

    @admin.display(description=_("status"))
    def change(self, event: JobEvent) -> SafeString:
        return job_chip(event.new)

    @admin.display(description=_("cause"))
    def cause(self, event: JobEvent) -> str:
        return sentence(event.code) or NOTHING


class JobInline(ReadOnlyInline):
    """The jobs of a video."""

    model = Job
    fields = ["created_at", "kind", "state", "attempt", "crash_count", "step", "host", "finished_at"]

    @admin.display(description=_("status"))
    def state(self, job: Job) -> SafeString:
        return job_chip(job.status)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "state", "account", "video", "attempt", "crash_count", "share", "host", "created_at"]
    list_filter = ["status", "kind", "created_at"]
    list_select_related = ()
    list_prefetch_related = ["video__account"]
    search_fields = ["trace_id"]  # and more: see get_search_results
    search_help_text = _("Trace, account or number of the video")
    inlines = [JobEventInline]
    actions = ["look_again"]
    fieldsets = [
        (None, {"fields": ["video", "kind", "state", "detail", "trail", "trace"]}),
        (_("Work"), {"fields": ["step", "share", "attempt", "crash_count", "poll_count", "render_key"]}),
        (_("Claim"), {"fields": ["owner", "host", "prefer_host", "fence", "lease_until", "run_at", "belled_at"]}),
        (_("Times"), {"fields": ["created_at", "started_at", "finished_at"]}),
    ]
    readonly_fields = ["state", "share", "detail", "trail", "trace"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """Whole values only, each by an index: there may be millions of jobs."""
        if not search_term:
            return queryset, False
        accounts = TikTokAccount.objects.filter(username__iexact=search_term.lstrip("@")).values_list("pk", flat=True)
        videos = Video.objects.filter(Q(trace_id=search_term) | Q(account__in=list(accounts)))
        if search_term.isdecimal() and len(search_term) < 18:
            videos = Video.objects.filter(pk=int(search_term))
        newest = videos.order_by("-pk").values_list("pk", flat=True)[:SEARCHED]
        return queryset.filter(video__in=list(newest)), False

    @admin.display(description=_("status"), ordering="status")
    def state(self, job: Job) -> SafeString:
        why = cause_text(job.reason_code, job.reason_detail, job.video)
        return format_html('{}<p class="why">{}</p>', job_chip(job.status), why)

    @admin.display(description=_("account"), ordering="video__account__username")
    def account(self, job: Job) -> str:
        return str(job.video.account)

    @admin.display(description=_("progress"), ordering="progress")
    def share(self, job: Job) -> str:
        return f"{job.progress:.0%}"

    @admin.display(description=_("measured"))
    def detail(self, job: Job) -> SafeString | str:
        return json_block(job.reason_detail)

    @admin.display(description=_("traceback"))
    def trail(self, job: Job) -> SafeString | str:
        return block(job.traceback)

    @admin.display(description=_("trace"))
    def trace(self, job: Job) -> SafeString | str:
        return code(job.trace_id)

    @admin.action(description=_("Have a worker look at it again"), permissions=["act"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        report_each(request, queryset, _ring, done=_("A worker was asked to look"))


def _ring(job: Job) -> None:
    if job.status not in JOB_ACTIVE:
        raise Refused(gettext("it is over; retry its video."))
    job_ring(job)


@admin.register(JobEvent)
class JobEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "job", "change", "cause", "owner", "fence"]
    ordering = ["-pk"]
    list_filter = ["new"]
    list_select_related = ()
    list_prefetch_related = ["job"]
    search_fields = ["trace_id", "code", "owner", "=job__pk"]
    fields = ["at", "job", "old", "change", "cause", "code", "owner", "fence", "trace"]
    readonly_fields = ["change", "cause", "trace"]

    @admin.display(description=_("status"), ordering="new")
    def change(self, event: JobEvent) -> SafeString:
        return job_chip(event.new)

    @admin.display(description=_("cause"), ordering="code")
    def cause(self, event: JobEvent) -> str:
        return sentence(event.code) or NOTHING

    @admin.display(description=_("trace"))
    def trace(self, event: JobEvent) -> SafeString | str:
        return code(event.trace_id)


@admin.register(Render)
class RenderAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "asset", "job", "created_at", "lease_until"]
    list_select_related = ["asset", "job"]
    date_hierarchy = "created_at"
    search_fields = ["key"]


@admin.register(Leadership)
class LeadershipAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "until"]
    search_fields = ["name", "owner"]
