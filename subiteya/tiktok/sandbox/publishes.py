"""The life of a publish_id: init, bytes, processing, and what TikTok finally says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from subiteya.tiktok.sandbox import hooks, ids, posts
from subiteya.tiktok.sandbox.accounts import Account, account_of
from subiteya.tiktok.sandbox.errors import ApiError
from subiteya.tiktok.sandbox.fault_kinds import POST
from subiteya.tiktok.sandbox.faults import take_fault
from subiteya.tiktok.sandbox.rules import Plan
from subiteya.tiktok.sandbox.store import Row
from subiteya.tiktok.sandbox.world import World

DAY = 86_400
PROCESSING, COMPLETE, INBOX, FAILED = (
    "PROCESSING_UPLOAD",
    "PUBLISH_COMPLETE",
    "SEND_TO_USER_INBOX",
    "FAILED",
)
DIRECT_KIND, INBOX_KIND = "direct", "inbox"
PUBLISH_TYPE = {DIRECT_KIND: "DIRECT_PUBLISH", INBOX_KIND: "INBOX_SHARE"}
#: Processing time doubles for every so many bytes, roughly as TikTok's page tells of 512 MB and 4 GB.
SLOWER_EVERY = 512_000_000


@dataclass(frozen=True)
class Publish:
    """One row of the ledger; names are TikTok's, times Unix seconds, sizes bytes."""

    publish_id: str
    username: str
    kind: str
    url_expires_at: float
    plan: Plan
    uploaded_bytes: int
    bytes_received: int
    title: str
    privacy_level: str
    note: str
    status: str
    fail_reason: str
    created: float
    uploaded_at: float | None
    settled_at: float | None
    sha256: str
    duration: float | None
    check_failure: str
    content_type: str
    has_bytes: bool
    post_id: str

    @property
    def is_open(self) -> bool:
        """May still take bytes."""
        return self.status == PROCESSING and self.uploaded_at is None


def open_publish(
    world: World, account: Account, *, kind: str, plan: Plan, post_info: dict[str, Any], note: str = ""
) -> tuple[str, str]:
    """Start a publish; return (publish_id, token of its upload URL)."""
    now, token = world.now(), ids.new_upload_token()
    publish_id = ids.new_publish_id(kind, now)
    row = {
        "publish_id": publish_id,
        "username": account.username,
        "kind": kind,
        "url_hash": ids.hashed(token),
        "url_expires_at": now + world.settings.upload_url_seconds,
        **plan._asdict(),
        "title": post_info.get("title", ""),
        "privacy_level": post_info.get("privacy_level", ""),
        "post_info": json.dumps(post_info),
        "note": note,
        "status": PROCESSING,
        "created": now,
    }
    world.store.insert("publishes", row)
    return publish_id, token


def publish_of(world: World, publish_id: str) -> Publish | None:
    """The publish, or None."""
    row = world.store.one("SELECT * FROM publishes WHERE publish_id = ?", publish_id)
    return _publish(row) if row else None


def publish_at(world: World, upload_token: str) -> Publish | None:
    """The publish whose upload URL ends in `upload_token`."""
    row = world.store.one("SELECT * FROM publishes WHERE url_hash = ?", ids.hashed(upload_token))
    return _publish(row) if row else None


def list_publishes(world: World, *, username: str = "", limit: int = -1) -> list[Publish]:
    """Newest first."""
    rows = world.store.all(
        "SELECT * FROM publishes WHERE ? IN ('', username) ORDER BY created DESC, rowid DESC LIMIT ?",
        username,
        limit,
    )
    return [_publish(row) for row in rows]


def check_may_post(world: World, account: Account) -> None:
    """Raise the ApiError with which TikTok answers a creator who cannot post now."""
    if account.is_banned:
        raise ApiError("spam_risk_user_banned_from_posting", "The account is banned from posting.")
    if posts_today(world, account) >= cap_of(world, account):
        raise ApiError("spam_risk_too_many_posts", "The daily posting cap of this account is reached.")
    if not world.settings.audited:
        _check_user_cap(world, account)


def check_may_share(world: World, account: Account) -> None:
    """The same for the inbox route."""
    if account.is_banned:
        raise ApiError("spam_risk_user_banned_from_posting", "The account is banned from posting.")
    if pending_shares(world, account) >= world.settings.pending_share_cap:
        raise ApiError("spam_risk_too_many_pending_share", "Too many pending shares within 24 hours.")


def check_privacy(world: World, account: Account, level: str) -> None:
    """The level against the account's options and the audit. Raises ApiError."""
    if level not in account.privacy_level_options:
        raise ApiError("privacy_level_option_mismatch", "privacy_level is not one of the creator's options.")
    if not world.settings.audited and (level != "SELF_ONLY" or not account.is_private):
        raise ApiError(
            "unaudited_client_can_only_post_to_private_accounts",
            "An unaudited app posts SELF_ONLY to private accounts only.",
        )


def cap_of(world: World, account: Account) -> int:
    """Posts that `account` may make in 24 hours: its own cap, or the sandbox's."""
    return world.settings.daily_post_cap if account.daily_post_cap is None else account.daily_post_cap


def posts_today(world: World, account: Account) -> int:
    """Direct posts of the last 24 hours whose bytes all came and that did not fail."""
    return int(
        world.store.value(
            "SELECT COUNT(*) FROM publishes WHERE username = ? AND kind = 'direct' AND uploaded_at > ?"
            " AND status = 'PUBLISH_COMPLETE'",
            account.username,
            world.now() - DAY,
        )
    )


def pending_shares(world: World, account: Account) -> int:
    """Videos of the last 24 hours that wait in the person's inbox."""
    return int(
        world.store.value(
            "SELECT COUNT(*) FROM publishes WHERE username = ? AND uploaded_at > ? AND status = 'SEND_TO_USER_INBOX'",
            account.username,
            world.now() - DAY,
        )
    )


def settle_due(world: World) -> None:
    """Bring every publish whose processing time is over to its outcome; safe to call from anywhere, any time."""
    due = "SELECT publish_id FROM publishes WHERE status = 'PROCESSING_UPLOAD' AND NOT stuck AND settle_at <= ?"
    for row in world.store.all(f"{due} ORDER BY settle_at, rowid", world.now()):
        with world.store.tx():
            still_due = world.store.one(f"{due} AND publish_id = ?", world.now(), row["publish_id"])
            if still_due:
                _settle(world, row["publish_id"])


def processing_time(world: World, size: int) -> float:
    """Seconds from the last byte to the outcome, for a video of `size` bytes."""
    return world.settings.processing_seconds * (1 + size / SLOWER_EVERY)


def fail(world: World, publish: Publish, reason: str, *, at: float | None = None) -> None:
    """End a publish in FAILED, also one that was already complete (then its post goes)."""
    with world.store.tx():
        _end(world, publish.publish_id, FAILED, reason)
        world.store.run("UPDATE posts SET removed = 1 WHERE publish_id = ?", publish.publish_id)
        _event(world, publish, "post.publish.failed", at=at, reason=reason)


def remove_post(world: World, publish: Publish) -> None:
    """A public post that is public no more; the publish itself stays PUBLISH_COMPLETE."""
    removed = world.store.run("UPDATE posts SET removed = 1 WHERE publish_id = ? AND NOT removed", publish.publish_id)
    if removed:
        _event(world, publish, "post.publish.no_longer_publicaly_available", post_id=publish.post_id)


def finish_share(world: World, publish: Publish) -> None:
    """The person finishes an inbox share in the app, and posts it to everyone."""
    with world.store.tx():
        moved = world.store.run(
            "UPDATE publishes SET status = 'PUBLISH_COMPLETE', privacy_level = ?"
            " WHERE publish_id = ? AND status = 'SEND_TO_USER_INBOX'",
            posts.PUBLIC,
            publish.publish_id,
        )
        finished = publish_of(world, publish.publish_id)
        if moved and finished:
            _post(world, finished, world.now())


def _settle(world: World, publish_id: str) -> None:
    publish = publish_of(world, publish_id)
    account = account_of(world, publish.username) if publish else None
    assert publish is not None
    fault = take_fault(world, POST, publish.username)
    if fault and fault.kind == "post_stuck":
        world.store.run("UPDATE publishes SET stuck = 1 WHERE publish_id = ?", publish_id)
        return
    at = float(world.store.value("SELECT settle_at FROM publishes WHERE publish_id = ?", publish_id))
    reason = fault.params["fail_reason"] if fault else _refusal(world, publish, account)
    if reason:
        fail(world, publish, reason, at=at)
    elif publish.kind == INBOX_KIND:
        _end(world, publish_id, INBOX)
        _event(world, publish, "post.publish.inbox_delivered", at=at)
    else:
        _end(world, publish_id, COMPLETE)
        _post(world, publish, at)


def _refusal(world: World, publish: Publish, account: Account | None) -> str:
    """Why TikTok turns down a video that it has in full; empty when it does not."""
    if account is None:
        return "auth_removed"
    if publish.check_failure:
        return publish.check_failure
    if publish.kind == INBOX_KIND:
        full = pending_shares(world, account) >= world.settings.pending_share_cap
        return "spam_risk_too_many_pending_share" if full else ""
    return "spam_risk_too_many_posts" if posts_today(world, account) >= cap_of(world, account) else ""


def _post(world: World, publish: Publish, at: float) -> None:
    public_at = at + world.settings.moderation_seconds if publish.privacy_level == posts.PUBLIC else None
    post_id = posts.add_post(
        world,
        username=publish.username,
        create_time=at,
        title=publish.title,
        duration=publish.duration or 0,
        privacy_level=publish.privacy_level,
        publish_id=publish.publish_id,
        public_at=public_at,
    )
    world.store.run("UPDATE publishes SET post_id = ? WHERE publish_id = ?", post_id, publish.publish_id)
    _event(world, publish, "post.publish.complete", at=at)
    if public_at is not None:
        _event(world, publish, "post.publish.publicly_available", at=public_at, post_id=post_id)


def _end(world: World, publish_id: str, status: str, reason: str = "") -> None:
    world.store.run(
        "UPDATE publishes SET status = ?, fail_reason = ?, settled_at = COALESCE(settle_at, ?) WHERE publish_id = ?",
        status,
        reason,
        world.now(),
        publish_id,
    )


def _event(world: World, publish: Publish, event: str, *, at: float | None = None, **more: Any) -> None:
    content = {"publish_id": publish.publish_id, "publish_type": PUBLISH_TYPE[publish.kind], **more}
    hooks.enqueue(world, publish.username, event, content, at=at)


def _check_user_cap(world: World, account: Account) -> None:
    users = world.store.all(
        "SELECT DISTINCT username FROM publishes WHERE kind = 'direct' AND created > ?", world.now() - DAY
    )
    others = {row["username"] for row in users} - {account.username}
    if len(others) >= world.settings.unaudited_user_cap:
        raise ApiError("reached_active_user_cap", "The app has reached its active users of the day.")


def _publish(row: Row) -> Publish:
    values = {name: row[name] for name in Publish.__dataclass_fields__ if name != "plan"}
    values["has_bytes"] = bool(row["has_bytes"])
    return Publish(plan=Plan(*(row[name] for name in Plan._fields)), **values)
