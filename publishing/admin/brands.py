"""Brand patterns, and which account uses which."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import RegexValidator
from django.db.models import Count, QuerySet
from django.forms.widgets import Input
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.admin import TikTokAccountAdmin
from publishing.errors import IngestRefused
from publishing.models import AccountBrand, AssetKind, BrandPattern
from publishing.services.ingest import brand_file_ingest


class ColourPicker(Input):
    """The browser's own."""

    input_type = "color"


class ColourField(forms.CharField):
    """#RRGGBB."""

    default_validators = [RegexValidator(r"^#[0-9A-Fa-f]{6}\Z", _("Write it as #RRGGBB."))]


class BrandPatternForm(forms.ModelForm):  # type: ignore[type-arg]
    """The pattern's fields, with the logo and the music as files to upload."""

    logo_file = forms.FileField(
        label=capfirst(_("new logo")), required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        help_text=_("PNG or JPEG, up to 5 MB; it replaces the one above."),
    )  # fmt: skip
    music_file = forms.FileField(
        label=capfirst(_("new music")), required=False, widget=forms.FileInput(attrs={"accept": "audio/*"}),
        help_text=_("MP3, M4A, AAC, WAV or OGG, up to 50 MB; it replaces the one above."),
    )  # fmt: skip
    user: Any = None

    class Meta:
        model = BrandPattern
        exclude: list[str] = []
        field_classes = {"subtitle_color": ColourField, "subtitle_outline_color": ColourField}
        widgets = {"subtitle_color": ColourPicker, "subtitle_outline_color": ColourPicker}
        help_texts = {
            "fit": _("What happens to a video that is not 9:16."),
            "brightness": _("-0.5 dark, 0 as it is, 0.5 light"),
            "contrast": _("0.5 flat, 1 as it is, 2 strong"),
            "saturation": _("0 grey, 1 as it is, 3 vivid"),
            "logo_width_percent": _("5 to 50, of the picture's width"),
            "logo_opacity": _("0.1 hardly there, 1 solid"),
            "loudness_lufs": _("What the sound is brought to, -30 to -8; TikTok plays about -14. Empty: as it is."),
            "volume_db": _("Of the video's own sound, -30 to 12; 0 as it is"),
            "music_volume_db": _("-40 to 0; it repeats as long as the video lasts"),
            "subtitle_size": _("24 to 140, in pixels of a picture 1080 wide"),
            "subtitle_box": _("It takes the outline's colour."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self._ingest(cleaned, "logo", AssetKind.LOGO)
        self._ingest(cleaned, "music", AssetKind.MUSIC)
        if cleaned.get("logo_enabled") and not (cleaned.get("logo") or "logo_file" in self.errors):
            self.add_error("logo_file", _("Upload a logo, or untick it."))
        return cleaned

    def _ingest(self, cleaned: dict[str, Any], field: str, kind: AssetKind) -> None:
        upload = cleaned.get(f"{field}_file")
        if not upload:
            return
        try:
            cleaned[field] = brand_file_ingest(stream=upload, name=upload.name, kind=kind, user=self.user)
        except IngestRefused as refusal:
            self.add_error(f"{field}_file", str(refusal))


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
