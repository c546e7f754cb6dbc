"""Posts as the world sees them: made by a publish, or registered from outside so that old links live."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from subiteya.tiktok.sandbox import ids
from subiteya.tiktok.sandbox.accounts import PRIVACY_LEVELS, account_of
from subiteya.tiktok.sandbox.store import Row
from subiteya.tiktok.sandbox.world import World

COUNTS = ("view_count", "like_count", "comment_count", "share_count")
PUBLIC = "PUBLIC_TO_EVERYONE"
_FIELDS = {"username", "post_id", "create_time", "title", "duration", "privacy_level", *COUNTS}


@dataclass(frozen=True)
class Post:
    """A post on a profile. Times in Unix seconds, duration in seconds; a count of None grows by itself."""

    post_id: str
    username: str
    publish_id: str
    create_time: int
    #: Place in the profile, in milliseconds; differs for every post of an account.
    cursor: int
    title: str
    duration: int
    privacy_level: str
    #: When moderation lets the world see it; None for posts that are not public.
    public_at: float | None
    removed: bool
    view_count: int | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None

    def is_public(self, now: float) -> bool:
        """Whether anybody may see it at `now`."""
        return self.public_at is not None and self.public_at <= now and not self.removed

    def counts(self, now: float) -> dict[str, int]:
        """View, like, comment and share counts at `now`: the registered ones, or a believable growth with age."""
        grown = _grown(self.post_id, now - self.create_time, self.view_count)
        return {name: value if (value := getattr(self, name)) is not None else grown[name] for name in COUNTS}


def add_post(
    world: World,
    *,
    username: str,
    create_time: float,
    title: str,
    duration: float,
    privacy_level: str,
    post_id: str = "",
    publish_id: str = "",
    public_at: float | None = None,
    counts: Mapping[str, int] | None = None,
) -> str:
    """Put a post on the profile of `username`; return its id (a new one when none is given)."""
    post_id = post_id or ids.snowflake(create_time)
    row = {
        "post_id": post_id,
        "username": username,
        "publish_id": publish_id,
        "create_time": int(create_time),
        "title": title,
        "duration": round(duration),
        "privacy_level": privacy_level,
        "public_at": public_at,
        **(counts or {}),
    }
    with world.store.tx():
        taken = "SELECT MAX(cursor) FROM posts WHERE username = ? AND cursor BETWEEN ? AND ?"
        base = int(create_time) * 1000
        top = world.store.value(taken, username, base, base + 999)
        world.store.insert("posts", row | {"cursor": base if top is None else top + 1})
    return post_id


def register_posts(world: World, entries: Iterable[Any]) -> tuple[int, int]:
    """Register posts from outside; the same id again changes title, duration and counts. All or nothing.

    Each entry: username, post_id, create_time (Unix seconds), and optionally title, duration (seconds),
    privacy_level, view_count, like_count, comment_count, share_count. Returns (new, changed). Raises ValueError.
    """
    new = changed = 0
    with world.store.tx():
        for index, entry in enumerate(entries):
            fresh = _register(world, _checked(world, index, entry))
            new, changed = new + fresh, changed + (not fresh)
    return new, changed


def post_of(world: World, post_id: str) -> Post | None:
    """The post, removed ones too, or None."""
    row = world.store.one("SELECT * FROM posts WHERE post_id = ?", post_id)
    return _post(row) if row else None


def posts_of(world: World, username: str, *, before: int = 2**62, limit: int = 20, public_only: bool) -> list[Post]:
    """Newest first, from the cursor `before` (exclusive) on."""
    rows = world.store.all(
        "SELECT * FROM posts WHERE username = ? AND cursor < ? AND NOT removed"
        " AND (NOT ? OR public_at <= ?) ORDER BY cursor DESC LIMIT ?",
        username,
        before,
        public_only,
        world.now(),
        limit,
    )
    return [_post(row) for row in rows]


def _register(world: World, entry: dict[str, Any]) -> bool:
    counts = {name: entry[name] for name in COUNTS if entry.get(name) is not None}
    level = entry.get("privacy_level", PUBLIC)
    title, duration = entry.get("title", ""), entry.get("duration", 0)
    if post_of(world, entry["post_id"]) is None:
        add_post(
            world,
            username=entry["username"],
            post_id=entry["post_id"],
            create_time=entry["create_time"],
            title=title,
            duration=duration,
            privacy_level=level,
            public_at=entry["create_time"] if level == PUBLIC else None,
            counts=counts,
        )
        return True
    for name, value in {"title": title, "duration": round(duration), **counts}.items():
        world.store.run(f"UPDATE posts SET {name} = ? WHERE post_id = ?", value, entry["post_id"])  # noqa: S608
    return False


def _checked(world: World, index: int, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"[{index}]: an object is expected")
    unknown = sorted(given.keys() - _FIELDS)
    if unknown:
        raise ValueError(f"[{index}].{unknown[0]}: unknown field")
    entry: dict[str, Any] = given | {"post_id": str(given.get("post_id", ""))}
    fits = {
        "post_id": entry["post_id"].isdigit() and len(entry["post_id"]) <= 32,
        "username": account_of(world, str(entry.get("username", ""))) is not None,
        "create_time": type(entry.get("create_time")) is int and entry["create_time"] > 0,
        "title": isinstance(entry.get("title", ""), str),
        "duration": _is_number(entry.get("duration", 0)),
        "privacy_level": entry.get("privacy_level", PUBLIC) in PRIVACY_LEVELS,
        **{name: entry.get(name) is None or type(entry[name]) is int and entry[name] >= 0 for name in COUNTS},
    }
    for name, fine in fits.items():
        if not fine:
            raise ValueError(f"[{index}].{name}: {entry.get(name)!r} does not fit")
    return entry


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**6


def _grown(post_id: str, age: float, views: int | None) -> dict[str, int]:
    """Counts from the id alone: a plateau between 150 and 40,000 views, neared over a day or a week."""
    luck, pace, likes, talk, spread = ((ids.seed_of(f"{post_id}/{n}") % 10_000) / 10_000 for n in range(5))
    hours = max(age, 0) / 3600
    if views is None:
        views = int(150 * 10 ** (2.4 * luck) * (1 - math.exp(-hours / (6 + 60 * pace))))
    liked = int(views * (0.02 + 0.1 * likes))
    return {
        "view_count": views,
        "like_count": liked,
        "comment_count": int(liked * (0.01 + 0.07 * talk)),
        "share_count": int(liked * (0.01 + 0.05 * spread)),
    }


def _post(row: Row) -> Post:
    return Post(**dict(row) | {"removed": bool(row["removed"])})
