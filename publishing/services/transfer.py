"""Sending the parts: sequential, offset persisted after each, the file's hash compared before the last."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from publishing.errors import LeaseLost, SessionOver, StepFailed
from publishing.models import UploadSession
from publishing.pace import paced
from publishing.services.checksums import quickest
from publishing.services.hashing import HashBeside
from publishing.services.jobs import Claim, job_progress
from publishing.services.sessions import session_last_part, session_move, session_offset
from publishing.states import UploadState
from subiteya.lib.crashing import crash_point
from subiteya.lib.tracing import span
from subiteya.tiktok import (
    ChunkPlan,
    FailureClass,
    PublishStatus,
    RangeMismatch,
    TikTokClient,
    TikTokStatus,
    TikTokUnavailable,
    UploadExpired,
    UploadGone,
    classify_fail_reason,
)

logger = logging.getLogger(__name__)

CONTENT_TYPE = "video/mp4"
RESYNCS = 2


class _Line:
    """One run over the parts of a session."""

    def __init__(
        self, claim: Claim, client: TikTokClient, session: UploadSession, path: Path, hashed: HashBeside, wanted: str
    ) -> None:
        self.claim, self.client, self.session, self.path = claim, client, session, path
        self.hashed, self.wanted = hashed, wanted
        self.plan = ChunkPlan(session.video_size, session.chunk_size, session.total_chunk_count)
        self.ranges = list(self.plan.ranges())
        self.resyncs = 0


def transfer(claim: Claim, client: TikTokClient, session: UploadSession, path: Path) -> None:
    """Send what TikTok does not have yet. Returns when every part was accepted.

    Raises SessionOver (start anew), StepFailed (a person), TikTokError, LeaseLost.
    """
    # The session names the content by its SHA-256; the row of that content may know a sum that is sooner worked out.
    known = session.asset.xxh3 if session.asset.sha256 == session.source_sha256 else None
    begin, wanted = quickest(sha256=session.source_sha256, xxh3=known)
    with HashBeside(path, begin) as hashed:
        _transfer(_Line(claim, client, session, path, hashed, wanted))


def _transfer(line: _Line) -> None:
    session = line.session
    _check_file(line)
    if session.uploaded_bytes:
        _resync(line)
    while session.uploaded_bytes < session.video_size:
        first, last = line.ranges[_index(line)]
        if session.url_expires_at and timezone.now() >= session.url_expires_at:
            _ask_before_over(line, FailureClass.NEUTRAL)
            continue
        _before_part(line, last)
        part = {"subiteya.part": _index(line) + 1, "subiteya.parts": len(line.ranges), "subiteya.first": first}
        with span("part", attributes=part):
            _send(line, first, last)


def _index(line: _Line) -> int:
    return next(i for i, (_first, last) in enumerate(line.ranges) if last >= line.session.uploaded_bytes)


def _before_part(line: _Line, last: int) -> None:
    """Still ours, still the same file? And the whole hash before the part that publishes."""
    line.claim.check()
    _check_file(line)
    line.hashed.up_to(last + 1 + line.session.chunk_size)
    job_progress(line.claim, line.session.uploaded_bytes / line.session.video_size, step="upload", now=time.monotonic)
    if last == line.session.video_size - 1:
        _check_hash(line)
        session_last_part(line.claim, line.session)
        crash_point("upload_last_marked")


def _check_file(line: _Line) -> None:
    if line.path.stat().st_size != line.session.video_size:
        _changed(line)


def _check_hash(line: _Line) -> None:
    """TikTok has no checksum: a file that changed under us must not go out. The whole of it, after a resume too."""
    if line.hashed.digest(line.claim.check) != line.wanted:
        _changed(line)


def _changed(line: _Line) -> None:
    session_move(line.claim, line.session, UploadState.DEAD)
    raise StepFailed("edited_changed")


def _send(line: _Line, first: int, last: int) -> None:
    """One part, with its own retries; before each the real offset is asked."""
    pauses = settings.UPLOAD_PART_PAUSES[: 1 if line.claim.is_probe else None]
    for pause in (*pauses, None):
        try:
            line.client.upload_chunk(
                line.session.upload_url,
                line.path,
                first=first,
                last=last,
                video_size=line.session.video_size,
                content_type=CONTENT_TYPE,
                on_bytes=_show(line, first),
            )
        except TikTokUnavailable as error:
            if pause is None:
                raise
            logger.info("part_cut", extra={"job_id": line.claim.job.pk, "first": first, "code": error.code})
            _sleep(line, pause)
            if _resync(line) != first:
                return
        except RangeMismatch as error:
            _realign(line, error.uploaded_bytes)
            return
        except (UploadExpired, UploadGone) as error:
            _ask_before_over(line, error.breaker)
            return
        else:
            is_last = last == line.session.video_size - 1
            crash_point("upload_last_sent" if is_last else "upload_part_sent")
            session_offset(line.claim, line.session, last + 1)
            crash_point("upload_part_written")
            return


def _show(line: _Line, first: int) -> Callable[[int], None]:
    def show(sent: int) -> None:
        job_progress(line.claim, min(1.0, (first + sent) / line.session.video_size), now=time.monotonic)

    return show


def _resync(line: _Line) -> int:
    """Ask TikTok how far it has the file; return the offset to go on from."""
    try:
        status = line.client.status_fetch(line.session.publish_id)
    except TikTokUnavailable:
        return line.session.uploaded_bytes  # the persisted offset, until a 416 corrects it
    _read_status(line, status)
    return line.session.uploaded_bytes


def _read_status(line: _Line, status: PublishStatus) -> None:
    session = line.session
    if status.status == TikTokStatus.FAILED:
        session_move(line.claim, session, UploadState.FAILED, fail_reason=status.fail_reason, log_id=status.log_id)
        reason = status.fail_reason or "internal"
        raise SessionOver(reason, classify_fail_reason(reason).breaker)
    if status.status != TikTokStatus.PROCESSING_UPLOAD:
        session_offset(line.claim, session, session.video_size)  # later states mean that all of it arrived
        return
    if status.uploaded_bytes is not None:
        boundary = line.plan.boundary_for(status.uploaded_bytes)
        if boundary is not None and boundary != session.uploaded_bytes:
            session_offset(line.claim, session, boundary)


def _realign(line: _Line, reported: int | None) -> None:
    """416: TikTok has another offset than we thought. Its own figure wins, twice at most."""
    line.resyncs += 1
    boundary = line.plan.boundary_for(reported) if reported is not None else None
    if line.resyncs > RESYNCS:
        raise TikTokUnavailable("range_mismatch", "offsets disagree", status=416)
    if boundary is None:
        _resync(line)
    else:
        session_offset(line.claim, line.session, boundary)


def _ask_before_over(line: _Line, breaker: FailureClass) -> None:
    """The address is dead (403, 404, or its hour is over). Unless the last part had arrived, so is the session."""
    if line.session.sent_at:
        status = line.client.status_fetch(line.session.publish_id)
        if status.status != TikTokStatus.PROCESSING_UPLOAD:
            _read_status(line, status)
            return
        if status.uploaded_bytes is None or line.plan.boundary_for(status.uploaded_bytes) == line.session.video_size:
            session_offset(line.claim, line.session, line.session.video_size)  # it is there, or may be: poll
            return
    _over(line, "upload_expired", breaker)


def _over(line: _Line, code: str, breaker: FailureClass) -> None:
    session_move(line.claim, line.session, UploadState.DEAD)
    raise SessionOver(code, breaker)


def _sleep(line: _Line, seconds: float) -> None:
    """Wait ±20 %, but leave at once when the job was taken away."""
    if line.claim.lost.wait(paced(seconds) * random.uniform(0.8, 1.2)):  # noqa: S311
        raise LeaseLost(f"job {line.claim.job.pk}")
