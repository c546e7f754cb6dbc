"""A webhook is a hint: it makes us ask TikTok now; it never decides by itself."""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import AccountEvent, AccountEventKind, TikTokAccount
from accounts.services.tokens import account_lost
from publishing.models import Job, UploadSession, Video, WebhookReceipt
from publishing.queues import ring_after_commit
from publishing.services.jobs import job_ring
from publishing.services.moves import video_note
from publishing.states import JobKind, JobStatus, VideoStatus
from subiteya.lib.tracing import bound
from subiteya.tiktok import WebhookEvent

logger = logging.getLogger(__name__)

_CONNECTIONS = (AccountEventKind.CONNECTED, AccountEventKind.RECONNECTED, AccountEventKind.IMPORTED)
#: TikTok's own spelling.
VISIBILITY = {
    "post.publish.publicly_available": "public_again",
    "post.publish.no_longer_publicaly_available": "no_longer_public",
}


@transaction.atomic
def webhook_heard(*, event: WebhookEvent, body_sha256: str) -> bool:
    """Act on a verified webhook; False for one that was heard before."""
    try:
        with transaction.atomic():
            WebhookReceipt.objects.create(
                body_sha256=body_sha256,
                event=event.event[:64],
                publish_id=event.publish_id[:64],
                open_id=event.user_openid[:128],
                received_at=timezone.now(),
            )
    except IntegrityError:
        return False
    logger.info("webhook_heard", extra={"event": event.event, "publish_id": event.publish_id})
    if event.event == "authorization.removed":
        _authorization_removed(event)
    elif event.event in VISIBILITY:
        _visibility(event)
    elif event.publish_id:
        _look_now(event)
    return True


def _authorization_removed(event: WebhookEvent) -> None:
    """TikTok retries for days: what it says of the time before the account was last connected is over."""
    account = TikTokAccount.objects.filter(open_id=event.user_openid).first()
    if account is None:
        return
    connected = AccountEvent.objects.filter(account=account, kind__in=_CONNECTIONS).aggregate(at=Max("at"))["at"]
    if connected and 0 < event.create_time < int(connected.timestamp()):
        logger.info("webhook_too_late", extra={"account_id": account.pk, "event": event.event})
        return
    account_lost(account=account, reason="auth_removed")


def _visibility(event: WebhookEvent) -> None:
    """A published post came into view, or was taken away: said on the video, which stays published."""
    session = UploadSession.objects.filter(publish_id=event.publish_id).select_related("video").first()
    if session is None or session.video.status != VideoStatus.POSTED:
        _look_now(event)
        return
    code = VISIBILITY[event.event]
    Video.objects.filter(pk=session.video_id).update(reason_code=code if code == "no_longer_public" else "")
    video_note(video=session.video, code=code)


def _look_now(event: WebhookEvent) -> None:
    session = UploadSession.objects.filter(publish_id=event.publish_id).select_related("video").first()
    if session is None:
        return
    jobs = Job.objects.filter(video=session.video_id, status=JobStatus.PROCESSING).select_related("video")
    for job in jobs:
        Job.objects.filter(pk=job.pk, status=JobStatus.PROCESSING).update(run_at=timezone.now())
        job_ring(job)
    if session.video.status == VideoStatus.IN_INBOX:
        with bound(video_id=session.video_id, account_id=session.video.account_id):
            ring_after_commit(JobKind.UPLOAD, "run_inbox_check", session.pk, session.video.trace_id)
