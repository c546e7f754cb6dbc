"""Every state and every permitted change, on one page. docs/states.md draws it; nothing else may decide it."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class VideoStatus(TextChoices):
    """Where one source for one account stands. The word carries the detail, the family its colour."""

    DRAFT = "draft", _("Draft")
    AWAITING_APPROVAL = "awaiting_approval", _("Awaiting approval")
    IN_INBOX = "in_inbox", _("In your TikTok inbox")
    SCHEDULED = "scheduled", _("Scheduled")
    PENDING = "pending", _("Queued for editing")
    EDITED = "edited", _("Queued for upload")
    DEFERRED = "deferred", _("Put off to the next window")
    EDITING = "editing", _("Editing")
    UPLOADING = "uploading", _("Uploading")
    VERIFYING = "verifying", _("TikTok is processing it")
    IN_REVIEW = "in_review", _("TikTok is reviewing it")
    RETRYING = "retrying", _("Retrying")
    HELD = "held", _("Held: account paused")
    FAILED_EDIT = "failed_edit", _("Edit failed")
    FAILED_UPLOAD = "failed_upload", _("Upload failed")
    REJECTED = "rejected", _("Rejected by TikTok")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")
    MISSED = "missed", _("Its time passed")
    POSTED = "posted", _("Published")
    CANCELLED = "cancelled", _("Cancelled")


class Family(StrEnum):
    """Colour and icon of a status: grey, blue, indigo, amber, red, green, and the muted `ended`."""

    YOURS = "yours"
    QUEUED = "queued"
    WORKING = "working"
    WAITING = "waiting"
    ATTENTION = "attention"
    DONE = "done"
    ENDED = "ended"


V = VideoStatus
FAMILIES: dict[Family, frozenset[VideoStatus]] = {
    Family.YOURS: frozenset({V.DRAFT, V.AWAITING_APPROVAL, V.IN_INBOX}),
    Family.QUEUED: frozenset({V.SCHEDULED, V.PENDING, V.EDITED, V.DEFERRED}),
    Family.WORKING: frozenset({V.EDITING, V.UPLOADING, V.VERIFYING}),
    Family.WAITING: frozenset({V.IN_REVIEW, V.RETRYING, V.HELD}),
    Family.ATTENTION: frozenset({V.FAILED_EDIT, V.FAILED_UPLOAD, V.REJECTED, V.UNCONFIRMED, V.MISSED}),
    Family.DONE: frozenset({V.POSTED}),
    Family.ENDED: frozenset({V.CANCELLED}),
}
FAMILY_OF: dict[VideoStatus, Family] = {status: family for family, statuses in FAMILIES.items() for status in statuses}

#: Where a retry, or another time, took a video from: an undo puts it back there.
_MENDED = frozenset({V.FAILED_EDIT, V.FAILED_UPLOAD, V.REJECTED, V.MISSED})
_EDIT_ENDS = _MENDED | {V.EDITED, V.SCHEDULED, V.RETRYING, V.PENDING, V.HELD, V.CANCELLED}
_UPLOAD_ENDS = _MENDED | {
    V.VERIFYING, V.EDITED, V.RETRYING, V.DEFERRED, V.HELD, V.UNCONFIRMED, V.CANCELLED, V.POSTED, V.IN_REVIEW,
    V.IN_INBOX,
}  # fmt: skip
_TIKTOK_ENDS = frozenset(
    {V.POSTED, V.IN_REVIEW, V.IN_INBOX, V.REJECTED, V.FAILED_UPLOAD, V.UNCONFIRMED, V.RETRYING, V.DEFERRED, V.HELD}
)

#: What each status may become. Only `video_move` changes a status, and only along these.
VIDEO_ALLOWED: dict[VideoStatus, frozenset[VideoStatus]] = {
    V.DRAFT: frozenset({V.AWAITING_APPROVAL, V.SCHEDULED, V.PENDING, V.CANCELLED}),
    # Back to a red one, as always, and to a held one, only by the undo of an act.
    V.AWAITING_APPROVAL: _MENDED | {V.DRAFT, V.SCHEDULED, V.PENDING, V.EDITED, V.HELD, V.CANCELLED},
    V.PENDING: _MENDED | {V.EDITING, V.HELD, V.CANCELLED, V.AWAITING_APPROVAL},
    V.SCHEDULED: _MENDED | {V.EDITING, V.EDITED, V.PENDING, V.DEFERRED, V.HELD, V.CANCELLED, V.AWAITING_APPROVAL},
    V.EDITING: _EDIT_ENDS | {V.AWAITING_APPROVAL},
    V.EDITED: _MENDED | {V.UPLOADING, V.HELD, V.DEFERRED, V.UNCONFIRMED, V.CANCELLED, V.SCHEDULED,
                         V.AWAITING_APPROVAL},
    V.UPLOADING: _UPLOAD_ENDS,
    V.VERIFYING: _TIKTOK_ENDS,
    V.IN_REVIEW: _TIKTOK_ENDS - {V.IN_REVIEW},
    V.IN_INBOX: frozenset({V.POSTED, V.CANCELLED, V.REJECTED}),
    V.RETRYING: _MENDED | {V.EDITING, V.UPLOADING, V.VERIFYING, V.PENDING, V.EDITED, V.HELD, V.UNCONFIRMED,
                           V.CANCELLED},
    V.DEFERRED: _MENDED | {V.EDITED, V.UPLOADING, V.HELD, V.CANCELLED, V.UNCONFIRMED, V.SCHEDULED},
    V.HELD: _MENDED | {V.PENDING, V.EDITED, V.UPLOADING, V.SCHEDULED, V.DEFERRED, V.RETRYING, V.CANCELLED,
                       V.UNCONFIRMED, V.AWAITING_APPROVAL},
    V.FAILED_EDIT: frozenset({V.PENDING, V.SCHEDULED, V.CANCELLED, V.AWAITING_APPROVAL}),
    V.FAILED_UPLOAD: frozenset({V.EDITED, V.PENDING, V.SCHEDULED, V.CANCELLED, V.AWAITING_APPROVAL}),
    V.REJECTED: frozenset({V.PENDING, V.EDITED, V.SCHEDULED, V.CANCELLED, V.AWAITING_APPROVAL}),
    V.UNCONFIRMED: frozenset({V.POSTED, V.EDITED, V.VERIFYING, V.IN_INBOX, V.REJECTED, V.FAILED_UPLOAD,
                              V.CANCELLED}),
    V.MISSED: frozenset({V.PENDING, V.EDITED, V.SCHEDULED, V.CANCELLED, V.AWAITING_APPROVAL}),
    V.POSTED: frozenset(),
    V.CANCELLED: _MENDED | {V.DRAFT, V.AWAITING_APPROVAL, V.SCHEDULED, V.PENDING, V.EDITED, V.DEFERRED, V.RETRYING,
                            V.HELD, V.UNCONFIRMED},
}  # fmt: skip
VIDEO_TERMINAL = frozenset({V.POSTED, V.CANCELLED, V.IN_INBOX}) | FAMILIES[Family.ATTENTION]
VIDEO_RETRYABLE = FAMILIES[Family.ATTENTION] - {V.UNCONFIRMED}
#: A cancel is safe here: nothing that TikTok could still complete exists.
VIDEO_CANCELLABLE = frozenset(
    {V.DRAFT, V.AWAITING_APPROVAL, V.SCHEDULED, V.PENDING, V.EDITED, V.DEFERRED, V.EDITING, V.RETRYING, V.HELD,
     V.UPLOADING}
) | FAMILIES[Family.ATTENTION]  # fmt: skip
#: A person may hold these: they are on their way, and TikTok has nothing whole of them.
VIDEO_HOLDABLE = frozenset({V.SCHEDULED, V.PENDING, V.EDITED, V.DEFERRED, V.EDITING, V.RETRYING, V.HELD, V.UPLOADING})
#: The cause of a video that a person holds: nothing but a person moves it.
HELD_BY_PERSON = "held_by_person"


class ActKind(TextChoices):
    """What a person asks of many videos at once."""

    RETRY = "retry", _("Retry")
    HOLD = "hold", _("Hold")
    RELEASE = "release", _("Let go")
    RESCHEDULE = "reschedule", _("Change the time")
    CANCEL = "cancel", _("Cancel")
    APPROVE = "approve", _("Approve")


class JobKind(TextChoices):
    EDIT = "edit", _("Edit")
    UPLOAD = "upload", _("Upload")


class JobStatus(TextChoices):
    """`failed` was expected and has a reason for a person; `errored` is a bug and has a traceback."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting")
    HELD = "held", _("Held: account paused")
    PROCESSING = "processing", _("TikTok is processing it")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    ERRORED = "errored", _("Errored")
    CANCELLED = "cancelled", _("Cancelled")


J = JobStatus
JOB_TERMINAL = frozenset({J.SUCCEEDED, J.FAILED, J.ERRORED, J.CANCELLED})
JOB_ACTIVE = frozenset(JobStatus) - JOB_TERMINAL
#: Statuses in which the row waits for a worker; `waiting` and `processing` only once `run_at` has come.
JOB_CLAIMABLE = frozenset({J.QUEUED, J.WAITING, J.PROCESSING})
JOB_ALLOWED: dict[JobStatus, frozenset[JobStatus]] = {
    J.QUEUED: frozenset({J.RUNNING, J.WAITING, J.HELD, J.CANCELLED, J.FAILED, J.ERRORED}),
    J.RUNNING: frozenset({J.QUEUED, J.WAITING, J.HELD, J.PROCESSING} | JOB_TERMINAL),
    J.WAITING: frozenset({J.QUEUED, J.RUNNING, J.HELD, J.CANCELLED, J.FAILED, J.ERRORED}),
    J.HELD: frozenset({J.QUEUED, J.CANCELLED, J.FAILED, J.ERRORED}),
    J.PROCESSING: frozenset({J.RUNNING, J.WAITING, J.HELD} | JOB_TERMINAL),
    J.SUCCEEDED: frozenset(),
    J.FAILED: frozenset(),
    J.ERRORED: frozenset(),
    J.CANCELLED: frozenset(),
}


class CircuitState(TextChoices):
    """Whether an account takes uploads. `open` ends by itself, `isolated` only by a person."""

    CLOSED = "closed", _("Publishes")
    OPEN = "open", _("Paused")
    HALF_OPEN = "half_open", _("Trying one")
    ISOLATED = "isolated", _("Set apart")


C = CircuitState
CIRCUIT_ALLOWED: dict[CircuitState, frozenset[CircuitState]] = {
    C.CLOSED: frozenset({C.OPEN, C.ISOLATED}),
    C.OPEN: frozenset({C.HALF_OPEN, C.CLOSED, C.ISOLATED}),
    C.HALF_OPEN: frozenset({C.CLOSED, C.OPEN, C.ISOLATED}),
    C.ISOLATED: frozenset({C.OPEN, C.CLOSED}),
}


class UploadState(TextChoices):
    """One `publish_id`. LIVE ones could still become a post, so a video has at most one of them."""

    INIT_SENT = "init_sent", _("Asked TikTok to start")
    INITIALISED = "initialised", _("Ready to send")
    UPLOADING = "uploading", _("Sending parts")
    UNKNOWN = "unknown", _("Outcome unknown")
    PROCESSING = "processing", _("TikTok is processing it")
    COMPLETE = "complete", _("Complete")
    FAILED = "failed", _("Failed")
    DEAD = "dead", _("Can never complete")


U = UploadState
UPLOAD_LIVE = frozenset({U.INITIALISED, U.UPLOADING, U.UNKNOWN, U.PROCESSING})
UPLOAD_ALLOWED: dict[UploadState, frozenset[UploadState]] = {
    U.INIT_SENT: frozenset({U.INITIALISED, U.FAILED, U.DEAD}),
    U.INITIALISED: frozenset({U.UPLOADING, U.PROCESSING, U.UNKNOWN, U.FAILED, U.DEAD, U.COMPLETE}),
    U.UPLOADING: frozenset({U.UNKNOWN, U.PROCESSING, U.FAILED, U.DEAD, U.COMPLETE}),
    U.UNKNOWN: frozenset({U.UPLOADING, U.PROCESSING, U.COMPLETE, U.FAILED, U.DEAD}),
    U.PROCESSING: frozenset({U.COMPLETE, U.FAILED, U.UNKNOWN, U.DEAD}),
    U.COMPLETE: frozenset(),
    U.FAILED: frozenset(),
    U.DEAD: frozenset(),
}


class SubtitleChoice(TextChoices):
    """What the CM asked for; `Video.subtitle_variant` records what the video got."""

    NONE = "none", _("Without subtitles")
    AUTO = "auto", _("Automatic subtitles")
    FILE = "file", _("Subtitle file")
    #: Only a batch: each of its videos is drawn `auto` or `none`.
    SYSTEM = "system", _("Let the system choose")


#: What a video can have got, and what is counted by.
SUBTITLE_VARIANTS = (SubtitleChoice.NONE, SubtitleChoice.AUTO, SubtitleChoice.FILE)


class SubtitleAssignment(TextChoices):
    """Who decided whether a video has subtitles: only a draw allows to say what they cause."""

    PERSON = "person", _("A person")
    DRAW = "draw", _("By lot")


class PostMode(TextChoices):
    DIRECT = "direct", _("Publish directly")
    INBOX = "inbox", _("Send to the TikTok inbox")


class PrivacyLevel(TextChoices):
    """TikTok's own values."""

    PUBLIC_TO_EVERYONE = "PUBLIC_TO_EVERYONE", _("Everyone")
    MUTUAL_FOLLOW_FRIENDS = "MUTUAL_FOLLOW_FRIENDS", _("Friends")
    FOLLOWER_OF_CREATOR = "FOLLOWER_OF_CREATOR", _("Followers")
    SELF_ONLY = "SELF_ONLY", _("Only me")
