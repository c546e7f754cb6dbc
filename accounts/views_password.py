"""Changing the password, and choosing a new one with a link that came by mail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordChangeView, PasswordResetConfirmView
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import signed_in
from accounts.devices import device_remember
from accounts.forms import ChangePasswordForm, MailForm, NewPasswordForm
from accounts.models import User
from accounts.reauthentication import proof_wanted
from accounts.services.passwords import reset_ask, reset_holds
from accounts.services.second_factor import sessions_end
from audit.catalogue import Action
from audit.services.recording import audit_record
from subiteya.lib.addresses import client_address, neighbourhood
from subiteya.lib.ratelimits import use

#: Mails that one address may ask for, in a minute.
ASKS_A_MINUTE = 10


@method_decorator([signed_in, proof_wanted], name="dispatch")
class PasswordChange(PasswordChangeView):
    """The old password and a new one; every other session ends."""

    template_name = "accounts/password_change.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("accounts:security")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, gettext("Your password is new. Everywhere else you are logged out."))
        with transaction.atomic():
            audit_record(action=Action.PASSWORD_CHANGED, on=form.user)
            return super().form_valid(form)


@require_http_methods(["GET", "POST"])
@never_cache
def password_forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same for every address, somebody's or nobody's."""
    form = MailForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "mails": settings.HAS_MAIL_SERVER}
    if request.method == "POST" and settings.HAS_MAIL_SERVER:
        principal = neighbourhood(client_address(request))
        if use(request, group="password", principal=principal, per_minute=ASKS_A_MINUTE).exceeded:
            context["error"] = gettext("Too many tries at once. Wait a minute.")
            return render(request, "accounts/password_forgotten.html", context, status=429)
        if form.is_valid():
            reset_ask(address=form.cleaned_data["email"])
            context["sent"] = True
    return render(request, "accounts/password_forgotten.html", context)


@require_GET
@never_cache
def password_link(request: HttpRequest) -> HttpResponse:
    """Arrive with the link: its key moves into the session, out of the address that the browser shows and sends on."""
    uidb64, _dot, token = request.GET.get("key", "").partition(".")
    if reset_holds(uidb64, token):  # strangers make no sessions with links of their own
        request.session[INTERNAL_RESET_SESSION_TOKEN] = token
    return redirect("accounts:password_new", uidb64=uidb64 or "-")


class PasswordNew(PasswordResetConfirmView):
    """Choose the new password. It logs nobody in: the log-in follows, and asks for the second factor."""

    template_name = "accounts/password_new.html"
    form_class = NewPasswordForm
    post_reset_login = False

    def form_valid(self, form: BaseForm) -> HttpResponseBase:  # type: ignore[override]
        """Every session of the person ends. This browser is theirs: it is not slowed down by others' failures."""
        with transaction.atomic():
            user: User = form.save()  # type: ignore[attr-defined]
            sessions_end(user)
            audit_record(action=Action.PASSWORD_CHANGED, on=user, details={"by": "mail"})
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        logout(self.request)
        response = redirect(f"{reverse('accounts:login')}?why=password")
        device_remember(self.request, response, user)
        return response
