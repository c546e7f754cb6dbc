"""The log-in form, with what a password manager and a phone's keyboard need."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """Django's own, in the product's look."""

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].widget.attrs |= {"class": "input", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["password"].widget.attrs |= {"class": "input"}


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Django's own, in the product's look, without its list of rules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs |= {"class": "input"}


class ChangePasswordForm(NewPasswordForm, PasswordChangeForm):
    """The same, which asks for the old one first."""


class MailForm(forms.Form):
    """Where a link for a new password goes."""

    email = forms.EmailField(
        label=_("Mail address"), max_length=254,
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "email"}),
    )  # fmt: skip
