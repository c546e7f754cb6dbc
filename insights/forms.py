"""What a report is asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Sector, TikTokAccount, User
from accounts.selectors import account_named, names_of
from insights.selectors.sectors import sectors_of
from insights.selectors.subtitles import Filters


class PeriodForm(forms.Form):
    """A range of days, a sector and an account, each of them optional; only what the reader may see."""

    since = forms.DateField(required=False, error_messages={"invalid": _("This is no day.")})
    until = forms.DateField(required=False, error_messages={"invalid": _("This is no day.")})
    sector = forms.ModelChoiceField(
        Sector.objects.none(), required=False, error_messages={"invalid_choice": _("There is no such sector.")}
    )
    account = forms.ModelChoiceField(
        TikTokAccount.objects.none(), required=False, error_messages={"invalid_choice": _("There is no such account.")}
    )
    #: An account by its name, typed where there are too many to choose from.
    who = forms.CharField(max_length=100, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.accounts = TikTokAccount.objects.for_user(user)
        sectors = sectors_of(user)
        for name, rows in (("account", self.accounts), ("sector", sectors)):
            self.fields[name].queryset = rows  # type: ignore[attr-defined]  # these two are fields of rows

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day is before the first."))
        if (name := self.cleaned_data.get("who")) and not self.cleaned_data.get("account"):
            if pk := account_named(self.user, name):
                self.cleaned_data["account"] = TikTokAccount.objects.get(pk=pk)
            else:
                self.add_error("account", _("No account in your charge is called “%(name)s”.") % {"name": name})
        return self.cleaned_data

    @cached_property
    def _names(self) -> tuple[dict[int, str], bool]:
        return names_of(self.user)

    @property
    def account_names(self) -> dict[int, str]:
        """What can be chosen, by key."""
        return self._names[0]

    @property
    def many_accounts(self) -> bool:
        """Too many to choose from: a name is typed."""
        return self._names[1]

    @property
    def who_shown(self) -> str:
        """The chosen account's name, or what was typed."""
        return str(self.cleaned_data.get("account") or self.cleaned_data.get("who") or "")

    def presets(self) -> list[tuple[int, date]]:
        """Days, and the first of them."""
        today = timezone.localdate()
        return [(days, today - timedelta(days=days - 1)) for days in (30, 90)]

    def filters(self, *, randomised: bool) -> Filters:
        """What the report reads; what is wrong is left out, and said beside its field."""
        asked = self.cleaned_data
        accounts = None if self.user.sees_everything else self.accounts
        return Filters(
            start=asked.get("since"), end=asked.get("until"), randomised=randomised, accounts=accounts,
            sector=asked["sector"].pk if asked.get("sector") else None,
            account=asked["account"].pk if asked.get("account") else None,
        )  # fmt: skip


class BlockForm(forms.Form):
    """A hashtag that is never to be suggested: in a sector of the person's, or for an administrator anywhere."""

    hashtag = forms.CharField(max_length=150, error_messages={"required": _("Which hashtag?")})
    sector = forms.ModelChoiceField(
        Sector.objects.none(), required=False, error_messages={"invalid_choice": _("There is no such sector.")}
    )
    reason = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sector"].queryset = sectors_of(user)  # type: ignore[attr-defined]  # a field of rows
        self.fields["sector"].required = not user.is_staff
        self.fields["sector"].error_messages["required"] = _("In which sector?")
