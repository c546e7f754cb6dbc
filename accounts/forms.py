"""The log-in form, with what a password manager and a phone's keyboard need."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest


class LoginForm(AuthenticationForm):
    """Django's own, in the product's look."""

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].widget.attrs |= {"class": "input", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["password"].widget.attrs |= {"class": "input"}
