"""One past video, told: what it went through and when. Nothing here touches the database."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from publishing.demo.cast import Brand
from publishing.states import JobKind, JobStatus, PostMode, PrivacyLevel, UploadState, VideoStatus
from subiteya.tiktok import TikTokStatus

V, J, U = VideoStatus, JobStatus, UploadState
#: The pauses of a real upload that fails again and again, in minutes.
PAUSES = (1, 5, 15)
GRACE = timedelta(minutes=30)


@dataclass(frozen=True)
class Step:
    """A change of status of a video or job."""

    at: datetime
    new: str
    code: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    by_person: bool = False


@dataclass
class JobStory:
    kind: JobKind
    steps: list[Step]
    attempt: int = 1


@dataclass
class Session:
    """The conversation with TikTok; `sent_at` None: the bytes never got there."""

    publish_id: str
    init_at: datetime
    state: UploadState = U.UPLOADING
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    tiktok_status: str = ""
    fail_reason: str = ""


class Story:
    """A video that was submitted at `at` for `brand`; call exactly one of the endings."""

    def __init__(
        self, rng: random.Random, brand: Brand, *, at: datetime, due: datetime | None = None, subtitled: bool = False,
        mode: PostMode = PostMode.DIRECT, privacy: PrivacyLevel = PrivacyLevel.PUBLIC_TO_EVERYONE,
        by_lot: bool = False,
    ) -> None:  # fmt: skip
        self._rng = rng
        self.by_lot = by_lot
        self.brand, self.at, self.due, self.subtitled, self.mode = brand, at, due, subtitled, mode
        self.privacy = "" if mode == PostMode.INBOX else str(privacy)
        self.status = V.SCHEDULED if due else V.PENDING
        self.steps = [Step(at, self.status, by_person=True)]
        self.jobs = [JobStory(JobKind.EDIT, [Step(at, J.QUEUED)])]
        self.session: Session | None = None
        self.edited, self.post_id, self.tiktok_status = False, "", ""
        self.posted_at: datetime | None = None

    @property
    def last(self) -> Step:
        return self.steps[-1]

    # Endings

    def posted(self) -> None:
        """Out, perhaps after TikTok had not answered once, or after a look of its moderators."""
        self._edit()
        self._wait()
        self._send(cuts=1 if self._rng.random() < 0.05 else 0)
        public = self.privacy == PrivacyLevel.PUBLIC_TO_EVERYONE
        if public and self._rng.random() < 0.25:
            self._move(V.IN_REVIEW)
            self._pass(20, 900)
        self._settle(U.COMPLETE, TikTokStatus.PUBLISH_COMPLETE)
        self.posted_at = self.at
        self.post_id = self._snowflake() if public else ""
        self._job(J.SUCCEEDED)
        self._move(V.POSTED)

    def in_inbox(self) -> None:
        self._edit()
        self._wait()
        self._send()
        self._settle(U.COMPLETE, TikTokStatus.SEND_TO_USER_INBOX)
        self._job(J.SUCCEEDED)
        self._move(V.IN_INBOX)

    def rejected(self, fail_reason: str, **measured: Any) -> None:
        self._edit()
        self._wait()
        self._send()
        self._settle(U.FAILED, TikTokStatus.FAILED, fail_reason)
        self._fail(V.REJECTED, fail_reason, measured | {"log_id": self._log_id()})

    def failed_upload(self, code: str, **detail: Any) -> None:
        """TikTok did not take it, four times over a quarter of an hour, or for good at once."""
        self._edit()
        self._wait()
        self._begin_upload()
        if code in {"unavailable", "internal_error"}:
            for minutes in PAUSES:
                self._cut(code, minutes)
        self._pass(1, 6)
        if self.session:
            self.session.state, self.session.settled_at = U.DEAD, self.at
        self._fail(V.FAILED_UPLOAD, code, detail | {"log_id": self._log_id()})

    def failed_edit(self, code: str, **detail: Any) -> None:
        self._begin_edit()
        self._pass(5, 40)
        self._fail(V.FAILED_EDIT, code, detail)

    def cancelled(self) -> None:
        """A person changed their mind while it waited for its hour, or for a worker."""
        if self.due:
            self._edit()
            self.at += (self.due - self.at) * self._rng.uniform(0.2, 0.8)
        else:
            self._pass(2, 20)
            self._job(J.CANCELLED, "cancelled_by_person")
        self._move(V.CANCELLED, "cancelled_by_person", by_person=True)

    def missed(self) -> None:
        """Nothing was running at its hour."""
        assert self.due is not None
        self._edit()
        self.at = self.due + GRACE + timedelta(minutes=self._rng.uniform(1, 90))
        self._move(V.MISSED, "missed", {"due": self.due.isoformat()})

    def unconfirmed(self) -> None:
        """TikTok has all of it and did not say a final word for a day."""
        self._edit()
        self._wait()
        self._send()
        self.at += timedelta(hours=24, minutes=3)
        assert self.session is not None
        self.session.state, self.session.tiktok_status = U.UNKNOWN, TikTokStatus.PROCESSING_UPLOAD
        self._fail(V.UNCONFIRMED, "unconfirmed", {"last_code": "unavailable"})

    def upcoming(self) -> None:
        """Edited, and waiting for its hour."""
        self._edit()

    # What endings are made of

    def _begin_edit(self) -> None:
        self._pass(0.3, 4)
        self._job(J.RUNNING)
        self._move(V.EDITING)

    def _edit(self) -> None:
        self._begin_edit()
        self._pass(9, 48)
        self.edited = True
        self._job(J.SUCCEEDED)
        self._move(V.SCHEDULED if self.due else V.EDITED)

    def _wait(self) -> None:
        if self.due:
            self.at = self.due
            self._pass(0.1, 1.5)
            self._move(V.EDITED)

    def _begin_upload(self) -> None:
        self.jobs.append(JobStory(JobKind.UPLOAD, [Step(self.at, J.QUEUED)]))
        self._pass(0.2, 3)
        self._job(J.RUNNING)
        self._move(V.UPLOADING)
        self._pass(0.2, 1.2)
        kind = "inbox" if self.mode == PostMode.INBOX else "pub"
        self.session = Session(f"v_{kind}_file~v2-1.{self._snowflake()}", self.at)

    def _cut(self, code: str, minutes: float) -> None:
        """The line broke; the job waits and starts again."""
        self._pass(1, 8)
        job = self.jobs[-1]
        job.attempt += 1
        detail = {"account": f"@{self.brand.username}", "attempt": job.attempt, "attempts": len(PAUSES) + 1}
        self._job(J.WAITING, code)
        self._move(V.RETRYING, code, detail)
        self.at += timedelta(minutes=minutes)
        self._job(J.RUNNING)
        self._move(V.UPLOADING)

    def _send(self, cuts: int = 0) -> None:
        self._begin_upload()
        for minutes in PAUSES[:cuts]:
            self._cut("unavailable", minutes)
        self._pass(1, 9)
        assert self.session is not None
        self.session.state, self.session.sent_at = U.PROCESSING, self.at
        self._job(J.PROCESSING)
        self._move(V.VERIFYING)
        self._pass(5, 45)

    def _settle(self, state: UploadState, tiktok_status: TikTokStatus, fail_reason: str = "") -> None:
        assert self.session is not None
        self.tiktok_status = tiktok_status
        self.session.state, self.session.settled_at = state, self.at
        self.session.tiktok_status, self.session.fail_reason = tiktok_status, fail_reason

    def _fail(self, to: VideoStatus, code: str, detail: dict[str, Any]) -> None:
        self._job(J.FAILED, code)
        self._move(to, code, {"account": f"@{self.brand.username}"} | detail)

    def _move(self, to: VideoStatus, code: str = "", detail: dict[str, Any] | None = None, **who: bool) -> None:
        self.status = to
        self.steps.append(Step(self.at, to, code, detail or {}, **who))

    def _job(self, to: JobStatus, code: str = "") -> None:
        self.jobs[-1].steps.append(Step(self.at, to, code))

    def _pass(self, low: float, high: float) -> None:
        self.at += timedelta(seconds=self._rng.uniform(low, high))

    def _snowflake(self) -> str:
        """19 digits that begin with the time, like TikTok's ids."""
        return str((int(self.at.timestamp()) << 32) | self._rng.getrandbits(31))

    def _log_id(self) -> str:
        return f"{self.at.astimezone(UTC):%Y%m%d%H%M%S}{self._rng.getrandbits(80):020X}"


#: How a video that did not come out ended, and how often.
Ending = Callable[[Story], None]
FAILURES: tuple[tuple[int, Ending], ...] = (
    (4, lambda story: story.rejected("picture_size_check_failed", width=320, height=568)),
    (3, lambda story: story.rejected("frame_rate_check_failed", fps=18)),
    (3, lambda story: story.rejected("spam_risk_text")),
    (2, lambda story: story.rejected("file_format_check_failed", codec="mpeg4")),
    (4, lambda story: story.failed_upload("unavailable")),
    (2, lambda story: story.failed_upload("upload_expired")),
    (
        2,
        lambda story: story.failed_upload(
            "privacy_level_option_mismatch", options=["FOLLOWER_OF_CREATOR", "SELF_ONLY"]
        ),
    ),
    (3, lambda story: story.failed_edit("subtitles_failed" if story.subtitled else "edit_failed")),
    (1, lambda story: story.failed_edit("edit_timeout")),
)
