"""A new password by mail: a link that works once, for an hour, and opens nothing but the form for the new password.

The second factor is still due at the log-in that follows: whoever reads somebody's mail gets no further.
"""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlencode, urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext

from accounts.models import User
from accounts.services.throttle import mail_may_go

logger = logging.getLogger(__name__)


def reset_ask(*, address: str) -> None:
    """Send a link to each person with this mail address; to nobody, without a word, when there is none.

    The mail leaves beside the request: its answer takes the same time for everybody.
    """
    if not mail_may_go(address):
        return
    people = User.objects.filter(email__iexact=address, is_active=True)
    receivers = [person for person in people if person.email and person.has_usable_password()]
    if receivers:
        threading.Thread(target=_send, args=(receivers,), name="password-mail", daemon=True).start()


def reset_holds(uidb64: str, token: str) -> bool:
    """Is this the key of a link that still works?"""
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uidb64).decode())).first()
    except (ValueError, OverflowError):
        return False
    return default_token_generator.check_token(user, token)


def reset_link(user: User) -> str:
    """The key is in the query: paths are logged, queries are not."""
    key = f"{urlsafe_base64_encode(force_bytes(user.pk))}.{default_token_generator.make_token(user)}"
    return f"{settings.SITE_URL}{reverse('accounts:password_link')}?{urlencode({'key': key})}"


def _letter(user: User) -> EmailMessage:
    with translation.override(user.language):
        context = {"user": user, "link": reset_link(user), "hours": settings.PASSWORD_RESET_TIMEOUT // 3600}
        text = render_to_string("accounts/mail/password.txt", context)
        return EmailMessage(gettext("A new password for SubiteYa"), text, to=[user.email])


def _send(people: list[User]) -> None:
    for person in people:
        try:
            _letter(person).send()
        except OSError as error:  # smtplib's errors are of its kind
            logger.warning("password_mail_failed", extra={"error": type(error).__name__})
