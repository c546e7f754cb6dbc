"""A brand pattern's fields: the rules that the editor, its preview and the administration share."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.core.files import File
from django.core.validators import RegexValidator
from django.db.models import Q
from django.forms.widgets import Input
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount, User
from accounts.selectors import accounts_for
from publishing.errors import IngestRefused
from publishing.models import Asset, AssetKind, BrandPattern
from publishing.selectors.patterns import pattern_of
from publishing.services.ingest import LOGO_MAX, brand_file_ingest

#: The editor's groups of fields.
PARTS = (
    (_("Picture"), ("fit", "brightness", "contrast", "saturation", "temperature")),
    (_("Logo"), ("logo_enabled", "logo", "logo_file", "logo_position", "logo_width_percent", "logo_opacity")),
    (
        _("Subtitles"),
        ("subtitle_size", "subtitle_position", "subtitle_color", "subtitle_outline_color", "subtitle_bold",
         "subtitle_box", "subtitle_uppercase"),
    ),
    (_("Sound"), ("loudness_lufs", "volume_db", "music", "music_file", "music_volume_db")),
)  # fmt: skip


def slider(low: float, high: float, *, step: str = "0.01") -> forms.NumberInput:
    return forms.NumberInput(attrs={"type": "range", "min": low, "max": high, "step": step})


class ColourPicker(Input):
    """The browser's own."""

    input_type = "color"


class ColourField(forms.CharField):
    """#RRGGBB."""

    default_validators = [RegexValidator(r"^#[0-9A-Fa-f]{6}\Z", _("Write it as #RRGGBB."))]


class AccountsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Accounts to tick, each with the pattern that it has now."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def label_from_instance(self, account: Any) -> str:
        pattern = pattern_of(account)
        if pattern is None:
            return str(account)
        return gettext("%(account)s (now: %(pattern)s)") % {"account": account, "pattern": pattern}


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
        exclude: ClassVar[list[str]] = ["created_by"]
        field_classes = {"subtitle_color": ColourField, "subtitle_outline_color": ColourField}
        widgets: ClassVar[dict[str, Any]] = {"subtitle_color": ColourPicker, "subtitle_outline_color": ColourPicker}
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
        if cleaned.get("logo_enabled") and not (
            cleaned.get("logo") or cleaned.get("logo_file") or "logo_file" in self.errors
        ):
            self.add_error("logo_file", _("Upload a logo, or untick it."))
        return cleaned

    def _ingest(self, cleaned: dict[str, Any], field: str, kind: AssetKind) -> None:
        upload = cleaned.get(f"{field}_file")
        if not upload:
            return
        try:
            cleaned[field] = self.take(upload, kind)
        except IngestRefused as refusal:
            self.add_error(f"{field}_file", str(refusal))

    def take(self, upload: File[bytes], kind: AssetKind) -> Asset | None:
        """Store the file, whatever the other fields say: it need not be chosen again. Raises IngestRefused."""
        return brand_file_ingest(stream=upload, name=upload.name or "", kind=kind, user=self.user)


class BrandEditForm(BrandPatternForm):
    """The pattern as a community manager edits it: their own files and the accounts in their charge."""

    accounts = AccountsField(label=capfirst(_("accounts that use it")), queryset=TikTokAccount.objects.none())

    class Meta(BrandPatternForm.Meta):
        widgets: ClassVar[dict[str, Any]] = BrandPatternForm.Meta.widgets | {
            "brightness": slider(-0.5, 0.5),
            "contrast": slider(0.5, 2),
            "saturation": slider(0, 3),
            "temperature": slider(-1, 1),
            "logo_width_percent": slider(5, 50, step="1"),
            "logo_opacity": slider(0.1, 1),
            "subtitle_size": slider(24, 140, step="1"),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        for name, kind in (("logo", AssetKind.LOGO), ("music", AssetKind.MUSIC)):
            self._own(name, kind)
        field = cast(AccountsField, self.fields["accounts"])
        field.queryset = accounts_for(user).select_related("brand__pattern")
        self.initial["accounts"] = [
            account.pk for account in field.queryset if self.instance.pk and pattern_of(account) == self.instance
        ]

    def _own(self, name: str, kind: AssetKind) -> None:
        """To choose from: the file that the pattern has, and those that the person brought."""
        now = getattr(self.instance, f"{name}_id")
        field = cast("forms.ModelChoiceField[Asset]", self.fields[name])
        field.queryset = Asset.objects.filter(Q(pk=now) | Q(uploaders=self.user), kind=kind).distinct()
        field.empty_label = gettext("None")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("logo", "music"):
            if cleaned.get(f"{name}_file") and cleaned.get(name):
                # It is stored: should another field be wrong, it is chosen from the list, not uploaded again.
                data = cast(QueryDict, self.data).copy()
                data[name] = str(cleaned[name].pk)
                self.data = data
        return cleaned

    @property
    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in groups, under their titles."""
        return [(str(title), [self[name] for name in names]) for title, names in PARTS]


class BrandPreviewForm(BrandEditForm):
    """The same fields, to be looked at: nothing is stored, and the name may be anybody's."""

    share = forms.FloatField(min_value=0, max_value=1, required=False)
    sample = forms.CharField(max_length=80, required=False)
    before = forms.BooleanField(required=False)
    logo_bytes = b""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "accounts", "music_file"):
            del self.fields[name]

    def take(self, upload: File[bytes], kind: AssetKind) -> Asset | None:
        """Keep it for `logo_bytes`. Raises IngestRefused."""
        if (upload.size or 0) > LOGO_MAX:
            raise IngestRefused("too_large", {"size": upload.size, "max_bytes": LOGO_MAX})
        self.logo_bytes = upload.read()
        return None
