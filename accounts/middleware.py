"""Each person's language and second factor, and a trace id for each request."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from accounts.access import leave_for, refuse
from accounts.models import User
from accounts.services.second_factor import has_second_factor
from subiteya.lib.tracing import SpanKind, current_trace_id, failed, span

GetResponse = Callable[[HttpRequest], HttpResponse]


class UserLocaleMiddleware(LocaleMiddleware):
    """The language cookie, else the product's default: a browser's header alone never changes the language."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get("django_language", "")
        language = chosen if translation.check_for_language(chosen) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


class UserPreferencesMiddleware:
    """A logged-in person's own language wins."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class TraceMiddleware:
    """A span per request, whose trace is answered in `X-Trace-Id`, so that a person can quote it.

    Whatever trace a caller names is ignored: strangers do not write into ours. A page that was just looked at
    leaves no span; what changes something, fails, is slow or calls TikTok does.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        method = request.method or ""
        looks_only = method in {"GET", "HEAD", "OPTIONS"}
        attributes = {"http.request.method": method}
        with span(method, kind=SpanKind.SERVER, parent="", attributes=attributes, minor=looks_only) as at:
            response = self.get_response(request)
            response["X-Trace-Id"] = current_trace_id()
            if request.resolver_match:
                at.update_name(f"{method} /{request.resolver_match.route}")
                at.set_attribute("http.route", f"/{request.resolver_match.route}")
            at.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                failed(at, str(response.status_code))
            return response


#: In a session whose password was right, while the code is due.
CODE_DUE = "second_factor_due"
#: What such a session may still open.
HALF_OPEN = {
    "accounts:verify", "accounts:passkey_ask", "accounts:passkey_verify", "accounts:logout", "accounts:set_language",
    "publishing:health",
}  # fmt: skip
#: And what an administrator without a second factor may, where one is required.
ENROLLING = HALF_OPEN | {"accounts:prove", "accounts:security", "accounts:enrol", "accounts:enrol_qr"}


@receiver(user_logged_in)
def code_is_due(sender: object, request: HttpRequest, user: User, **_kwargs: object) -> None:
    """Whichever page took the password: a person with a second factor is asked for it next."""
    if has_second_factor(user):
        request.session[CODE_DUE] = True


class SecondFactorMiddleware:
    """No page opens to a session that still owes its second factor."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        """Send away whoever is half inside; the JSON API refuses by itself, in its own words."""
        user, name = request.user, request.resolver_match.view_name if request.resolver_match else ""
        if not user.is_authenticated or user.is_verified() or request.path.startswith("/api/"):  # type: ignore[attr-defined]
            return None
        if request.session.get(CODE_DUE):
            return None if name in HALF_OPEN else leave_for(request, reverse("accounts:verify"))
        if settings.REQUIRE_MFA and user.is_staff and name not in ENROLLING:
            return leave_for(request, reverse("accounts:security"))
        return None


LOOKING = {"GET", "HEAD", "OPTIONS"}
#: Routes of one's own log-in, second factor and sessions, which everybody manages for themselves.
OWN_ROUTES = ("login/", "logout/", "language/", "security/")
#: Pages that there are only to change something: an auditor has nothing to look at there.
CHANGING = {
    "accounts:account_callback", "publishing:batch_new", "publishing:creator_info", "publishing:brand_new",
    "publishing:brand_detail", "publishing:video_subtitles", "insights:suggestions", "notices:preferences",
}  # fmt: skip


class ReadOnlyMiddleware:
    """An auditor looks at everything and changes nothing, whichever view is asked."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        """403 for what would change something; the JSON API refuses by itself, in its own words."""
        if not request.user.is_authenticated or request.user.may_act or request.path.startswith("/api/"):
            return None
        match = request.resolver_match
        route, name = (match.route, match.view_name) if match else ("", "")
        if route.startswith(OWN_ROUTES) or (request.method in LOOKING and name not in CHANGING):
            return None
        return refuse(request, gettext("As an auditor you see everything and change nothing: this was not done."))
