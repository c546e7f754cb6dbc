"""From an event to its one notice, with a copy for each person. Decided by rows alone, so that it can be made up for.

Whoever makes the second notice of an event meets a unique constraint and makes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AccountEvent, AccountEventKind, AccountStatus, User
from monitoring.models import DeliveryChannel
from notices.models import MessageKind, Notice, NoticeCopy, NoticeKind, NoticeMessage
from notices.services.people import approvers_of, people_in_charge, preferences_of, submitter_of
from publishing.causes import CATALOGUE
from publishing.models import CircuitEvent, Video, VideoEvent
from publishing.services.approvals import SENT_BACK
from publishing.services.circuits import THRESHOLD
from publishing.states import FAMILIES, CircuitState, Family, VideoStatus

logger = logging.getLogger(__name__)

#: For how long a mail waits for others to go with it.
WINDOW = timedelta(minutes=2)
RED = FAMILIES[Family.ATTENTION]
#: A move back to where it was tells nobody anything.
UNDONE = "undone"
TAKEN_DOWN, PUBLIC_AGAIN = "no_longer_public", "public_again"
CONNECTED = (AccountEventKind.CONNECTED, AccountEventKind.RECONNECTED, AccountEventKind.IMPORTED)
#: Set apart for these, nothing is told about the circuit: a person did it, or the lost account is told.
TOLD_ELSEWHERE = {"by_person", "account_disconnected"}
#: On their way or waiting: what goes on when an account is connected again.
GOES_ON = [
    VideoStatus.HELD, VideoStatus.EDITED, VideoStatus.UPLOADING, VideoStatus.RETRYING, VideoStatus.DEFERRED,
]  # fmt: skip

Event = TypeVar("Event", VideoEvent, CircuitEvent, AccountEvent)


def notice_safely(make: Callable[[Event], Notice | None], event: Event) -> Notice | None:
    """Make the notice of `event` without any harm to who caused it. What fails is logged, and made up for later."""
    try:
        with transaction.atomic():
            return make(event)
    except IntegrityError:
        return None  # somebody else made it
    except Exception:
        logger.exception("notice_failed", extra={"event": event._meta.label, "pk": event.pk})
        return None


def notice_of_video(event: VideoEvent) -> Notice | None:
    """A video that needs somebody or their approval, came back or out after all, or is gone; None for anything else."""
    kind = _kind_of_video(event)
    if kind is None:
        return None
    detail = event.detail | ({"was": event.old} if kind == NoticeKind.VIDEO_RECOVERED else {"status": event.new})
    return _make(
        kind, account_id=event.video.account_id, video_id=event.video_id, video_event=event,
        code="" if kind == NoticeKind.APPROVAL_DUE else event.code,
        detail=detail, at=event.at, actor_id=event.actor_id,
    )  # fmt: skip


def _kind_of_video(event: VideoEvent) -> NoticeKind | None:
    told = Notice.objects.filter(video=event.video_id, at__lte=event.at)
    if event.old == event.new:
        if event.code == TAKEN_DOWN:
            return NoticeKind.VIDEO_TAKEN_DOWN
        gone = event.code == PUBLIC_AGAIN and told.order_by("-at", "-pk").values_list("kind", flat=True).first()
        return NoticeKind.VIDEO_RECOVERED if gone == NoticeKind.VIDEO_TAKEN_DOWN else None
    if event.new == VideoStatus.AWAITING_APPROVAL:
        return None if event.code == UNDONE else NoticeKind.APPROVAL_DUE
    if event.code == SENT_BACK:
        return NoticeKind.SENT_BACK
    if event.new in RED and event.code != UNDONE:
        return NoticeKind.VIDEO_FAILED
    if event.new == VideoStatus.POSTED and told.filter(kind=NoticeKind.VIDEO_FAILED).exists():
        return NoticeKind.VIDEO_RECOVERED
    return None


def notice_of_circuit(event: CircuitEvent) -> Notice | None:
    """An account that the breaker paused or set apart, and the end of that. A failed try in between tells nothing."""
    if event.old == event.new:
        return None
    account: dict[str, Any] = {"account_id": event.account_id, "circuit_event": event, "at": event.at}
    account["actor_id"] = event.actor_id
    if event.new == CircuitState.OPEN and event.old == CircuitState.CLOSED:
        detail = {"failures": THRESHOLD, "last_code": event.code, "video": event.video_id}
        return _make(NoticeKind.ACCOUNT_PAUSED, code="circuit_open", detail=detail, **account)
    if event.new == CircuitState.ISOLATED and event.code not in TOLD_ELSEWHERE:
        if event.account.status != AccountStatus.CONNECTED:
            return None
        return _make(NoticeKind.ACCOUNT_PAUSED, code=event.code, detail={}, **account)
    if event.new == CircuitState.CLOSED and _latest_of_account(event) == NoticeKind.ACCOUNT_PAUSED:
        held = Video.objects.filter(account=event.account_id, status=VideoStatus.HELD).count()
        return _make(NoticeKind.ACCOUNT_RESUMED, code="circuit_closed", detail={"waiting": held}, **account)
    return None


def notice_of_account(event: AccountEvent) -> Notice | None:
    """An account that was lost, and one that is connected again after that."""
    values: dict[str, Any] = {"account_id": event.account_id, "account_event": event, "at": event.at}
    values["actor_id"] = event.actor_id
    if event.kind == AccountEventKind.DISCONNECTED:
        code = event.reason if event.reason in CATALOGUE else "account_disconnected"
        return _make(NoticeKind.ACCOUNT_LOST, code=code, detail={}, **values)
    if event.kind in CONNECTED and _latest_of_account(event, paused=False) == NoticeKind.ACCOUNT_LOST:
        waiting = Video.objects.filter(account=event.account_id, status__in=GOES_ON).count()
        return _make(NoticeKind.ACCOUNT_BACK, code="", detail={"waiting": waiting}, **values)
    return None


def _latest_of_account(event: CircuitEvent | AccountEvent, *, paused: bool = True) -> str | None:
    """What people were told last about the account itself before `event`."""
    kinds = [NoticeKind.ACCOUNT_LOST, NoticeKind.ACCOUNT_BACK]
    if paused:
        kinds += [NoticeKind.ACCOUNT_PAUSED, NoticeKind.ACCOUNT_RESUMED]
    told = Notice.objects.filter(account=event.account_id, kind__in=kinds, at__lte=event.at)
    return told.order_by("-at", "-pk").values_list("kind", flat=True).first()


def _make(kind: NoticeKind, *, account_id: int, actor_id: int | None, **fields: Any) -> Notice:
    notice = Notice.objects.create(kind=kind, account_id=account_id, **fields)
    copies = [_copy(notice, person, actor_id) for person in _people(notice)]
    NoticeCopy.objects.bulk_create(copy for copy in copies if copy.shown or copy.mail_at)
    if settings.NOTICE_WEBHOOK_URL:
        now = timezone.now()
        NoticeMessage.objects.create(
            channel=DeliveryChannel.WEBHOOK, kind=MessageKind.NOTICES, notice=notice, next_at=now, made_at=now
        )
    return notice


def _people(notice: Notice) -> list[User]:
    """Whom it concerns: mostly those in charge of the account."""
    if notice.kind == NoticeKind.APPROVAL_DUE and notice.video:
        return approvers_of(notice.account_id, notice.video.batch.created_by_id)
    if notice.kind == NoticeKind.SENT_BACK and notice.video:
        return submitter_of(notice.video)
    return people_in_charge(notice.account_id)


def _copy(notice: Notice, person: User, actor_id: int | None) -> NoticeCopy:
    """What a person did themselves is there for them, read, and comes by no mail."""
    wants, now, own = preferences_of(person), timezone.now(), person.pk == actor_id
    mailed = settings.NOTICE_MAILS and person.email and wants.by_mail(notice.topic) and not own
    return NoticeCopy(
        notice=notice, user=person, at=notice.at, shown=wants.in_app(notice.topic), read_at=now if own else None,
        mail_at=now + WINDOW if mailed else None,
    )  # fmt: skip
