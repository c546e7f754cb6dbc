"""A group of *Hoy* in words: what happened, the one button that mends all of it, and where to see its videos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from monitoring.selectors.today import Group, ToApprove
from publishing.causes import Action, cause_for, sentence
from publishing.models import Video
from publishing.selectors.videos import cause_text
from publishing.states import ActKind, VideoStatus


@dataclass(frozen=True, kw_only=True)
class Mend:
    """A button. `kind` act (a preview of `act` over `selection`), post (to `target`) or link; `hint`: what it does."""

    kind: str
    label: str
    icon: str
    target: str = ""
    act: str = ""
    selection: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """A group as the page shows it. `key` stays the same while the group does."""

    key: str
    sentence: str
    advice: str
    count: int
    accounts: str
    since: datetime
    videos: list[Video]
    mend: Mend
    other: Mend | None
    address: str
    is_lost: bool


def group_row(group: Group) -> GroupRow:
    return GroupRow(
        key=f"group-{group.action}-{group.code}-{group.batch or f'a{group.account.pk}'}",
        sentence=_sentence(group),
        advice=_advice(group),
        count=group.count,
        accounts=_accounts(group),
        since=group.since,
        videos=group.videos,
        mend=_MENDS[group.action](group),
        other=_other(group),
        address=f"{reverse('publishing:video_list')}?{selection_of(group)}",
        is_lost=group.action == Action.RECONNECT,
    )


def approval_row(waiting: ToApprove) -> dict[str, Any]:
    """The videos of one account that wait for the person's approval, with the button that approves them all."""
    selection = f"account={waiting.account.pk}&status={VideoStatus.AWAITING_APPROVAL}"
    label = ngettext("Approve it", "Approve the %(n)s", waiting.count) % {"n": waiting.count}
    return {
        "key": f"approve-{waiting.account.pk}",
        "account": waiting.account,
        "count": waiting.count,
        "since": waiting.since,
        "videos": waiting.videos,
        "address": f"{reverse('publishing:video_list')}?{selection}",
        "mend": Mend(kind="act", act=ActKind.APPROVE, selection=selection, label=label, icon="check"),
    }


def _sentence(group: Group) -> str:
    """What was measured is said when all of them share it, and is … when it differs."""
    said = {cause_text(video.reason_code, video.reason_detail, video) for video in group.videos}
    if len(said) == 1 and (len(group.videos) == group.count or not _measured(group.code)):
        return said.pop()
    if not group.code:
        return str(VideoStatus(group.videos[0].status).label)
    return sentence(group.code, dict.fromkeys(_measured(group.code), "…") | {"account": str(group.account)})


def _measured(code: str) -> set[str]:
    """The values that the cause's sentence quotes of each video."""
    places = {name for _text, name, _form, _kind in Formatter().parse(str(cause_for(code).what)) if name}
    return places - {"code", "account"} if code else set()


def _advice(group: Group) -> str:
    if group.action == Action.RECONNECT:
        return gettext("You go to TikTok's page and come back here; what waits goes on by itself, in order.")
    cause = cause_for(group.code)
    return str(cause.todo) if group.code and not _places(str(cause.todo)) else ""


def _places(text: str) -> bool:
    return any(name for _text, name, _form, _kind in Formatter().parse(text))


def _accounts(group: Group) -> str:
    if not group.batch or group.count == 1:
        return str(group.account)
    named = ", ".join(str(video.account) for video in group.videos)
    return f"{named}…" if group.count > len(group.videos) else named


def selection_of(group: Group) -> str:
    """The list's filters that leave exactly this group's videos (one more or less when something moves meanwhile)."""
    asked = QueryDict(mutable=True)
    asked["batch" if group.batch else "account"] = str(group.batch or group.account.pk)
    if len(group.statuses) == 1:
        asked["status"] = next(iter(group.statuses))
    elif VideoStatus.HELD not in group.statuses:
        asked["family"] = "attention"
    if group.code and group.action not in {Action.RECONNECT, Action.ACCOUNT}:
        asked["cause"] = group.code
    return asked.urlencode()


def _act(group: Group, kind: ActKind, label: str, icon: str) -> Mend:
    return Mend(kind="act", act=kind, selection=selection_of(group), label=label % {"n": group.count}, icon=icon)


def _retry(group: Group) -> Mend:
    n = group.count
    if group.statuses == {VideoStatus.FAILED_EDIT}:
        label = ngettext("Retry %(n)s edit", "Retry %(n)s edits", n)
    else:
        label = ngettext("Retry %(n)s upload", "Retry %(n)s uploads", n)
    return _act(group, ActKind.RETRY, label, "refresh")


def _publish_now(group: Group) -> Mend:
    return _act(group, ActKind.RETRY, ngettext("Publish %(n)s now", "Publish %(n)s now", group.count), "send")


def _tomorrow(group: Group) -> Mend:
    label = ngettext("Move it to tomorrow", "Move %(n)s to tomorrow", group.count)
    return _act(group, ActKind.RESCHEDULE, label, "calendar")


def _discard(group: Group) -> Mend:
    return _act(group, ActKind.CANCEL, ngettext("Discard it", "Discard %(n)s", group.count), "ban")


def _reconnect(group: Group) -> Mend:
    label = ngettext("Reconnect and resume %(n)s", "Reconnect and resume %(n)s", group.count) % {"n": group.count}
    target = reverse("accounts:account_reconnect", args=[group.account.pk])
    return Mend(kind="post", label=label, icon="plug", target=target)


def _account(group: Group) -> Mend:
    target = reverse("publishing:circuit_detail", args=[group.account.pk])
    return Mend(kind="link", label=gettext("See why it is set apart"), icon="pause", target=target)


def _resolve(group: Group) -> Mend:
    """The questions one after another, the oldest of the shown first."""
    target = f"{reverse('publishing:video_detail', args=[group.videos[-1].pk])}?then=next#dialog-resolve"
    label = ngettext("Say whether %(n)s is there", "Say whether the %(n)s are there", group.count) % {"n": group.count}
    return Mend(kind="link", label=label, icon="eye", target=target)


def _change_file(group: Group) -> Mend:
    if group.count > 1 and not group.batch:
        return _see(group, ngettext("Change %(n)s file", "Change the %(n)s files", group.count))
    target = f"{reverse('publishing:batch_new')}?from={group.videos[0].pk}" + ("&all=1" if group.count > 1 else "")
    return Mend(kind="link", label=gettext("Change the file"), icon="film", target=target)


def _edit_form(group: Group) -> Mend:
    if group.count > 1:
        return _see(group, ngettext("Correct it", "Correct the %(n)s", group.count))
    target = f"{reverse('publishing:batch_new')}?from={group.videos[0].pk}&file=1"
    return Mend(kind="link", label=gettext("Correct it and publish again"), icon="pencil", target=target)


def _see(group: Group, label: str) -> Mend:
    """Each needs something of its own: the list shows exactly these, each with its button."""
    target = f"{reverse('publishing:video_list')}?{selection_of(group)}"
    return Mend(kind="link", label=label % {"n": group.count}, icon="pencil", target=target)


def _other(group: Group) -> Mend | None:
    """A second way out, where people want one."""
    if group.action == Action.PUBLISH_NOW:
        return _tomorrow(group)
    return None


_MENDS: dict[Action, Callable[[Group], Mend]] = {
    Action.RETRY: _retry,
    Action.PUBLISH_NOW: _publish_now,
    Action.RESCHEDULE: _tomorrow,
    Action.DISCARD: _discard,
    Action.RECONNECT: _reconnect,
    Action.ACCOUNT: _account,
    Action.RESOLVE: _resolve,
    Action.CHANGE_FILE: _change_file,
    Action.EDIT_FORM: _edit_form,
}
