"""Log-ins and log-outs, whichever page took them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from audit.catalogue import Action
from audit.services.recording import audit_record


@receiver(user_logged_in)
def logged_in(sender: object, user: Any, **_kwargs: Any) -> None:
    audit_record(action=Action.SESSION_LOGIN, on=user, actor=user)


@receiver(user_logged_out)
def logged_out(sender: object, user: Any = None, **_kwargs: Any) -> None:
    if user is not None:
        audit_record(action=Action.SESSION_LOGOUT, on=user, actor=user)


@receiver(user_login_failed)
def log_in_refused(sender: object, credentials: dict[str, Any], **_kwargs: Any) -> None:
    """A name that is nobody's is not kept: people type their passwords there."""
    people = get_user_model()
    typed = str(credentials.get(people.USERNAME_FIELD, "")).replace("\x00", "")
    person = people._default_manager.filter(**{people.USERNAME_FIELD: typed}).first()
    audit_record(action=Action.SESSION_LOGIN_FAILED, on=person, details={} if person else {"unknown_name": True})
