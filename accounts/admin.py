"""The administrators' pages about people, sectors and TikTok accounts. No token is ever shown."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountEvent, OAuthAttempt, OAuthToken, Sector, TikTokAccount, User
from accounts.services.connections import account_disconnect
from accounts.services.tokens import AccountNotConnected, access_token_for
from subiteya.lib.admin import ReadOnlyAdmin, ReadOnlyInline, chip, report_each
from subiteya.tiktok import OAuthError, TikTokError

admin.site.site_header = "SubiteYa"
admin.site.site_title = "SubiteYa"
admin.site.index_title = _("Administration")


class ChargeInline(admin.TabularInline):  # type: ignore[type-arg]
    """The accounts that a person is in charge of."""

    model = TikTokAccount.managers.through
    extra = 0
    verbose_name = _("account in charge")
    verbose_name_plural = _("accounts in charge")
    autocomplete_fields = ["tiktokaccount"]


@admin.register(User)
class UserAdmin(StockUserAdmin):  # type: ignore[type-arg]
    list_display = ["username", "email", "language", "is_staff", "is_active", "charge", "last_login"]
    list_filter = ["is_staff", "is_active", "language"]
    inlines = [ChargeInline]
    fieldsets = [*(StockUserAdmin.fieldsets or ()), (_("Preferences"), {"fields": ["language"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(charge_count=Count("accounts"))

    @admin.display(description=_("accounts in charge"), ordering="charge_count")
    def charge(self, user: Any) -> int:
        return int(user.charge_count)


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


class AccountEventInline(ReadOnlyInline):
    model = AccountEvent
    fields = ["at", "kind", "reason", "actor", "log_id", "trace_id"]
    ordering = ["-at"]
    verbose_name_plural = _("history of the connection")


@admin.register(TikTokAccount)
class TikTokAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "display_name", "sector", "state", "access_left", "refresh_left", "time_zone"]
    list_filter = ["status", "sector", "managers"]
    list_select_related = ["sector", "token"]
    search_fields = ["username", "display_name", "open_id"]
    autocomplete_fields = ["sector", "managers"]
    readonly_fields = [
        "open_id", "username", "display_name", "avatar_url", "state", "status_reason", "connected_at",
        "disconnected_at", "access_left", "refresh_left", "scopes",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["username", "display_name", "open_id", "state", "status_reason"]}),
        (_("Care"), {"fields": ["sector", "time_zone", "managers"]}),
        (_("Connection"), {"fields": ["connected_at", "disconnected_at", "access_left", "refresh_left", "scopes"]}),
    ]
    inlines = [AccountEventInline]
    actions = ["refresh_now", "disconnect"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # accounts come from TikTok's authorise page, or from account_import

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("status"), ordering="status")
    def state(self, account: TikTokAccount) -> SafeString:
        return chip("done" if account.is_connected else "attention", account.get_status_display())

    @admin.display(description=_("access token"))
    def access_left(self, account: TikTokAccount) -> str:
        return _left(account, "expires_at")

    @admin.display(description=_("refresh token"))
    def refresh_left(self, account: TikTokAccount) -> str:
        return _left(account, "refresh_expires_at")

    @admin.display(description=_("permissions"))
    def scopes(self, account: TikTokAccount) -> str:
        return ", ".join(sorted(account.token.scopes)) if hasattr(account, "token") else "–"

    @admin.action(description=_("Refresh the access token now"), permissions=["change"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[TikTokAccount]) -> None:
        report_each(
            request,
            queryset,
            lambda account: access_token_for(account=account, force_refresh=True),
            refused=(AccountNotConnected, OAuthError, TikTokError),
        )

    @admin.action(description=_("Disconnect from TikTok"), permissions=["change"])
    def disconnect(self, request: HttpRequest, queryset: QuerySet[TikTokAccount]) -> None:
        report_each(
            request,
            queryset.filter(status="connected"),
            lambda account: account_disconnect(
                account=account, reason="by_administrator", actor=cast(User, request.user)
            ),
            refused=(),
        )


def _left(account: TikTokAccount, field: str) -> str:
    """How long a token still lives, in words."""
    token = getattr(account, "token", None)
    if token is None:
        return "–"
    until = getattr(token, field)
    return str(_("expired")) if until <= timezone.now() else timeuntil(until)


@admin.register(OAuthToken)
class OAuthTokenAdmin(ReadOnlyAdmin):
    list_display = ["account", "expires_at", "refresh_expires_at", "refreshed_at"]
    list_select_related = ["account"]
    search_fields = ["account__username"]
    fields = ["account", "scope", "expires_at", "refresh_expires_at", "refreshed_at", "refresh_claimed_until"]


@admin.register(OAuthAttempt)
class OAuthAttemptAdmin(ReadOnlyAdmin):
    list_display = ["user", "account", "created_at", "used_at"]
    list_select_related = ["user", "account"]
    list_filter = ["user"]
    fields = ["user", "account", "created_at", "used_at"]


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "account", "kind", "reason", "actor", "trace"]
    list_filter = ["kind"]
    list_select_related = ["account", "actor"]
    date_hierarchy = "at"
    search_fields = ["account__username", "trace_id", "log_id"]

    @admin.display(description=_("trace"))
    def trace(self, event: AccountEvent) -> SafeString:
        return format_html("<code>{}</code>", event.trace_id[:12])
