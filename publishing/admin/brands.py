"""Brand patterns, and which account uses which."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin import TikTokAccountAdmin
from publishing.forms_brands import BrandPatternForm
from publishing.models import AccountBrand, BrandPattern


class AccountBrandInline(admin.TabularInline):  # type: ignore[type-arg]
    """The accounts that use a pattern."""

    model = AccountBrand
    extra = 0
    autocomplete_fields = ["account"]
    verbose_name_plural = _("accounts that use it")


class BrandOfAccountInline(admin.TabularInline):  # type: ignore[type-arg]
    """The pattern that an account uses."""

    model = AccountBrand
    extra = 0
    autocomplete_fields = ["pattern"]
    verbose_name = verbose_name_plural = _("brand pattern")


# Accounts know nothing of brands, so their page gets this part from here.
TikTokAccountAdmin.inlines = [BrandOfAccountInline, *TikTokAccountAdmin.inlines]


@admin.register(BrandPattern)
class BrandPatternAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BrandPatternForm
    list_display = ["name", "fit", "colours", "logo_enabled", "loudness_lufs", "users", "updated_at"]
    list_filter = ["fit", "logo_enabled"]
    search_fields = ["name"]
    inlines = [AccountBrandInline]
    save_as = True
    save_on_top = True
    readonly_fields = ["look"]
    fieldsets = [
        (None, {"fields": ["name", "fit", "look"]}),
        (_("Colour"), {"fields": [("brightness", "contrast"), ("saturation", "temperature")]}),
        (
            _("Logo"),
            {"fields": ["logo_enabled", "logo", "logo_file", "logo_position", ("logo_width_percent", "logo_opacity")]},
        ),
        (_("Sound"), {"fields": [("loudness_lufs", "volume_db"), "music", "music_file", "music_volume_db"]}),
        (
            _("Subtitles"),
            {
                "fields": [
                    ("subtitle_size", "subtitle_position"), ("subtitle_color", "subtitle_outline_color"),
                    ("subtitle_bold", "subtitle_box", "subtitle_uppercase"),
                ]
            },
        ),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrandPattern]:
        rows: QuerySet[BrandPattern] = super().get_queryset(request)
        return rows.annotate(user_count=Count("accounts"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.user = request.user
        return form

    @admin.display(description=_("accounts"), ordering="user_count")
    def users(self, pattern: Any) -> int:
        return int(pattern.user_count)

    @admin.display(description=_("subtitles"))
    def colours(self, pattern: BrandPattern) -> SafeString:
        """The two colours; drawn by attributes, for a strict page allows no inline style."""
        return format_html(
            '<svg class="swatch" viewBox="0 0 40 20" aria-hidden="true"><rect width="20" height="20" fill="{}"/>'
            '<rect x="20" width="20" height="20" fill="{}"/></svg> {} {}',
            pattern.subtitle_color, pattern.subtitle_outline_color,
            pattern.subtitle_color, pattern.subtitle_outline_color,
        )  # fmt: skip

    @admin.display(description=_("roughly, as saved"))
    def look(self, pattern: BrandPattern) -> SafeString:
        return render_to_string("admin/publishing/brandpattern/look.html", _look(pattern))


def _look(pattern: BrandPattern) -> dict[str, Any]:
    """The drawing's numbers, as text: SVG knows no decimal comma."""
    numbers = {
        "saturation": pattern.saturation,
        "contrast": pattern.contrast,
        # Contrast turns around the middle grey, brightness is added.
        "offset": 0.5 - pattern.contrast / 2 + pattern.brightness,
        "red": 1 + 0.15 * pattern.temperature,
        "blue": 1 - 0.25 * pattern.temperature,
        "size": pattern.subtitle_size / 4,
        "stroke": pattern.subtitle_size / 24,
        "box": pattern.subtitle_size / 4 * 1.5,
        "box_y": 154 - pattern.subtitle_size / 4 * 0.75,
    }
    return {name: f"{value:.3f}" for name, value in numbers.items()} | {"pattern": pattern}


@admin.register(AccountBrand)
class AccountBrandAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["account", "pattern"]
    list_filter = ["pattern"]
    list_select_related = ["account", "pattern"]
    search_fields = ["account__username", "pattern__name"]
    autocomplete_fields = ["account", "pattern"]
