"""The set-up check: what the installation and its accounts need to publish, each with its state and what to do."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.models import TikTokAccount, User
from accounts.selectors import accounts_for
from accounts.services.connections import PUBLISH_SCOPES, SCOPES
from publishing.causes import size_text
from publishing.clocks import moment
from publishing.editing.isolation import Isolation, available
from publishing.errors import StepFailed
from publishing.models import CreatorLimits, WebhookReceipt, WorkerHeartbeat, WorkerKind
from publishing.services.disk import DISK_RESERVE, work_folder
from publishing.services.files import bucket_step
from publishing.services.heartbeats import DEAD_AFTER
from publishing.states import PrivacyLevel

#: TikTok's refresh token lasts a year; with so few days left a person should look.
TOKEN_DAYS_SOON = 30
ROOM_SOON = 10 * DISK_RESERVE


class State(StrEnum):
    """How a line stands."""

    GOOD = "good"
    CHECK = "check"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was looked at: where it stands, in a sentence, and what to do when it is not good.

    `action` names the button that mends it: `reconnect`, `ask`, or none.
    """

    title: str
    state: State
    says: str
    todo: str = ""
    action: str = ""


@dataclass(frozen=True, kw_only=True)
class AccountCheck:
    """An account and its lines."""

    account: TikTokAccount
    lines: list[Line]


def installation_lines(user: User) -> list[Line]:
    """What concerns everybody; administrators and auditors see the machinery too."""
    lines = [_audit(), _mail()]
    if not user.sees_everything:
        return lines
    return [*lines, _webhooks(), *_workers(), _store(), _room(), network_line(settings.MEDIA_NETWORK, available())]


def account_checks(user: User) -> list[AccountCheck]:
    """The lines of each account in the person's sight, in two queries."""
    accounts = list(accounts_for(user).select_related("limits"))
    now = timezone.now()
    return [AccountCheck(account=account, lines=list(_account(account, now))) for account in accounts]


def _audit() -> Line:
    title = gettext("TikTok's audit of the app")
    if settings.TIKTOK_AUDITED:
        return Line(title=title, state=State.GOOD, says=gettext("Audited: posts may be for everyone."))
    return Line(
        title=title, state=State.CHECK,
        says=gettext("Not audited yet: TikTok keeps every post private, and only for accounts that are private."),
        todo=gettext(
            "Until then, set the accounts to private in TikTok, post with “Only me”, and with five accounts a day at "
            "most. The audit is asked for in TikTok's developer portal; then TIKTOK_AUDITED=true."
        ),
    )  # fmt: skip


def _mail() -> Line:
    title = gettext("E-mail")
    if settings.NOTICE_MAILS:
        return Line(title=title, state=State.GOOD, says=gettext("A mail server is set up: notices go out by e-mail."))
    return Line(
        title=title, state=State.CHECK, says=gettext("No mail server is set up: notices come in the app only."),
        todo=gettext("An administrator sets EMAIL_HOST and its companions, and restarts."),
    )  # fmt: skip


def _webhooks() -> Line:
    address = settings.SITE_URL + reverse("publishing:webhook")
    last = WebhookReceipt.objects.aggregate(last=Max("received_at"))["last"]
    todo = gettext("Register this address in TikTok's developer portal: %(address)s") % {"address": address}
    title = gettext("TikTok's webhooks")
    if last is None:
        says = gettext("None has come yet. It works without them, only later: TikTok is asked every so often.")
        return Line(title=title, state=State.CHECK, says=says, todo=todo)
    zone = timezone.get_current_timezone_name()
    says = gettext("The last one came %(when)s.") % {"when": moment(last, zone)}
    return Line(title=title, state=State.GOOD, says=says, todo=todo)


def _workers() -> Iterator[Line]:
    alive = WorkerHeartbeat.objects.filter(seen_at__gt=timezone.now() - DEAD_AFTER)
    found = dict(alive.order_by().values_list("kind").annotate(n=Count("pk")))
    needed = (WorkerKind.EDIT, WorkerKind.UPLOAD, WorkerKind.SCHEDULER)
    for kind in needed:
        title = gettext("Process: %(kind)s") % {"kind": kind.label}
        if count := found.get(kind, 0):
            says = ngettext("%(n)s gives signs of life.", "%(n)s give signs of life.", count) % {"n": count}
            yield Line(title=title, state=State.GOOD, says=says)
        else:
            says = gettext("None has given a sign of life in the last minute: that work stands still.")
            todo = gettext("Start it (manage.py up, or the service), and look at its log.")
            yield Line(title=title, state=State.BAD, says=says, todo=todo)


def _store() -> Line:
    """By writing a few bytes and taking them away: rights and addresses say little."""
    title = gettext("Store of files")
    try:
        with bucket_step():
            default_storage.delete(default_storage.save(f"check/{uuid.uuid4().hex}", ContentFile(b"check")))
    except (OSError, StepFailed):
        return Line(
            title=title, state=State.BAD, says=gettext("Nothing can be written to it: uploads fail."),
            todo=gettext("Look at the rights of its folder, or at the address and the keys of the bucket."),
        )  # fmt: skip
    return Line(title=title, state=State.GOOD, says=gettext("Files can be written and deleted."))


def _room() -> Line:
    title = gettext("Room for the work")
    free = shutil.disk_usage(work_folder("")).free
    says = gettext("%(size)s are free on this host.") % {"size": size_text(free)}
    if free >= ROOM_SOON:
        return Line(title=title, state=State.GOOD, says=says)
    state = State.CHECK if free >= DISK_RESERVE else State.BAD
    todo = gettext("Free some room or give the disk more: below %(size)s edits wait.")
    return Line(title=title, state=state, says=says, todo=todo % {"size": size_text(DISK_RESERVE)})


def network_line(wish: str, found: Isolation) -> Line:
    """Of this host, whose kernel gives `found`: its web process and its workers run under the same one."""
    title = gettext("Network of the video programs")
    if wish == "off":
        says = gettext("Left open (SUBITEYA_MEDIA_NETWORK=off): programs that read people's files could call out.")
        return Line(title=title, state=State.CHECK, says=says, todo=gettext("Set it to auto, and restart."))
    if found != Isolation.NONE:
        says = gettext("Cut off: programs that read people's files reach no other machine.")
        return Line(title=title, state=State.GOOD, says=says)
    says = gettext("This host's kernel does not let us cut it off; the programs are still told to open files only.")
    todo = gettext("An administrator allows user namespaces (docs/media.md), and restarts.")
    state = State.BAD if wish == "required" else State.CHECK
    return Line(title=title, state=state, says=says, todo=todo)


def _account(account: TikTokAccount, now: datetime) -> Iterator[Line]:
    token = getattr(account, "token", None)
    if token is None or not account.is_connected:
        yield Line(
            title=gettext("Connection"), state=State.BAD, says=gettext("Not connected: nothing is published."),
            todo=gettext("Reconnect it: what waits goes on by itself."), action="reconnect",
        )  # fmt: skip
        return
    yield _token((token.refresh_expires_at - now).days)
    yield _scopes(token.scopes)
    yield _privacy(getattr(account, "limits", None), account)


def _token(days: int) -> Line:
    title = gettext("Connection")
    says = ngettext("TikTok's permission lasts %(n)s more day.", "TikTok's permission lasts %(n)s more days.", days)
    if days > TOKEN_DAYS_SOON:
        return Line(title=title, state=State.GOOD, says=says % {"n": days})
    todo = gettext("Reconnect it before that, and it lasts a year again.")
    state = State.CHECK if days > 0 else State.BAD
    return Line(title=title, state=state, says=says % {"n": max(0, days)}, todo=todo, action="reconnect")


def _scopes(given: frozenset[str]) -> Line:
    title = gettext("Permissions")
    missing = [scope for scope in SCOPES if scope not in given]
    if not missing:
        return Line(title=title, state=State.GOOD, says=gettext("All that SubiteYa asks for were given."))
    says = gettext("Missing: %(scopes)s.") % {"scopes": ", ".join(missing)}
    state = State.BAD if PUBLISH_SCOPES & set(missing) else State.CHECK
    todo = gettext("Reconnect it, and leave every permission ticked on TikTok's page.")
    return Line(title=title, state=state, says=says, todo=todo, action="reconnect")


def _privacy(limits: CreatorLimits | None, account: TikTokAccount) -> Line:
    """By what TikTok offered last: a private account cannot post for everyone."""
    title = gettext("Public or private")
    if limits is None:
        says = gettext("Not asked yet.")
        return Line(title=title, state=State.CHECK, says=says, todo=gettext("Ask TikTok now."), action="ask")
    is_public = PrivacyLevel.PUBLIC_TO_EVERYONE in limits.privacy_levels
    seen = {"when": moment(limits.seen_at, account.time_zone)}
    if is_public and not settings.TIKTOK_AUDITED:
        says = gettext("Public (asked %(when)s): without the audit TikTok refuses its posts.") % seen
        todo = gettext("Set it to private in the TikTok app: Settings, Privacy, Private account. Then ask again.")
        return Line(title=title, state=State.BAD, says=says, todo=todo, action="ask")
    if is_public:
        says = gettext("Public (asked %(when)s): posts may be for everyone.") % seen
    else:
        says = gettext("Private (asked %(when)s): posts are seen by its followers at most.") % seen
    return Line(title=title, state=State.GOOD, says=says, action="ask")
