"""What the pages of the monitor are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from monitoring.selectors.audit import GROUPS, NOBODY
from publishing.forms import BIGGEST_ID, DayField


class AuditFilterForm(forms.Form):
    """The filters of the audit record. One that makes no sense is left out: an old link still opens the page."""

    group = forms.ChoiceField(choices=[(name, name) for name in GROUPS], required=False)
    person = forms.RegexField(rf"^({NOBODY}|[0-9]{{1,15}})\Z", required=False)
    since = DayField(required=False)
    until = DayField(required=False)
    trace = forms.CharField(max_length=64, required=False)
    q = forms.CharField(max_length=100, required=False)
    before = forms.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False)

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> dict[str, Any]:
        """The filters that are set and valid."""
        form = cls(query)
        form.is_valid()
        return {name: value for name, value in form.cleaned_data.items() if value}

    def clean_trace(self) -> str:
        return str(self.cleaned_data["trace"]).lower()
