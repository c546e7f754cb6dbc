"""What a person chooses about their notices."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notices.models import NoticePreferences, Topic

#: What is offered first; any other zone can be typed.
CONTINENTS = ("America/", "Europe/", "Atlantic/")


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Every account is for administrators, who may see them."""

    class Meta:
        model = NoticePreferences
        fields = [
            *(f"{topic}_{place}" for topic in Topic for place in ("app", "mail")),
            "all_accounts", "quiet", "quiet_from", "quiet_to", "summary", "summary_at", "time_zone",
        ]  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_staff:
            del self.fields["all_accounts"]

    def clean(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_to")
        if cleaned.get("quiet") and begins and begins == ends:
            self.add_error("quiet_to", _("The quiet hours must end at another time than they begin."))
        return cleaned


def zones_offered() -> list[str]:
    """Time zones to choose from."""
    return sorted(zone for zone in available_timezones() if zone.startswith(CONTINENTS))


class ReadForm(forms.Form):
    """One notice, or all; `at`: those that were read at that moment."""

    pk = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    at = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"])
