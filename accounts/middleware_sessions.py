"""Sessions end: by being left alone, by age, or because somebody ended them; at the next request."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.access import is_polled
from accounts.models import User
from accounts.models_sessions import PersonSession
from accounts.services import sessions
from subiteya.lib.addresses import client_address

GetResponse = Callable[[HttpRequest], HttpResponse]
#: In the session: its row.
ROW = "person_session"


@receiver(user_logged_in)
def session_begins(sender: object, request: HttpRequest, user: User, **_kwargs: object) -> None:
    """Whichever page took the password, and also for a program that logs in somebody."""
    row = sessions.session_begin(
        user=user, address=client_address(request), user_agent=request.META.get("HTTP_USER_AGENT", "")
    )
    request.session[ROW] = row.pk


@receiver(user_logged_out)
def session_ends(sender: object, request: HttpRequest, user: User | None, **_kwargs: object) -> None:
    """Its cookie, should somebody have kept it, names a session that is gone, as its row is."""
    if user is not None and ROW in request.session:
        sessions.session_forget(user=user, pk=request.session[ROW])


class SessionLimitsMiddleware:
    """Let go on only what has a row, was used lately and is not too old."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        read = _with_its_person(request)
        request.session_read = read  # type: ignore[attr-defined]
        response = self.get_response(request)
        if row := getattr(request, "session_row", None):  # a file may have been on its way for an hour
            sessions.session_seen(row, row.user, client_address(request), timezone.now())
        return response

    def process_view(self, request: HttpRequest, view: object, *_arguments: object) -> HttpResponseBase | None:
        """An ended session goes on as a stranger: pages that want somebody ask for the log-in, and say why."""
        user = request.user
        if not user.is_authenticated:
            return None
        now = timezone.now()
        row: PersonSession | None = getattr(request, "session_read", None)
        if why := sessions.session_over(row, user, now):
            logout(request)
            request.session_ended = why  # type: ignore[attr-defined]
        elif row and not is_polled(request, view):
            sessions.session_seen(row, user, client_address(request), now)
            request.session_row = row  # type: ignore[attr-defined]
        return None


def _with_its_person(request: HttpRequest) -> PersonSession | None:
    """The session's row, and its person in the same query.

    Django would ask for the person again; when all that it checks is in order, it is spared that. Else it decides.
    """
    session = request.session
    if ROW not in session:
        return None
    row = PersonSession.objects.select_related("user").filter(pk=session[ROW]).first()
    if row and row.user.is_active and session.get(SESSION_KEY) == str(row.user_id):
        backed = session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        if backed and constant_time_compare(session.get(HASH_SESSION_KEY, ""), row.user.get_session_auth_hash()):
            request._cached_user = row.user  # type: ignore[attr-defined]  # of django.contrib.auth.middleware
    return row
