"""Jobs, their events, renders and leaderships."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from publishing.causes import sentence
from publishing.models import Job, JobEvent, Leadership, Render
from publishing.services.jobs import job_ring
from publishing.states import JOB_ACTIVE, JobStatus
from subiteya.lib.admin import ReadOnlyAdmin, ReadOnlyInline, chip, report_each

CHIPS = {
    JobStatus.QUEUED: "queued",
    JobStatus.RUNNING: "working",
    JobStatus.WAITING: "waiting",
    JobStatus.PROCESSING: "working",
    JobStatus.SUCCEEDED: "done",
    JobStatus.FAILED: "attention",
    JobStatus.ERRORED: "attention",
    JobStatus.CANCELLED: "ended",
}


class JobEventInline(ReadOnlyInline):
    model = JobEvent
    fields = ["at", "old", "new", "code", "owner", "fence"]
    show_change_link = False
    verbose_name_plural = _("what happened")


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "state", "account", "video", "attempt", "crash_count", "share", "why", "created_at"]
    list_filter = ["kind", "status", "host", "video__account"]
    list_select_related = ["video__account"]
    date_hierarchy = "created_at"
    search_fields = ["trace_id", "video__account__username", "=video__pk", "reason_code"]
    inlines = [JobEventInline]
    actions = ["look_again"]
    exclude = ["traceback"]
    readonly_fields = ["state", "why", "trail"]

    @admin.display(description=_("status"), ordering="status")
    def state(self, job: Job) -> SafeString:
        return chip(CHIPS[JobStatus(job.status)], job.get_status_display())

    @admin.display(description=_("account"))
    def account(self, job: Job) -> str:
        return str(job.video.account)

    @admin.display(description=_("progress"))
    def share(self, job: Job) -> str:
        return f"{job.progress:.0%}"

    @admin.display(description=_("cause"))
    def why(self, job: Job) -> str:
        return sentence(job.reason_code, job.reason_detail) or "–"

    @admin.display(description=_("traceback"))
    def trail(self, job: Job) -> SafeString | str:
        return format_html("<pre>{}</pre>", job.traceback) if job.traceback else "–"

    @admin.action(description=_("Wake a worker for it"), permissions=["view"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        report_each(request, queryset.filter(status__in=sorted(JOB_ACTIVE)), job_ring, refused=())


@admin.register(JobEvent)
class JobEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "job", "old", "new", "code", "owner", "fence"]
    list_filter = ["new"]
    list_select_related = ["job"]
    date_hierarchy = "at"
    search_fields = ["trace_id", "code", "owner", "=job__pk"]


@admin.register(Render)
class RenderAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "asset", "job", "created_at", "lease_until"]
    list_select_related = ["asset", "job"]
    search_fields = ["key"]


@admin.register(Leadership)
class LeadershipAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "until"]
