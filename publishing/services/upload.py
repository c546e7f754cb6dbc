"""The upload of one video: ask, check, start, send; the answer is polled by `verify`."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.core.files.storage import default_storage

from accounts.services.tokens import AccountNotConnected, client_for
from publishing.errors import FirstLookFailed, SessionOver, StepFailed
from publishing.models import Asset, UploadSession, Video
from publishing.services import outcomes
from publishing.services.breaker import guarded
from publishing.services.circuits import NotPermitted, Permit
from publishing.services.creators import creator_asked
from publishing.services.files import local_copy
from publishing.services.held import hold_claimed
from publishing.services.jobs import RATE_LIMIT_OWN, Claim, job_progress
from publishing.services.moves import video_move
from publishing.services.sessions import InitBudgetSpent, session_initialised, session_live, session_move, session_open
from publishing.services.transfer import transfer
from publishing.services.verify import verify_begin
from publishing.states import PostMode, UploadState, VideoStatus
from subiteya.lib.crashing import crash_point
from subiteya.lib.tracing import span
from subiteya.tiktok import (
    CreatorInfo,
    PostInfo,
    TikTokClient,
    TikTokError,
    TikTokStatus,
    chunk_plan,
    classify_fail_reason,
)

logger = logging.getLogger(__name__)


def upload_run(claim: Claim) -> None:
    """Bring the claimed video to TikTok, going on where a former run stopped."""
    video = claim.job.video
    session = session_live(video.pk)
    if session and (session.sent_at or session.state == UploadState.PROCESSING):
        verify_begin(claim, session)  # the last part may have arrived: TikTok is asked, nothing is sent again
        return
    if capped := outcomes.cap_of(video):
        outcomes.defer(claim, code=capped.reason_code, detail=capped.reason_detail, at=capped.resume_at)
        return
    try:
        guarded(claim, lambda permit: _upload(claim, permit, session))
    except NotPermitted as refusal:
        hold_claimed(claim, code=refusal.code, detail=refusal.detail, until=refusal.until)
    except FirstLookFailed as look:
        logger.info("first_look_failed", extra={"job_id": claim.job.pk, "code": look.code})
    except AccountNotConnected:
        outcomes.fail(claim, code="account_disconnected", detail=outcomes.details(claim.job))
    except InitBudgetSpent as spent:
        outcomes.postpone(claim, at=spent.until, code=RATE_LIMIT_OWN, detail=outcomes.details(claim.job))
    except SessionOver as over:
        outcomes.try_later(claim, code=over.code, detail=outcomes.details(claim.job, **over.detail))
    except TikTokError as error:
        outcomes.upload_refused(claim, error)


def _upload(claim: Claim, permit: Permit, session: UploadSession | None) -> None:
    video = claim.job.video
    crash_point("upload_permitted")
    if video.status != VideoStatus.UPLOADING:
        video_move(video=video, to=VideoStatus.UPLOADING)
    job_progress(claim, 0.0, step="checking", now=time.monotonic)
    asset = _edited_asset(video)
    with span("check settings"):
        client = _checked_client(video, asset)
    crash_point("upload_checked")
    with span("fetch"):
        path = local_copy(asset)  # before the init: a full disk costs none of its six a minute
    if session and session.asset_id != asset.pk:
        session_move(claim, session, UploadState.DEAD)  # it was edited again: the half-sent file is not wanted
        session = None
    if session is None:
        with span("init"):
            session = _start(claim, client, asset)
    with span("transfer", attributes={"subiteya.bytes": session.video_size, "subiteya.from": session.uploaded_bytes}):
        transfer(claim, client, session, path)
    verify_begin(claim, session)
    crash_point("upload_verifying")
    if permit.token:
        _first_look(client, session)
    permit.proved = True


def _first_look(client: TikTokClient, session: UploadSession) -> None:
    """A probe is good once TikTok has the whole file and does not say at once that it failed."""
    try:
        status = client.status_fetch(session.publish_id)
    except TikTokError as error:
        raise FirstLookFailed(error.code, error.breaker) from error
    if status.status == TikTokStatus.FAILED:
        reason = status.fail_reason or "internal"
        raise FirstLookFailed(reason, classify_fail_reason(reason).breaker)


def _edited_asset(video: Video) -> Asset:
    asset = video.edited
    if asset is None or not default_storage.exists(asset.storage_key):
        raise StepFailed("edited_missing")
    return asset


def _checked_client(video: Video, asset: Asset) -> TikTokClient:
    """A client whose token TikTok accepts now, after the settings were compared with what the creator allows."""
    if video.mode == PostMode.INBOX:
        return client_for(video.account)
    client, info = creator_asked(video.account)
    _check_settings(video, asset, info)
    return client


def _check_settings(video: Video, asset: Asset, info: CreatorInfo) -> None:
    """Refuse before any byte is sent what TikTok would refuse afterwards."""
    if video.privacy_level not in info.privacy_level_options:
        detail = {"account": str(video.account), "options": list(info.privacy_level_options)}
        raise StepFailed("privacy_level_option_mismatch", detail)
    limit = info.max_video_post_duration_sec * 1000
    if limit and asset.duration_ms > limit:
        raise StepFailed(
            "duration_over_account_limit",
            {"duration_ms": asset.duration_ms, "max_ms": limit, "account": str(video.account)},
        )


def _start(claim: Claim, client: TikTokClient, asset: Asset) -> UploadSession:
    plan = chunk_plan(asset.size, single_max=settings.UPLOAD_SINGLE_PART_MAX, target=settings.UPLOAD_PART_TARGET)
    session = session_open(claim, plan=plan, asset=asset)
    crash_point("upload_init_written")
    video = claim.job.video
    inbox = video.mode == PostMode.INBOX
    answer = client.inbox_init(plan) if inbox else client.video_init(post_info(video), plan)
    crash_point("upload_init_answered")
    session_initialised(claim, session, answer)
    crash_point("upload_initialised")
    logger.info("upload_initialised", extra={"job_id": claim.job.pk, "publish_id": answer.publish_id})
    return session


def post_info(video: Video) -> PostInfo:
    """What TikTok is told about the post: exactly what the person confirmed."""
    return PostInfo(
        privacy_level=video.privacy_level,
        title=video.caption,
        disable_comment=video.disable_comment,
        disable_duet=video.disable_duet,
        disable_stitch=video.disable_stitch,
        video_cover_timestamp_ms=video.cover_timestamp_ms,
        brand_content_toggle=video.brand_content_toggle,
        brand_organic_toggle=video.brand_organic_toggle,
        is_aigc=video.is_aigc,
    )
