"""The one door: logging in, for the product and for the administration, and logging out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from accounts.access import ENDINGS
from accounts.devices import device_of, device_remember
from accounts.forms import LoginForm
from accounts.models import User
from accounts.services.throttle import TooFast, attempt_begin, attempt_forgive
from accounts.words import too_fast
from audit.catalogue import Action
from audit.services.recording import audit_record
from subiteya.lib.addresses import client_address, neighbourhood
from subiteya.lib.ratelimits import use

#: Each try costs the machine a hash of a password.
TRIES_A_MINUTE = 60


class Login(LoginView):
    """The log-in; whoever is inside already goes on. Tries are slowed down (accounts.services.throttle)."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count the try, look at the password, forget the count when it was right."""
        form = self.get_form()
        username = _name_in(form)
        if not username or not request.POST.get("password"):
            return self.form_invalid(form)
        known = User.objects.filter(username=username).first()
        device, address = device_of(request, known), client_address(request)
        if flood := self._flood(request, address, device):
            return self._later(flood, username)
        try:
            attempt = attempt_begin(username=username, address=address, device=device)
        except TooFast as refusal:
            self._record_waiting(request, address, known)
            return self._later(refusal, username)
        if not form.is_valid():
            return self.form_invalid(form)
        attempt_forgive(attempt)
        response = self.form_valid(form)
        device_remember(request, response, form.get_user())
        return response

    def _flood(self, request: HttpRequest, address: str, device: str) -> TooFast | None:
        """Too many tries are turned away before they cost anything but a count: no row, no record."""
        principal = f"device {device}" if device else neighbourhood(address)
        usage = use(request, group="login", principal=principal, per_minute=TRIES_A_MINUTE)
        return TooFast.after(usage.seconds) if usage.exceeded else None

    def _record_waiting(self, request: HttpRequest, address: str, known: User | None) -> None:
        """Once a minute for each neighbourhood: the record is kept for good, and must not grow as strangers like."""
        if use(request, group="login_waits", principal=neighbourhood(address), per_minute=1).exceeded:
            return
        details = {} if known else {"unknown_name": True}
        audit_record(action=Action.SESSION_LOGIN_THROTTLED, on=known, details=details)

    def _later(self, refusal: TooFast, username: str) -> HttpResponse:
        """The same for every name, whether it is somebody's or not. What was typed is not looked at."""
        form = self.get_form_class()(self.request, initial={"username": username})
        page = self.render_to_response(self.get_context_data(form=form, wait=too_fast(refusal)))
        page.status_code = 429
        page["Retry-After"] = str(refusal.seconds)
        return page

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(ended=ENDINGS.get(self.request.GET.get("why", ""), ""), **kwargs)


def _name_in(form: AuthenticationForm) -> str:
    """The name as the form will look for it: what is counted and what is tried must be the same account's."""
    try:
        return str(form.fields["username"].clean(form.data.get("username", "")))
    except ValidationError:
        return ""


class AdminLogin(Login):
    """The same door at the administration's address. Whoever is inside and may not go there is told so."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_staff:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")


class Logout(LogoutView):
    """By POST only."""

    http_method_names = ["post", "options"]
