"""Upload sessions: opened before TikTok is asked, changed only under the job's fence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import TikTokAccount
from publishing.errors import LeaseLost, StateConflict
from publishing.models import Asset, Job, UploadSession
from publishing.services.jobs import RATE_LIMIT_OWN, Claim
from publishing.states import UPLOAD_ALLOWED, UPLOAD_LIVE, UploadState
from subiteya.lib.crypto import sealed_for
from subiteya.tiktok import ChunkPlan, InitAnswer

#: TikTok's limit: 6 inits a minute per token.
INITS_PER_MINUTE = 6
MINUTE = timedelta(seconds=60)
#: TikTok's address lives an hour; the last minutes are not worth starting a part in.
URL_LIFE = timedelta(minutes=55)


class InitBudgetSpent(Exception):
    """The account has started as many uploads in this minute as TikTok allows; `until` frees a place."""

    def __init__(self, until: Any) -> None:
        self.until = until
        super().__init__(RATE_LIMIT_OWN)


def session_live(video_id: int) -> UploadSession | None:
    """The one session of the video that TikTok could still turn into a post."""
    return UploadSession.objects.filter(video=video_id, state__in=sorted(UPLOAD_LIVE)).first()


@transaction.atomic
def session_open(claim: Claim, *, plan: ChunkPlan, asset: Asset) -> UploadSession:
    """Write that TikTok is about to be asked. The account's row is locked so that the limit counts exactly.

    A former session whose answer never arrived holds no bytes and dies by itself: it is closed here.
    """
    video = claim.job.video
    TikTokAccount.objects.select_for_update().get(pk=video.account_id)
    _fenced(claim)
    now = timezone.now()
    recent = UploadSession.objects.filter(account=video.account_id, init_at__gt=now - MINUTE).order_by("-init_at")
    starts = list(recent.values_list("init_at", flat=True)[:INITS_PER_MINUTE])
    if len(starts) == INITS_PER_MINUTE:
        raise InitBudgetSpent(starts[-1] + MINUTE)
    UploadSession.objects.filter(video=video, state=UploadState.INIT_SENT).update(
        state=UploadState.DEAD, settled_at=now
    )
    return UploadSession.objects.create(
        video=video,
        account=video.account,
        job=claim.job,
        asset=asset,
        video_size=plan.video_size,
        chunk_size=plan.chunk_size,
        total_chunk_count=plan.total_chunk_count,
        source_sha256=asset.sha256,
        init_at=now,
    )


def session_initialised(claim: Claim, session: UploadSession, answer: InitAnswer) -> None:
    """Keep what TikTok answered before any byte is sent."""
    session_move(
        claim,
        session,
        UploadState.INITIALISED,
        publish_id=answer.publish_id,
        upload_url=answer.upload_url,
        url_expires_at=session.init_at + URL_LIFE,
        log_id=answer.log_id,
    )


@transaction.atomic
def session_move(claim: Claim, session: UploadSession, to: UploadState, **fields: Any) -> None:
    """Change the session's state under the fence; StateConflict when somebody else (a cancel) changed it."""
    _fenced(claim)
    old = UploadState(session.state)
    if to != old and to not in UPLOAD_ALLOWED[old]:
        raise StateConflict(f"upload {session.pk}: {old} -> {to}")
    if to not in UPLOAD_LIVE and to != UploadState.INIT_SENT:
        fields.setdefault("settled_at", timezone.now())
        fields["upload_url"] = ""  # a secret of no more use
    stored = sealed_for(session, fields)
    if not UploadSession.objects.filter(pk=session.pk, state=old).update(state=to, **stored):
        raise StateConflict(f"upload {session.pk}: {old} -> {to}")
    session.state = to
    for name, value in fields.items():
        setattr(session, name, value)


def session_offset(claim: Claim, session: UploadSession, uploaded_bytes: int) -> None:
    """Persist how far TikTok has the file."""
    session_move(claim, session, UploadState.UPLOADING, uploaded_bytes=uploaded_bytes)


def session_last_part(claim: Claim, session: UploadSession) -> None:
    """Mark that the last part is about to go: from here on the post may happen, and a cancel comes too late."""
    session_move(claim, session, UploadState.UPLOADING, sent_at=timezone.now())


def _fenced(claim: Claim) -> None:
    """Lock the job's row and make sure that it is still ours, so that this transaction and a cancel exclude."""
    if not Job.objects.select_for_update().filter(pk=claim.job.pk, fence=claim.fence, finished_at=None).exists():
        claim.lost.set()
        raise LeaseLost(f"job {claim.job.pk}")
