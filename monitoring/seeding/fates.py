"""How videos end: most are published, some fail and are mended, a few wait for a person, a few are at work now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from monitoring.seeding.days import DAY, HOUR, MINUTE, BadHours, text_of
from monitoring.seeding.lives import COOL_DOWN, Life

#: What takes longer is told only of videos that are so old.
CALM = 4 * HOUR
#: Shares of all submissions, one after the other.
CANCELLED, FAILED_EDIT, MISSED, CUT, REJECTED, EXPIRED, UNCONFIRMED, DEFERRED = (
    0.016, 0.028, 0.033, 0.075, 0.095, 0.102, 0.104, 0.108,
)  # fmt: skip
REJECTIONS = ("picture_size_check_failed", "frame_rate_check_failed", "spam_risk_text", "file_format_check_failed")
DENIED_SHARE, GIVEN_UP_SHARE = 0.4, 0.35
LEASE = 80


def lived(life: Life, bad: BadHours) -> None:
    """Live a video to its end; when that is a failure, a person mends it."""
    fate, now = life.world.random(), life.world.now
    calm = max(life.t, life.due) > now - CALM
    if fate < CANCELLED:
        cancelled(life)
    elif fate < FAILED_EDIT and not calm:
        failed_edit(life)
        mended(life)
    elif fate < MISSED and life.due and not calm:
        missed(life)
        mended(life)
    else:
        _sent(life, bad, fate, calm=calm)


def _sent(life: Life, bad: BadHours, fate: float, *, calm: bool) -> None:
    life.edit()
    life.wait()
    until = 0 if calm else bad.ends(life.account.id, life.account.sector, life.t)
    if until or life.account.paused_until > life.t:
        if life.bad_hour(until):
            life.send()
            life.post()
        else:
            life.fail("failed_upload", "unavailable", _of(life))
            mended(life)
    elif calm or fate > DEFERRED or fate < MISSED:
        life.out()
    elif fate < CUT:
        life.upload()
        life.cut()
        life.again()
        life.send()
        life.post()
    elif fate < UNCONFIRMED or life.t > life.world.now - 2 * DAY:
        (rejected if fate < REJECTED else expired if fate < EXPIRED else unconfirmed)(life)
        mended(life)
    else:
        deferred(life)
        life.t = life.resume_at
        life.run()
        life.send()
        life.post()


def cancelled(life: Life) -> None:
    """A person changed their mind while it waited."""
    if life.due:
        life.edit()
        life.t += int(max(0, life.due - life.t) * life.world.random() * 0.9)
    else:
        life.open("edit")
        life.t += 2 + int(life.world.random() * 20)
        life.close("cancelled", "cancelled_by_person")
    life.move("cancelled", "cancelled_by_person", person=life.person)


def failed_edit(life: Life) -> None:
    life.open("edit")
    life.t += 2
    life.job_to("running")
    life.move("editing")
    life.t += 5 + int(life.world.random() * 60)
    life.fail("failed_edit", "edit_timeout" if life.world.random() < 0.2 else "edit_failed", _of(life))


def missed(life: Life) -> None:
    """Nothing was running at its hour."""
    life.edit()
    life.t = max(life.t, life.due) + 31 * MINUTE
    life.has_failed = True
    life.move("missed", "missed", f'{{"due": "{text_of(life.due).replace(" ", "T")}+00:00"}}')


def rejected(life: Life) -> None:
    life.upload()
    life.send()
    life.tiktok_status = "FAILED"
    life.fail(
        "rejected", REJECTIONS[int(life.world.random() * len(REJECTIONS))], _of(life, '"width": 320, "height": 568')
    )


def expired(life: Life) -> None:
    life.upload()
    life.t += 20
    life.fail("failed_upload", "upload_expired", _of(life))


def unconfirmed(life: Life) -> None:
    """TikTok has all of it and did not say a final word."""
    life.upload()
    life.send()
    life.t += min(DAY, (life.world.now - life.t) // 2)
    life.tiktok_status, life.has_failed = "PROCESSING_UPLOAD", True
    life.close("failed", "unconfirmed")
    life.move("unconfirmed", "unconfirmed", _of(life, '"last_code": "unavailable"'))


def in_inbox(life: Life) -> None:
    """Sent where a person publishes it by hand."""
    life.mode = "inbox"
    life.upload()
    life.send()
    life.tiktok_status = "SEND_TO_USER_INBOX"
    life.settle("complete", life.tiktok_status)
    life.close("succeeded")
    life.move("in_inbox")


def deferred(life: Life) -> None:
    """The day's cap is reached: the next morning."""
    life.upload()
    life.settle("dead")
    life.resume_at = (life.t // DAY + 1) * DAY + 12 * HOUR + int(life.world.random() * HOUR)
    life.job_to("waiting", "spam_risk_too_many_posts")
    life.move("deferred", "spam_risk_too_many_posts", _of(life))


def mended(life: Life) -> None:
    """Within the next day or two: tried again and published, or given up."""
    world = life.world
    left = world.now - 25 * MINUTE - life.t
    life.t += int(min(left, 2 * DAY) * world.random() ** 3) if left > 0 else 0
    if world.random() < GIVEN_UP_SHARE:
        life.settle("dead")
        life.move("cancelled", "cancelled_by_person", person=life.person)
        return
    if life.status == "unconfirmed" and world.random() > DENIED_SHARE:
        life.post(code="confirmed_by_person", person=life.person)
        return
    if life.status == "failed_edit":
        life.move("pending", "retry_by_person", person=life.person)
        life.t += 1
        life.edit()
        life.wait()
    else:
        life.settle("dead")
        code = "denied_by_person" if life.status == "unconfirmed" else "retry_by_person"
        life.move("edited", code, person=life.person)
    life.out()


def stuck(life: Life) -> None:
    """It needs a person, and nobody was there yet."""
    way = life.world.random()
    age = life.world.now - max(life.t, life.due)
    if way < 0.2:
        failed_edit(life)
    elif way < 0.3 and life.due and age > 2 * HOUR:
        missed(life)
    else:
        life.edit()
        life.wait()
        if way < 0.6:
            rejected(life)
        elif way < 0.65 and age > 2 * HOUR:
            unconfirmed(life)
            life.settle("unknown", life.tiktok_status, live=True)
        elif way < 0.72:
            in_inbox(life)
        else:
            expired(life)


def _of(life: Life, more: str = "") -> str:
    account = f'"account": "@{life.account.username}"'
    return f"{{{account}, {more}}}" if more else f"{{{account}}}"


# What is at work now


def _planned(life: Life) -> None:
    life.edit()


def _pending(life: Life) -> None:
    life.open("edit")
    life.job_write()


def _editing(life: Life) -> None:
    life.open("edit")
    life.job_to("running")
    life.move("editing")
    life.job_write(lease=life.world.now + LEASE)


def _edited(life: Life) -> None:
    life.edit()
    life.open("upload")
    life.job_write()


def _uploading(life: Life) -> None:
    life.edit()
    life.upload()
    life.settle("uploading", live=True)
    life.job_write(lease=life.world.now + LEASE)


def _verifying(life: Life) -> None:
    life.edit()
    life.upload()
    life.send()
    life.settle("processing", "PROCESSING_UPLOAD", live=True)
    life.job_write()


def _in_review(life: Life) -> None:
    _verifying(life)
    life.move("in_review")


def _retrying(life: Life) -> None:
    life.edit()
    life.upload()
    life.cut()
    life.job_write()


def _deferred(life: Life) -> None:
    life.edit()
    deferred(life)
    life.job_write()


def _held(life: Life) -> None:
    """The first of an account fails three times, the others wait behind it."""
    life.edit()
    life.upload()
    account, now = life.account, life.world.now
    if account.paused_until <= now:
        for _turn in range(2):
            life.cut()
            life.again()
        account.paused_until = life.broken() + COOL_DOWN
    life.hold()
    life.job_write()


def _approval(_life: Life) -> None:
    """Nothing is done before somebody approves it."""


#: What is at work now: how many of each in a history of some size, and how they came there.
NOW: Mapping[str, tuple[int, Callable[[Life], None]]] = MappingProxyType({
    "scheduled": (300, _planned), "pending": (12, _pending), "editing": (2, _editing), "edited": (15, _edited),
    "uploading": (4, _uploading), "verifying": (8, _verifying), "in_review": (20, _in_review),
    "retrying": (6, _retrying), "held": (12, _held), "deferred": (10, _deferred),
    "awaiting_approval": (15, _approval),
})  # fmt: skip
