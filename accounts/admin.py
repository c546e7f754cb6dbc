"""The administrators' pages about sectors and TikTok accounts. No token is ever shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import admin_people  # noqa: F401  # Django looks for pages here
from accounts.models import AccountEvent, AccountEventKind, OAuthAttempt, OAuthToken, Sector, TikTokAccount
from accounts.reauthentication import ProofWanted
from accounts.services.connections import account_disconnect
from accounts.services.tokens import AccountNotConnected, access_token_for
from audit.catalogue import Action
from audit.people import AuditedAdmin
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin, ReadOnlyInline, chip, code, time_left
from subiteya.lib.admin_actions import Asking, Refused, ask_first, report_each
from subiteya.tiktok import OAuthError, TikTokError

#: Why an account has no connection; the first three are written by the services and by the screens.
REASONS = {
    "refresh_refused": _("TikTok no longer accepts our access"),
    "auth_removed": _("our access was removed in TikTok"),
    "by_person": _("disconnected by its community manager"),
    "by_administrator": _("an administrator's decision"),
    "client_left": _("the client left the agency"),
    "suspicious": _("something suspicious happened"),
}


@admin.register(Sector)
class SectorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "slug", "size"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sector]:
        rows: QuerySet[Sector] = super().get_queryset(request)
        return rows.annotate(account_count=Count("accounts"))

    @admin.display(description=_("accounts"), ordering="account_count")
    def size(self, sector: Any) -> int:
        return int(sector.account_count)


def account_chip(account: TikTokAccount) -> SafeString:
    family, icon = ("done", "plug") if account.is_connected else ("attention", "unplug")
    return chip(family, icon, account.get_status_display())


def reason_text(reason: str) -> str:
    """The reason in words; TikTok's own codes stay as they are."""
    return str(REASONS.get(reason, reason)) or NOTHING


def event_chip(event: AccountEvent) -> SafeString:
    lost = event.kind in {AccountEventKind.REFRESH_FAILED, AccountEventKind.DISCONNECTED}
    return chip(*(("attention", "unplug") if lost else ("done", "plug")), event.get_kind_display())


class AccountEventInline(ReadOnlyInline):
    model = AccountEvent
    fields = ["at", "what", "why", "actor", "log_id", "trace_id"]
    ordering = ["-at"]
    verbose_name_plural = _("history of the connection")
    select_related = ["actor"]

    @admin.display(description=_("what happened"))
    def what(self, event: AccountEvent) -> SafeString:
        return event_chip(event)

    @admin.display(description=_("reason"))
    def why(self, event: AccountEvent) -> str:
        return reason_text(event.reason)


class DisconnectForm(forms.Form):
    """Why the account is disconnected; its history keeps it."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(name, REASONS[name]) for name in ("by_administrator", "client_left", "suspicious")],
    )


@admin.register(TikTokAccount)
class TikTokAccountAdmin(ProofWanted, AuditedAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    audit_changed, audit_fields = Action.ACCOUNT_CHANGED, {"managers": Action.CHARGE_CHANGED}
    proof_actions = frozenset({"disconnect"})
    list_display = [
        "__str__", "display_name", "state", "why", "sector", "in_charge", "access_left", "refresh_left",
    ]  # fmt: skip
    list_filter = ["status", "needs_approval", "sector", "managers"]
    list_select_related = ["sector", "token"]
    search_fields = ["username", "display_name", "open_id"]
    autocomplete_fields = ["sector", "managers"]
    readonly_fields = [
        "open_id", "username", "display_name", "state", "why", "connected_at", "disconnected_at", "access_left",
        "refresh_left", "last_refresh", "scopes",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["username", "display_name", "open_id", "state", "why"]}),
        (_("In the agency"), {"fields": ["sector", "time_zone", "managers", "needs_approval"]}),
        (
            _("Connection"),
            {
                "fields": [
                    "connected_at", "disconnected_at", "access_left", "refresh_left", "last_refresh", "scopes",
                ]
            },
        ),
    ]  # fmt: skip
    inlines = [AccountEventInline]
    actions = ["refresh_now", "disconnect"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # accounts come from TikTok's authorise page, or from account_import

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TikTokAccount]:
        return super().get_queryset(request).prefetch_related("managers")

    @admin.display(description=_("status"), ordering="status")
    def state(self, account: TikTokAccount) -> SafeString:
        return account_chip(account)

    @admin.display(description=_("reason"), ordering="status_reason")
    def why(self, account: TikTokAccount) -> str:
        return reason_text(account.status_reason)

    @admin.display(description=_("in charge"))
    def in_charge(self, account: TikTokAccount) -> str:
        return ", ".join(user.username for user in account.managers.all()) or NOTHING

    @admin.display(description=_("access token, left"), ordering="token__expires_at")
    def access_left(self, account: TikTokAccount) -> str:
        return time_left(account.token.expires_at) if hasattr(account, "token") else NOTHING

    @admin.display(description=_("refresh token, left"), ordering="token__refresh_expires_at")
    def refresh_left(self, account: TikTokAccount) -> str:
        return time_left(account.token.refresh_expires_at) if hasattr(account, "token") else NOTHING

    @admin.display(description=_("last refresh"))
    def last_refresh(self, account: TikTokAccount) -> str:
        at = account.token.refreshed_at if hasattr(account, "token") else None
        return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else NOTHING

    @admin.display(description=_("permissions"))
    def scopes(self, account: TikTokAccount) -> str:
        return ", ".join(sorted(account.token.scopes)) if hasattr(account, "token") else NOTHING

    @admin.action(description=_("Refresh the access token now"), permissions=["change"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[TikTokAccount]) -> None:
        report_each(request, queryset, _refresh, done=_("Refreshed"))

    @admin.action(description=_("Disconnect from TikTok"), permissions=["change"])
    def disconnect(self, request: HttpRequest, queryset: QuerySet[TikTokAccount]) -> TemplateResponse | None:
        def act(account: TikTokAccount, answers: dict[str, Any]) -> None:
            if not account.is_connected:
                raise Refused(gettext("it is disconnected already."))
            account_disconnect(account=account, reason=answers["reason"], actor=request.user)  # type: ignore[arg-type]

        asking = Asking(
            title=_("Disconnect from TikTok?"),
            effect=_(
                "SubiteYa gives its access back to TikTok and forgets the tokens. What waits for these accounts stays "
                "where it is until somebody reconnects them through TikTok."
            ),
            button=_("Disconnect"),
            danger=True,
            form=DisconnectForm,
            describe=lambda account: format_html("{} {}", account, account_chip(account)),
        )
        return ask_first(self, request, queryset, asking=asking, act=act, done=_("Disconnected"))


def _refresh(account: TikTokAccount) -> None:
    try:
        access_token_for(account=account, force_refresh=True)
    except AccountNotConnected:
        raise Refused(gettext("it is not connected: reconnect it through TikTok.")) from None
    except (OAuthError, TikTokError) as error:
        raise Refused(gettext("TikTok answered %(code)s.") % {"code": error.code}) from error


@admin.register(OAuthToken)
class OAuthTokenAdmin(ReadOnlyAdmin):
    list_display = ["account", "access_left", "refresh_left", "refreshed_at", "scope"]
    list_filter = ["account__sector"]
    list_select_related = ["account"]
    search_fields = ["account__username"]
    fields = [
        "account", "scope", "access_left", "expires_at", "refresh_left", "refresh_expires_at", "refreshed_at",
        "refresh_claimed_until",
    ]  # fmt: skip

    @admin.display(description=_("access token, left"), ordering="expires_at")
    def access_left(self, token: OAuthToken) -> str:
        return time_left(token.expires_at)

    @admin.display(description=_("refresh token, left"), ordering="refresh_expires_at")
    def refresh_left(self, token: OAuthToken) -> str:
        return time_left(token.refresh_expires_at)


@admin.register(OAuthAttempt)
class OAuthAttemptAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "user", "account", "used_at"]
    list_select_related = ["user", "account"]
    list_filter = [("user", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "created_at"
    search_fields = ["user__username", "account__username"]
    fields = ["user", "account", "created_at", "used_at"]


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "account", "what", "why", "actor", "trace"]
    list_filter = ["kind", ("account", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["account", "actor"]
    date_hierarchy = "at"
    search_fields = ["account__username", "trace_id", "log_id"]
    fields = ["at", "account", "what", "why", "actor", "log_id", "trace"]
    readonly_fields = ["what", "why", "trace"]

    @admin.display(description=_("what happened"), ordering="kind")
    def what(self, event: AccountEvent) -> SafeString:
        return event_chip(event)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, event: AccountEvent) -> str:
        return reason_text(event.reason)

    @admin.display(description=_("trace"))
    def trace(self, event: AccountEvent) -> SafeString | str:
        return code(event.trace_id)
