"""What an entry of the catalogue of causes is (`publishing.causes`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise


class Action(StrEnum):
    """The one button that mends it."""

    RETRY = "retry"
    RECONNECT = "reconnect"
    CHANGE_FILE = "change_file"
    EDIT_FORM = "edit_form"
    PUBLISH_NOW = "publish_now"
    RESCHEDULE = "reschedule"
    RESOLVE = "resolve"
    DISCARD = "discard"
    ACCOUNT = "account"
    RELEASE = "release"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cause:
    """An entry. `what` and `todo` may name values of the detail, as in `{width}`."""

    code: str
    what: str | Promise
    todo: str | Promise
    retry: bool
    action: Action


def entry(code: str, what: Promise, todo: Promise, *, retry: bool, action: Action) -> tuple[str, Cause]:
    return code, Cause(code, what, todo, retry, action)
