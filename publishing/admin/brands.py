"""Brand patterns, and which account uses which."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms.widgets import Input
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from publishing.errors import IngestRefused
from publishing.models import AccountBrand, AssetKind, BrandPattern
from publishing.services.ingest import brand_file_ingest


class ColorInput(Input):
    input_type = "color"


class BrandPatternForm(forms.ModelForm):  # type: ignore[type-arg]
    """The pattern's fields, with the logo and the music as files to upload."""

    logo_file = forms.FileField(label=_("new logo"), required=False, help_text=_("PNG or JPEG, up to 5 MB."))
    music_file = forms.FileField(
        label=_("new music"), required=False, help_text=_("MP3, M4A, WAV or OGG, up to 50 MB.")
    )
    user: Any = None

    class Meta:
        model = BrandPattern
        exclude: list[str] = []
        widgets = {"subtitle_color": ColorInput, "subtitle_outline_color": ColorInput}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name, field, kind in (
            ("logo_file", "logo", AssetKind.LOGO),
            ("music_file", "music", AssetKind.MUSIC),
        ):
            upload = cleaned.get(name)
            if upload:
                try:
                    cleaned[field] = brand_file_ingest(stream=upload, name=upload.name, kind=kind, user=self.user)
                except IngestRefused as refusal:
                    self.add_error(name, str(refusal))
        if cleaned.get("logo_enabled") and not cleaned.get("logo"):
            self.add_error("logo_file", _("Upload a logo, or untick it."))
        return cleaned


class AccountBrandInline(admin.TabularInline):  # type: ignore[type-arg]
    model = AccountBrand
    extra = 0
    autocomplete_fields = ["account"]
    verbose_name_plural = _("accounts that use it")


@admin.register(BrandPattern)
class BrandPatternAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BrandPatternForm
    list_display = ["name", "fit", "logo_enabled", "loudness_lufs", "users", "updated_at"]
    list_filter = ["fit", "logo_enabled"]
    search_fields = ["name"]
    inlines = [AccountBrandInline]
    save_as = True
    fieldsets = [
        (None, {"fields": ["name", "fit"]}),
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


@admin.register(AccountBrand)
class AccountBrandAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["account", "pattern"]
    list_filter = ["pattern"]
    list_select_related = ["account", "pattern"]
    search_fields = ["account__username", "pattern__name"]
    autocomplete_fields = ["account", "pattern"]
