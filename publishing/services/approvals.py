"""Videos of accounts that ask for an approval: letting one out, or sending it back with a reason."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from publishing.errors import NotPossible
from publishing.models import Video
from publishing.services.jobs import job_cancel_active
from publishing.services.moves import is_missed, video_move
from publishing.services.videos import go_on, video_lock
from publishing.states import VideoStatus

#: The cause of a video that an approver sent back; its detail has the `reason`.
SENT_BACK = "sent_back"
#: An approved one was changed by somebody who could not approve it.
APPROVAL_AGAIN = "approval_again"


def approval_refusal(user: User, video: Video) -> str:
    """What stands against this person's approval of `video`, whatever its status: a code, or nothing. No query.

    Nobody approves what they submitted themselves but an administrator. Whether the account is in their charge is
    for the caller: they got the video by `for_user`.
    """
    if not user.may_approve:
        return "not_approver"
    if video.batch.created_by_id == user.pk and not user.is_staff:
        return "own_video"
    return ""


def no_approval(video: Video) -> str:
    """What stands against approving it now, by the row as it was read: a code, or nothing. No query."""
    if video.status != VideoStatus.AWAITING_APPROVAL:
        return "not_awaiting"
    return "approval_too_late" if is_missed(video) else ""


@transaction.atomic
def video_approve(*, video: Video, actor: User) -> Video:
    """Let it go on as it would have without an approval. Of two at once one is first; the other is NotPossible."""
    _lock(video, actor)
    if code := no_approval(video):
        raise NotPossible(code, {"status": video.status})
    video.approval_due = False
    return go_on(video, code="approved", actor=actor, approval_due=False)


@transaction.atomic
def video_send_back(*, video: Video, reason: str, actor: User) -> Video:
    """Cancel it for a `reason` that its submitter is told. Taken up again, it waits for an approval again."""
    _lock(video, actor)
    if video.status != VideoStatus.AWAITING_APPROVAL:
        raise NotPossible("not_awaiting", {"status": video.status})
    detail = {"reason": reason.strip(), "by": actor.get_full_name() or actor.username}
    return video_move(video=video, to=VideoStatus.CANCELLED, code=SENT_BACK, detail=detail, actor=actor)


def _lock(video: Video, actor: User) -> None:
    video_lock(video)
    if code := approval_refusal(actor, video):
        raise NotPossible(code)


def needs_new_approval(video: Video, actor: User | None) -> bool:
    """Does a change of what is sent, by `actor`, undo its approval? Not one by somebody who could approve it."""
    return video.account.needs_approval and (actor is None or bool(approval_refusal(actor, video)))


def approval_again(video: Video, *, code: str, actor: User | None) -> bool:
    """After a change: back to waiting when it stands scheduled; whether it moved. Locked, in a transaction."""
    if video.status != VideoStatus.SCHEDULED:
        return False
    job_cancel_active(video=video)
    video_move(video=video, to=VideoStatus.AWAITING_APPROVAL, code=code, actor=actor)
    return True
