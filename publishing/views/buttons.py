"""Which buttons a video offers: one that mends it, and the others that its state allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User
from publishing.causes import Action, Cause, cause_for
from publishing.models import Video
from publishing.selectors.videos import is_sent
from publishing.services.acts import may_pass
from publishing.services.approvals import SENT_BACK, approval_refusal, no_approval
from publishing.services.videos import is_held_by_person
from publishing.states import (
    VIDEO_ALLOWED,
    VIDEO_CANCELLABLE,
    VIDEO_HOLDABLE,
    VIDEO_RETRYABLE,
    Family,
    VideoStatus,
)


@dataclass(frozen=True, kw_only=True)
class Button:
    """`kind` post (a form), link, or dialog (opens `#target` of the video's page)."""

    kind: str
    label: str
    target: str
    icon: str


#: What mends a held video, by its cause.
OF_THE_HELD = frozenset({Action.RECONNECT, Action.ACCOUNT, Action.RELEASE})


def primary_button(video: Video) -> Button | None:
    """The one action that mends a red or held video, decided by its cause; None for the others."""
    action = mending_action(video)
    return _BY_ACTION[action](video) if action else None


def mending_action(video: Video) -> Action | None:
    """What mends a red or held video, decided by its cause; None for the others."""
    cause = cause_for(video.reason_code) if video.reason_code else None
    if video.status == VideoStatus.HELD and cause and cause.action in OF_THE_HELD:
        return cause.action
    return _action(video, cause) if video.family == Family.ATTENTION else None


def button_for(action: Action, video: Video) -> Button | None:
    """The button of a cause's action, on this video; None where there is nothing to press."""
    make = _BY_ACTION.get(action)
    return make(video) if make else None


def _action(video: Video, cause: Cause | None) -> Action:
    if video.status == VideoStatus.UNCONFIRMED:
        return Action.RESOLVE
    if video.status == VideoStatus.MISSED:
        return Action.PUBLISH_NOW
    if cause is None or cause.action in {Action.NONE, Action.RESOLVE}:
        return Action.RETRY
    return cause.action


def secondary_buttons(video: Video) -> list[Button]:
    """What else the state allows, without the primary one again."""
    first = primary_button(video)
    offered = []
    if video.status == VideoStatus.CANCELLED and video.reason_code == SENT_BACK:
        offered.append(_edit_form(video))
    if video.status in VIDEO_RETRYABLE | {VideoStatus.CANCELLED} and may_pass(video):
        offered.append(_retry(video))
    if _reschedulable(video) and may_pass(video):
        offered.append(_reschedule(video))
    if video.status in VIDEO_HOLDABLE and not (is_held_by_person(video) or is_sent(video)):
        offered.append(_hold(video))
    if video.status in VIDEO_CANCELLABLE and not is_sent(video):
        offered.append(_discard(video))
    return [button for button in offered if first is None or button.target != first.target]


def approval_buttons(video: Video, user: User) -> list[Button]:
    """What an approver may answer to a video that waits for it."""
    if video.status != VideoStatus.AWAITING_APPROVAL or approval_refusal(user, video):
        return []
    target = reverse("publishing:video_approve", args=[video.pk])
    approve = Button(kind="post", label=gettext("Approve"), target=target, icon="check")
    back = Button(kind="dialog", label=gettext("Send back"), target="dialog-send-back", icon="back")
    return [back] if no_approval(video) else [approve, back]


def offers_retry(video: Video, offered: Iterable[Button | None]) -> bool:
    """Whether one of these buttons takes the video up again (see `publishing.selectors.plans` for what that does)."""
    return any(button is not None and button.target == _retry(video).target for button in offered)


def _reschedulable(video: Video) -> bool:
    status = VideoStatus(video.status)
    stays = status in {VideoStatus.SCHEDULED, VideoStatus.AWAITING_APPROVAL}
    allowed = stays or VideoStatus.SCHEDULED in VIDEO_ALLOWED[status]
    return allowed and status not in {VideoStatus.EDITING, VideoStatus.CANCELLED}


def _retry(video: Video) -> Button:
    label = gettext("Retry the edit") if video.edited_id is None else gettext("Retry the upload")
    if video.status == VideoStatus.MISSED:
        label = gettext("Publish it now")
    if video.status == VideoStatus.CANCELLED:
        label = gettext("Take it up again")
    return Button(kind="post", label=label, target=reverse("publishing:video_retry", args=[video.pk]), icon="refresh")


def _reconnect(video: Video) -> Button:
    target = reverse("accounts:account_reconnect", args=[video.account_id])
    return Button(kind="post", label=gettext("Reconnect and resume"), target=target, icon="plug")


def _account(video: Video) -> Button:
    target = reverse("publishing:circuit_detail", args=[video.account_id])
    return Button(kind="link", label=gettext("See why the account is paused"), target=target, icon="pause")


def _change_file(video: Video) -> Button:
    target = f"{reverse('publishing:batch_new')}?from={video.pk}"
    return Button(kind="link", label=gettext("Change the file"), target=target, icon="film")


def _edit_form(video: Video) -> Button:
    target = f"{reverse('publishing:batch_new')}?from={video.pk}&file=1"
    return Button(kind="link", label=gettext("Correct it and publish again"), target=target, icon="pencil")


def _hold(video: Video) -> Button:
    target = reverse("publishing:video_hold", args=[video.pk])
    return Button(kind="post", label=gettext("Hold"), target=target, icon="pause")


def _release(video: Video) -> Button:
    target = reverse("publishing:video_release", args=[video.pk])
    return Button(kind="post", label=gettext("Let go"), target=target, icon="play")


def _reschedule(_video: Video) -> Button:
    return Button(kind="dialog", label=gettext("Choose another time"), target="dialog-reschedule", icon="calendar")


def _resolve(_video: Video) -> Button:
    return Button(kind="dialog", label=gettext("Say whether it is there"), target="dialog-resolve", icon="eye")


def _discard(video: Video) -> Button:
    label = gettext("Discard") if video.family == Family.ATTENTION else gettext("Cancel")
    return Button(kind="dialog", label=label, target="dialog-cancel", icon="ban")


_BY_ACTION = {
    Action.RETRY: _retry,
    Action.PUBLISH_NOW: _retry,
    Action.RECONNECT: _reconnect,
    Action.CHANGE_FILE: _change_file,
    Action.EDIT_FORM: _edit_form,
    Action.RESCHEDULE: _reschedule,
    Action.RESOLVE: _resolve,
    Action.DISCARD: _discard,
    Action.ACCOUNT: _account,
    Action.RELEASE: _release,
}
