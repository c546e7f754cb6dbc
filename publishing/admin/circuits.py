"""Accounts' circuit breakers, their events, and outages of TikTok."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.reauthentication import ProofWanted
from publishing.admin.words import circuit_chip
from publishing.causes import sentence
from publishing.errors import NotPossible, StateConflict
from publishing.models import AccountCircuit, CircuitEvent, TikTokOutage
from publishing.services import circuits as service
from publishing.states import VideoStatus
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin, code, time_left
from subiteya.lib.admin_actions import Asking, Refused, ask_first


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Why?"), max_length=200, widget=forms.TextInput(attrs={"class": "vTextField"}))


@admin.register(AccountCircuit)
class AccountCircuitAdmin(ProofWanted, ReadOnlyAdmin):
    proof_actions = frozenset({"isolate"})
    list_display = ["account", "condition", "why", "level", "pause_left", "held", "last_failure_at"]
    list_filter = ["state", "account__sector"]
    list_select_related = ["account"]
    search_fields = ["account__username", "isolated_reason", "last_failure_code"]
    actions = ["probe_now", "release", "reset", "isolate"]
    fieldsets = [
        (None, {"fields": ["account", "condition", "why", "isolated_by", "isolated_reason", "held"]}),
        (_("Pause"), {"fields": ["opened_at", "open_until", "closed_at", "level"]}),
        (_("Try"), {"fields": ["probe_token", "probe_owner", "probe_until"]}),
        (_("Failures"), {"fields": ["last_failure_at", "last_failure_code"]}),
    ]
    readonly_fields = ["condition", "why", "held"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountCircuit]:
        held = Count("account__videos", filter=Q(account__videos__status=VideoStatus.HELD))
        circuits: QuerySet[AccountCircuit] = super().get_queryset(request).annotate(held=held)
        return circuits

    @admin.display(description=_("status"), ordering="state")
    def condition(self, circuit: AccountCircuit) -> SafeString:
        return circuit_chip(circuit.state)

    @admin.display(description=_("cause"))
    def why(self, circuit: AccountCircuit) -> str:
        shown = circuit.isolated_reason or sentence(
            circuit.isolated_code or circuit.last_failure_code, {"account": str(circuit.account)}
        )
        return shown or NOTHING

    @admin.display(description=_("pause, left"), ordering="open_until")
    def pause_left(self, circuit: AccountCircuit) -> str:
        return time_left(circuit.open_until)

    @admin.display(description=_("videos that wait"), ordering="held")
    def held(self, circuit: Any) -> int:
        return int(circuit.held)

    @admin.action(description=_("Try the first video now"), permissions=["act"])
    def probe_now(self, request: HttpRequest, queryset: QuerySet[AccountCircuit]) -> TemplateResponse | None:
        return self._ask(
            request, queryset, service.circuit_probe_now, title=_("Try now?"), button=_("Try now"),
            effect=_("The first video that waits is sent at once. If it goes through, the others follow."),
            done=_("Try asked for"),
        )  # fmt: skip

    @admin.action(description=_("Release"), permissions=["act"])
    def release(self, request: HttpRequest, queryset: QuerySet[AccountCircuit]) -> TemplateResponse | None:
        return self._ask(
            request, queryset, service.circuit_release, title=_("Release?"), button=_("Release"),
            effect=_("The first video that waits is tried. If it goes through, the others follow."),
            done=_("Released"),
        )  # fmt: skip

    @admin.action(description=_("Publish normally again"), permissions=["act"])
    def reset(self, request: HttpRequest, queryset: QuerySet[AccountCircuit]) -> TemplateResponse | None:
        return self._ask(
            request, queryset, service.circuit_reset, title=_("Publish normally again?"),
            button=_("Publish normally again"),
            effect=_("All that waits goes out now, and the failures so far are forgotten."), done=_("Publishing again"),
        )  # fmt: skip

    @admin.action(description=_("Set these accounts apart"), permissions=["act"])
    def isolate(self, request: HttpRequest, queryset: QuerySet[AccountCircuit]) -> TemplateResponse | None:
        return self._ask(
            request, queryset, service.circuit_isolate, title=_("Set these accounts apart?"),
            button=_("Set them apart"), danger=True,
            effect=_("Nothing more goes out on these accounts until somebody releases them."), done=_("Set apart"),
        )  # fmt: skip

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[AccountCircuit], act: Callable[..., None], *,
        title: str | Promise, effect: str | Promise, button: str | Promise, done: str | Promise, danger: bool = False,
    ) -> TemplateResponse | None:  # fmt: skip
        def one(circuit: AccountCircuit, answers: dict[str, Any]) -> None:
            try:
                act(account=circuit.account, reason=answers["reason"], actor=request.user)
            except StateConflict:
                raise Refused(sentence("state_changed")) from None

        asking = Asking(
            title=title, effect=effect, button=button, danger=danger, form=ReasonForm,
            describe=lambda circuit: format_html("{} {}", circuit.account, circuit_chip(circuit.state)),
        )  # fmt: skip
        return ask_first(self, request, queryset, asking=asking, act=one, done=done, refused=(NotPossible,))


@admin.register(CircuitEvent)
class CircuitEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "account", "kind", "change", "cause", "counted", "video", "actor"]
    list_filter = ["kind", "failure_class", "counted", ("account", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["account", "video", "actor"]
    date_hierarchy = "at"
    search_fields = ["account__username", "code", "trace_id"]
    fields = [
        "at", "account", "kind", "old", "change", "cause", "code", "failure_class", "counted", "video", "job",
        "attempt", "token", "open_until", "actor", "reason", "trace",
    ]  # fmt: skip
    readonly_fields = ["change", "cause", "trace"]

    @admin.display(description=_("status"), ordering="new")
    def change(self, event: CircuitEvent) -> SafeString:
        return circuit_chip(event.new)

    @admin.display(description=_("cause"), ordering="code")
    def cause(self, event: CircuitEvent) -> str:
        return sentence(event.code, {"account": str(event.account), "reason": event.reason}) or NOTHING

    @admin.display(description=_("trace"))
    def trace(self, event: CircuitEvent) -> SafeString | str:
        return code(event.trace_id)


@admin.register(TikTokOutage)
class TikTokOutageAdmin(ReadOnlyAdmin):
    list_display = ["opened_at", "closed_at", "accounts"]
    search_fields = ["opened_at"]
    date_hierarchy = "opened_at"
