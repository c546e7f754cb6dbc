"""Submitting: one source, N accounts, checked whole before anything is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import TikTokAccount, User
from audit.catalogue import Action
from audit.services.recording import audit_record
from publishing.causes import advice, sentence
from publishing.models import Asset, AssetStatus, Batch, SubtitleTrack, TrackStatus, Video, VideoEvent
from publishing.selectors.quotas import next_due, waiting_of
from publishing.services.draws import accounts_lock, subtitles_draw
from publishing.services.jobs import job_create
from publishing.signals import video_created
from publishing.states import JobKind, PostMode, PrivacyLevel, SubtitleChoice, VideoStatus
from subiteya.lib.tracing import current_trace_id, current_traceparent, span
from subiteya.tiktok import TITLE_MAX_UTF16, utf16_len

logger = logging.getLogger(__name__)

#: Errors that say when there is room again: that is their advice.
QUOTAS = frozenset({"quota_waiting"})


@dataclass(frozen=True, kw_only=True)
class AccountChoice:
    """What a person chose for one account. Nothing is allowed unless it was ticked."""

    account: TikTokAccount
    privacy_level: str = ""
    allow_comment: bool = False
    allow_duet: bool = False
    allow_stitch: bool = False
    brand_content: bool = False
    brand_organic: bool = False
    caption: str | None = None


@dataclass(frozen=True)
class FieldError:
    """One thing to mend in the form. `account_id` when it concerns one account's part of it."""

    field: str
    code: str
    detail: dict[str, Any] = dataclass_field(default_factory=dict)
    account_id: int | None = None

    @property
    def sentence(self) -> str:
        said = sentence(self.code, self.detail)
        return f"{said} {advice(self.code, self.detail)}" if self.code in QUOTAS else said


class SubmissionInvalid(Exception):
    """The submission was not taken; `errors` says everything that is wrong, at once."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(error.code for error in errors))


@dataclass(frozen=True, kw_only=True)
class Submission:
    """All of one submission, as `batch_submit` takes it."""

    user: User
    source: Asset
    caption: str
    choices: tuple[AccountChoice, ...]
    mode: PostMode
    subtitles: SubtitleChoice
    track: SubtitleTrack | None
    scheduled_at: datetime | None
    is_aigc: bool
    cover_timestamp_ms: int


def batch_submit(
    *, user: User, source: Asset, caption: str, choices: Sequence[AccountChoice], mode: PostMode,
    subtitles: SubtitleChoice, submission_key: str, track: SubtitleTrack | None = None,
    scheduled_at: datetime | None = None, is_aigc: bool = False, cover_timestamp_ms: int = 0,
) -> Batch:  # fmt: skip
    """Write a batch with a video and an edit job per account, all or nothing, and ring after the commit.

    Where the account asks for an approval the video waits for it, without a job.

    The same `submission_key` again (a double click, a re-sent form) is the same batch. Works while Redis is
    down. `scheduled_at` is aware; None means now. Raises SubmissionInvalid.
    """
    own = Batch.objects.filter(submission_key=submission_key, created_by=user)
    if known := own.first():
        return known
    asked = Submission(
        user=user, source=source, caption=caption.strip(), choices=tuple(choices), mode=mode, subtitles=subtitles,
        track=track if subtitles != SubtitleChoice.NONE else None, scheduled_at=scheduled_at, is_aigc=is_aigc,
        cover_timestamp_ms=cover_timestamp_ms,
    )  # fmt: skip
    errors = list(_errors(asked))
    if errors:
        raise SubmissionInvalid(errors)
    with span("publish", attributes={"subiteya.accounts": len(asked.choices)}):
        try:
            return _write(asked, submission_key)
        except (IntegrityError, SubmissionInvalid) as error:
            if isinstance(error, SubmissionInvalid) and not own.exists():
                raise
            return own.get()  # the same submission, sent twice at once


def batch_draft(asked: Submission) -> list[Video]:
    """The videos as they would be submitted, none of them written. Raises SubmissionInvalid."""
    errors = list(_errors(asked))
    if errors:
        raise SubmissionInvalid(errors)
    batch = Batch(created_by=asked.user, source=asked.source, track=asked.track, subtitles=asked.subtitles)
    return [_video(batch, choice, asked) for choice in asked.choices]


@transaction.atomic
def _write(asked: Submission, submission_key: str) -> Batch:
    """Raises SubmissionInvalid when another submission took the last places of an account meanwhile."""
    accounts_lock(choice.account for choice in asked.choices)
    if full := list(_full_accounts(asked)):
        raise SubmissionInvalid(full)
    batch = Batch.objects.create(
        created_by=asked.user,
        source=asked.source,
        caption=asked.caption,
        subtitles=asked.subtitles,
        track=asked.track,
        submission_key=submission_key,
        trace_id=current_trace_id(),
    )
    by_lot = asked.subtitles == SubtitleChoice.SYSTEM
    for choice in asked.choices:
        video = _video(batch, choice, asked)
        draw = subtitles_draw(video) if by_lot else None
        video.save(force_insert=True)
        if draw:
            draw.save(force_insert=True)
        VideoEvent.objects.create(
            video=video, new=video.status, actor=asked.user, at=timezone.now(), trace_id=video.trace_id
        )
        audit_record(action=Action.VIDEO_PUBLISHED, on=video, details=_audited(video), actor=asked.user)
        video_created.send(Video, video=video)
        if not video.approval_due:
            job_create(video=video, kind=JobKind.EDIT)
    logger.info("batch_submitted", extra={"batch_id": batch.pk, "videos": len(asked.choices)})
    return batch


def _audited(video: Video) -> dict[str, Any]:
    due = video.scheduled_at.isoformat() if video.scheduled_at else ""
    privacy = video.privacy_level
    return {"account": str(video.account), "batch": video.batch_id, "mode": video.mode, "due": due, "privacy": privacy}


def _video(batch: Batch, choice: AccountChoice, asked: Submission) -> Video:
    inbox, waits = asked.mode == PostMode.INBOX, choice.account.needs_approval
    starts = VideoStatus.SCHEDULED if asked.scheduled_at else VideoStatus.PENDING
    return Video(
        batch=batch,
        account=choice.account,
        status=VideoStatus.AWAITING_APPROVAL if waits else starts,
        approval_due=waits,
        mode=asked.mode,
        caption=_caption(choice, asked),
        privacy_level="" if inbox else choice.privacy_level,
        disable_comment=not choice.allow_comment,
        disable_duet=not choice.allow_duet,
        disable_stitch=not choice.allow_stitch,
        brand_content_toggle=choice.brand_content,
        brand_organic_toggle=choice.brand_organic,
        is_aigc=asked.is_aigc,
        cover_timestamp_ms=asked.cover_timestamp_ms,
        subtitle_variant=asked.subtitles,
        scheduled_at=asked.scheduled_at,
        time_zone=choice.account.time_zone,
        trace_id=batch.trace_id,
        traceparent=current_traceparent(),
    )


def _caption(choice: AccountChoice, asked: Submission) -> str:
    return asked.caption if choice.caption is None else choice.caption.strip()


def _errors(asked: Submission) -> Iterator[FieldError]:
    if asked.source.status == AssetStatus.REFUSED:
        yield FieldError("source", asked.source.refused_code, asked.source.refused_detail)
    if asked.scheduled_at and asked.scheduled_at <= timezone.now():
        yield FieldError("scheduled_at", "time_in_past")
    if asked.subtitles != SubtitleChoice.NONE and (asked.track is None or asked.track.asset_id != asked.source.pk):
        yield FieldError("track", "track_required")
    elif asked.track and asked.track.status == TrackStatus.FAILED:
        yield FieldError("track", asked.track.reason_code, asked.track.reason_detail)
    if asked.source.duration_ms and asked.cover_timestamp_ms > asked.source.duration_ms:
        yield FieldError("cover_timestamp_ms", "cover_out_of_range")
    yield from _account_errors(asked)
    yield from _full_accounts(asked)


def _full_accounts(asked: Submission) -> Iterator[FieldError]:
    """Accounts for which as many videos wait as may: one that nobody looks after fills neither disk nor queue."""
    limit = settings.QUOTA_ACCOUNT_WAITING
    accounts = {choice.account.pk: choice.account for choice in asked.choices}
    waiting = waiting_of(accounts) if limit else {}
    for pk, count in sorted(waiting.items()):
        if count >= limit:
            due = next_due(pk)
            until = due.isoformat() if due else gettext("any moment now")
            detail = {"account": str(accounts[pk]), "waiting": count, "limit": limit, "until": until}
            yield FieldError("accounts", "quota_waiting", detail, pk)


def _account_errors(asked: Submission) -> Iterator[FieldError]:
    if not asked.choices:
        yield FieldError("accounts", "no_accounts")
    visible = TikTokAccount.objects.for_user(asked.user).values_list("pk", flat=True)
    mine = set(visible) if asked.user.may_act else set()
    seen: set[int] = set()
    for choice in asked.choices:
        account = choice.account
        if account.pk not in mine:
            yield FieldError("accounts", "account_not_yours", account_id=account.pk)
        if account.pk in seen:
            yield FieldError("accounts", "account_twice", account_id=account.pk)
        seen.add(account.pk)
        yield from _choice_errors(choice, asked)


def _choice_errors(choice: AccountChoice, asked: Submission) -> Iterator[FieldError]:
    account = choice.account
    if not account.is_connected:
        yield FieldError("accounts", "account_disconnected", {"account": str(account)}, account.pk)
    length = utf16_len(_caption(choice, asked))
    if length > TITLE_MAX_UTF16:
        yield FieldError("caption", "caption_too_long", {"length": length, "max_length": TITLE_MAX_UTF16}, account.pk)
    if asked.mode == PostMode.INBOX:
        return
    if choice.privacy_level not in PrivacyLevel.values:
        yield FieldError("privacy_level", "privacy_required", account_id=account.pk)
    if choice.brand_content and choice.privacy_level == PrivacyLevel.SELF_ONLY:
        yield FieldError("privacy_level", "branded_not_private", account_id=account.pk)
