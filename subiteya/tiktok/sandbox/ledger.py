"""What happened, for people and tests: every publish, and the last calls. No token, code or upload URL in it."""

from __future__ import annotations

from typing import Any

from subiteya.tiktok.sandbox.accounts import all_accounts
from subiteya.tiktok.sandbox.publishes import COMPLETE, Publish, list_publishes, settle_due
from subiteya.tiktok.sandbox.world import World

KEPT_CALLS = 1000


def ledger(world: World, base_url: str, *, username: str = "", limit: int = -1) -> list[dict[str, Any]]:
    """Every publish, newest first; links start with `base_url`."""
    settle_due(world)
    open_ids = {account.username: account.open_id for account in all_accounts(world)}
    counts = "SELECT publish_id, COUNT(*) AS n FROM parts GROUP BY publish_id"
    parts = {row["publish_id"]: row["n"] for row in world.store.all(counts)}
    return [
        _entry(publish, open_ids.get(publish.username, ""), parts.get(publish.publish_id, 0), base_url)
        for publish in list_publishes(world, username=username, limit=limit)
    ]


def record_call(world: World, call: dict[str, Any]) -> None:
    """Add one call to the list, which keeps the newest `KEPT_CALLS`."""
    with world.store.tx():
        newest = world.store.insert("calls", call)
        world.store.run("DELETE FROM calls WHERE id <= ?", newest - KEPT_CALLS)


def recent_calls(world: World, *, limit: int = 100) -> list[dict[str, Any]]:
    """Newest first."""
    return [dict(row) for row in world.store.all("SELECT * FROM calls ORDER BY id DESC LIMIT ?", limit)]


def recent_events(world: World, *, limit: int = 100) -> list[dict[str, Any]]:
    """Webhooks sent or waiting, newest first; `delivered_at` and `next_at` both None: given up."""
    rows = world.store.all("SELECT * FROM events ORDER BY id DESC LIMIT ?", limit)
    return [{key: row[key] for key in row.keys() if key != "body"} for row in rows]  # noqa: SIM118


def _entry(publish: Publish, open_id: str, parts: int, base_url: str) -> dict[str, Any]:
    link = f"{base_url}/@{publish.username}/video/{publish.post_id}" if publish.post_id else ""
    return {
        "publish_id": publish.publish_id,
        "username": publish.username,
        "open_id": open_id,
        "kind": publish.kind,
        "status": publish.status,
        "fail_reason": publish.fail_reason,
        "posted": publish.status == COMPLETE,
        "post_id": publish.post_id,
        "post_url": link,
        "title": publish.title,
        "privacy_level": publish.privacy_level,
        "note": publish.note,
        "video_size": publish.plan.video_size,
        "chunk_size": publish.plan.chunk_size,
        "total_chunk_count": publish.plan.total_chunk_count,
        "parts": parts,
        "uploaded_bytes": publish.uploaded_bytes,
        "bytes_received": publish.bytes_received,
        "sha256": publish.sha256,
        "duration": publish.duration,
        "has_bytes": publish.has_bytes,
        "created": publish.created,
        "url_expires_at": publish.url_expires_at,
        "uploaded_at": publish.uploaded_at,
        "settled_at": publish.settled_at,
    }
