"""The monitor in the admin: keys to make and revoke; what was counted, failed and alerted, to read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.reauthentication import ProofWanted
from monitoring.models import (
    Alert,
    AlertDelivery,
    ApiKey,
    CounterDelta,
    CounterTotal,
    DailyPeak,
    KeyScope,
    PendingAlert,
    Span,
    SummaryDelta,
    SummaryTotal,
    TikTokFailure,
)
from monitoring.services.keys import key_make, key_revoke
from subiteya.lib.admin import ReadOnlyAdmin, chip, code
from subiteya.lib.admin_actions import Asking, Refused, ask_first


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ApiKey
        fields = ["name", "scope"]


@admin.register(ApiKey)
class ApiKeyAdmin(ProofWanted, ReadOnlyAdmin):
    proof_actions = frozenset()  # who revokes a key in a hurry is not held up
    form = ApiKeyForm
    list_display = ["name", "scope", "beginning", "condition", "created_by", "created_at", "last_used_at"]
    list_filter = ["scope"]
    list_select_related = ["created_by"]
    search_fields = ["name", "prefix"]
    fields = ["name", "scope", "beginning", "condition", "created_by", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.fields if obj else ["name", "scope"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.fields if obj else []

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        made, text = key_make(name=obj.name, scope=KeyScope(obj.scope), actor=request.user)  # type: ignore[arg-type]
        for field in ApiKey._meta.concrete_fields:
            setattr(obj, field.attname, getattr(made, field.attname))
        request.made_key = text  # type: ignore[attr-defined]  # for the one page that shows it

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": _("Key made"), "opts": self.opts, "key": obj}
        page = TemplateResponse(
            request,
            "admin/monitoring/apikey/made.html",
            context | {"text": request.made_key},  # type: ignore[attr-defined]
        )
        page["Cache-Control"] = "no-store"
        return page

    @admin.display(description=_("begins with"))
    def beginning(self, key: ApiKey) -> SafeString | str:
        return code(f"{key.prefix}…")

    @admin.display(description=_("status"), ordering="revoked_at")
    def condition(self, key: ApiKey) -> SafeString:
        return chip("ended", "x", _("revoked")) if key.revoked_at else chip("done", "check", _("valid"))

    @admin.action(description=_("Revoke"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> TemplateResponse | None:
        def one(key: ApiKey, _answers: dict[str, Any]) -> None:
            if not key_revoke(key=key):
                raise Refused(_("it was revoked before"))

        asking = Asking(
            title=_("Revoke these keys?"), button=_("Revoke"), danger=True,
            effect=_("The programs that use them are refused from now on. This cannot be undone: make a new key."),
        )  # fmt: skip
        return ask_first(self, request, queryset, asking=asking, act=one, done=_("Revoked"))


@admin.register(TikTokFailure)
class TikTokFailureAdmin(ReadOnlyAdmin):
    list_display = ["at", "endpoint", "reason", "code", "status", "account", "log", "trace"]
    list_filter = ["endpoint", "reason"]
    list_select_related = ["account"]
    date_hierarchy = "at"
    search_fields = ["code", "log_id", "trace_id", "account__username"]

    @admin.display(description=_("log_id"))
    def log(self, failure: TikTokFailure) -> SafeString | str:
        return code(failure.log_id)

    @admin.display(description=_("trace"))
    def trace(self, failure: TikTokFailure) -> SafeString | str:
        return code(failure.trace_id)


@admin.register(CounterTotal, CounterDelta)
class CounterAdmin(ReadOnlyAdmin):
    list_display = ["metric", "labels", "value"]
    list_filter = ["metric"]
    search_fields = ["metric", "labels"]


@admin.register(SummaryTotal, SummaryDelta)
class SummaryAdmin(ReadOnlyAdmin):
    list_display = ["what", "day", "account", "n"]
    search_fields = ["what", "account"]


@admin.register(DailyPeak)
class DailyPeakAdmin(ReadOnlyAdmin):
    list_display = ["day", "active_jobs"]
    search_fields = ["day"]


@admin.register(Span)
class SpanAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "status", "started_at", "ended_at", "video_id", "job_id"]
    list_filter = ["kind", "status"]
    search_fields = ["trace_id", "span_id", "name"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["rule", "severity", "source", "value", "opened_at", "closed_at"]
    list_filter = ["severity", "source", "rule"]
    date_hierarchy = "opened_at"
    search_fields = ["rule", "fingerprint"]


@admin.register(PendingAlert)
class PendingAlertAdmin(ReadOnlyAdmin):
    list_display = ["rule", "fingerprint", "since", "seen_at"]
    search_fields = ["fingerprint"]


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["alert", "channel", "resolved", "attempts", "sent_at", "error"]
    list_filter = ["channel", "resolved"]
    list_select_related = ["alert"]
    search_fields = ["alert__rule", "error"]
