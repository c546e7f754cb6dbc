"""TikTok's answer: polled with growing pauses until it is final. Nothing is published before it says so."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.services.tokens import AccountNotConnected, client_for
from publishing.models import UploadSession, Video
from publishing.pace import paced
from publishing.services import outcomes
from publishing.services.circuits import circuit_failed
from publishing.services.jobs import Claim, job_finish, job_move, job_write
from publishing.services.moves import video_move
from publishing.services.sessions import session_live, session_move
from publishing.states import JobStatus, PostMode, PrivacyLevel, UploadState, VideoStatus
from subiteya.lib.crashing import crash_point
from subiteya.tiktok import (
    ChunkPlan,
    FailReason,
    FailureClass,
    PublishStatus,
    TikTokError,
    TikTokStatus,
    TokenInvalid,
    classify_fail_reason,
)

logger = logging.getLogger(__name__)

POLL_SECONDS = tuple(paced(float(seconds)) for seconds in (2, 2, 3, 5, 8, 13, 20, 30, 60))
SLOW_AFTER, SLOW_POLL = paced(timedelta(hours=1)), paced(timedelta(minutes=5))
#: After this long without an answer a person decides.
GIVE_UP = paced(timedelta(hours=24))
#: Where a video may have waited with its file at TikTok; none of them leads to `verifying` directly.
WAITED = frozenset({VideoStatus.EDITED, VideoStatus.DEFERRED, VideoStatus.HELD})
FINAL = (TikTokStatus.PUBLISH_COMPLETE, TikTokStatus.SEND_TO_USER_INBOX)


@transaction.atomic
def verify_begin(claim: Claim, session: UploadSession) -> None:
    """All parts were accepted (or the last one may have been): let the worker go and poll from now on."""
    job = claim.job
    if session.state != UploadState.PROCESSING:
        session_move(claim, session, UploadState.PROCESSING, sent_at=session.sent_at or timezone.now())
    if job.video.status != VideoStatus.VERIFYING:
        if job.video.status in WAITED:
            video_move(video=job.video, to=VideoStatus.UPLOADING)
        video_move(video=job.video, to=VideoStatus.VERIFYING)
    job_move(
        job=job, to=JobStatus.PROCESSING, fence=claim.fence, run_at=_next_look(0, timezone.now()), poll_count=0,
        progress=1.0, step="verify",
    )  # fmt: skip


def verify_poll(claim: Claim) -> None:
    """Ask TikTok once and act on the answer; the scheduler rings for the next look."""
    session = session_live(claim.job.video_id)
    if session is None:
        _settle_from_rows(claim)
        return
    try:
        status = _ask(claim, session)
    except AccountNotConnected:
        _look_again(claim, session, code="account_disconnected")
    except TikTokError as error:
        logger.info("poll_refused", extra={"job_id": claim.job.pk, "code": error.code, "log_id": error.log_id})
        circuit_failed(job=claim.job, code=error.code, failure_class=error.breaker)
        _look_again(claim, session, code=error.code)
    else:
        crash_point("poll_answered")
        verify_apply(claim, session, status)
        crash_point("poll_finished")


def _ask(claim: Claim, session: UploadSession) -> PublishStatus:
    account = claim.job.video.account
    try:
        return client_for(account).status_fetch(session.publish_id)
    except TokenInvalid:
        return client_for(account, force_refresh=True).status_fetch(session.publish_id)


def verify_apply(claim: Claim, session: UploadSession, status: PublishStatus) -> None:
    """What TikTok said, written under the fence."""
    UploadSession.objects.filter(pk=session.pk).update(tiktok_status=status.status)
    match status.status:
        case TikTokStatus.PUBLISH_COMPLETE:
            _complete(claim, session, status)
        case TikTokStatus.SEND_TO_USER_INBOX:
            _in_inbox(claim, session, status)
        case TikTokStatus.FAILED:
            _failed(claim, session, status)
        case TikTokStatus.PROCESSING_UPLOAD if _is_short(session, status):
            _send_rest(claim, session, status)
        case _:
            _look_again(claim, session)


def _is_short(session: UploadSession, status: PublishStatus) -> bool:
    """TikTok lacks bytes that we thought were there: the last part never arrived."""
    return status.uploaded_bytes is not None and status.uploaded_bytes < session.video_size - 1


@transaction.atomic
def _send_rest(claim: Claim, session: UploadSession, status: PublishStatus) -> None:
    """Back to sending, to the same address: never a second init while this one could complete."""
    plan = ChunkPlan(session.video_size, session.chunk_size, session.total_chunk_count)
    boundary = plan.boundary_for(status.uploaded_bytes or 0) or 0
    UploadSession.objects.filter(pk=session.pk, state=UploadState.PROCESSING).update(
        state=UploadState.UPLOADING, sent_at=None, uploaded_bytes=boundary
    )
    parts = {"part": boundary // session.chunk_size + 1, "parts": session.total_chunk_count}
    outcomes.try_later(claim, code="upload_cut", detail=outcomes.details(claim.job, **parts))


@transaction.atomic
def _complete(claim: Claim, session: UploadSession, status: PublishStatus) -> None:
    """Published. A public post without an id is still in TikTok's moderation: shown so, and asked again."""
    video = claim.job.video
    post_id = status.post_ids[0] if status.post_ids else ""
    public = video.mode == PostMode.DIRECT and video.privacy_level == PrivacyLevel.PUBLIC_TO_EVERYONE
    if public and not post_id and not _too_old(session):
        if video.status != VideoStatus.IN_REVIEW:
            video_move(video=video, to=VideoStatus.IN_REVIEW, tiktok_status=status.status)
        _look_again(claim, session)
        return
    session_move(claim, session, UploadState.COMPLETE)
    job_finish(
        claim, to=JobStatus.SUCCEEDED, video_to=VideoStatus.POSTED, tiktok_status=status.status, post_id=post_id,
        post_url=post_url(video, post_id), posted_at=timezone.now(),
    )  # fmt: skip


@transaction.atomic
def _in_inbox(claim: Claim, session: UploadSession, status: PublishStatus) -> None:
    session_move(claim, session, UploadState.COMPLETE)
    job_finish(claim, to=JobStatus.SUCCEEDED, video_to=VideoStatus.IN_INBOX, tiktok_status=status.status)


def _failed(claim: Claim, session: UploadSession, status: PublishStatus) -> None:
    """TikTok's refusal: content is rejected for good; what may pass later is tried again with a new init."""
    reason = status.fail_reason or "internal"
    kind = classify_fail_reason(reason)
    circuit_failed(job=claim.job, code=reason, failure_class=kind.breaker)
    _settle_failed(claim, session, status, reason, kind)


@transaction.atomic
def _settle_failed(claim: Claim, session: UploadSession, status: PublishStatus, reason: str, kind: FailReason) -> None:
    detail = outcomes.details(claim.job, log_id=status.log_id, **session.asset.measures)
    session_move(claim, session, UploadState.FAILED, fail_reason=reason)
    fields: dict[str, Any] = {"tiktok_status": status.status}
    if kind.breaker == FailureClass.QUOTA:
        outcomes.defer(claim, code=reason, detail=detail)
    elif kind.breaker == FailureClass.AUTH:
        outcomes.fail(claim, code=reason, detail=detail)
    elif kind.retryable:
        outcomes.try_later(claim, code=reason, detail=detail)
    else:
        job_finish(claim, to=JobStatus.FAILED, video_to=VideoStatus.REJECTED, code=reason, detail=detail, **fields)


def _look_again(claim: Claim, session: UploadSession, *, code: str = "") -> None:
    """Not final: plan the next look, or after a day hand it to a person."""
    if _too_old(session):
        _give_up(claim, session, code)
        return
    polls = claim.job.poll_count + 1
    job_write(
        claim, run_at=_next_look(polls, session.sent_at or session.init_at), poll_count=polls, lease_until=None,
        owner="", reason_code=code,
    )  # fmt: skip


@transaction.atomic
def _give_up(claim: Claim, session: UploadSession, code: str) -> None:
    """The session stays live (`unknown`): nothing new may start until a person has looked."""
    session_move(claim, session, UploadState.UNKNOWN)
    job_finish(
        claim, to=JobStatus.FAILED, video_to=VideoStatus.UNCONFIRMED, code="unconfirmed",
        detail=outcomes.details(claim.job, last_code=code),
    )  # fmt: skip


def _settle_from_rows(claim: Claim) -> None:
    """The session was settled by a run that died before it could settle the job."""
    last = UploadSession.objects.filter(video=claim.job.video_id).order_by("-pk").first()
    code = last.fail_reason if last and last.fail_reason else "unconfirmed"
    job_finish(
        claim, to=JobStatus.FAILED, video_to=VideoStatus.UNCONFIRMED, code=code, detail=outcomes.details(claim.job)
    )


def _too_old(session: UploadSession) -> bool:
    return timezone.now() - (session.sent_at or session.init_at) > GIVE_UP


def _next_look(polls: int, since: datetime) -> datetime:
    now = timezone.now()
    if now - since > SLOW_AFTER:
        return now + SLOW_POLL
    return now + timedelta(seconds=POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)])


def post_url(video: Video, post_id: str) -> str:
    """The post's page, or the profile for a post that has no public id."""
    profile = f"{settings.TIKTOK_AUTHORIZE_BASE}/@{video.account.username}"
    return f"{profile}/video/{post_id}" if post_id else profile


def inbox_check(session_pk: int) -> None:
    """An inbox video that its owner finished in TikTok's app is published once status says so."""
    session = UploadSession.objects.select_related("video__account").get(pk=session_pk)
    video = session.video
    if video.status != VideoStatus.IN_INBOX:
        return
    status = client_for(video.account).status_fetch(session.publish_id)
    if status.status == TikTokStatus.PUBLISH_COMPLETE:
        post_id = status.post_ids[0] if status.post_ids else ""
        video_move(
            video=video, to=VideoStatus.POSTED, tiktok_status=status.status, post_id=post_id,
            post_url=post_url(video, post_id), posted_at=timezone.now(),
        )  # fmt: skip
