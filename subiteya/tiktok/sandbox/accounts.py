"""The sandbox's TikTok accounts and what each creator has set in the app."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from subiteya.tiktok.sandbox import ids
from subiteya.tiktok.sandbox.store import Row
from subiteya.tiktok.sandbox.world import World

PRIVACY_LEVELS = ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
OF_PUBLIC_ACCOUNT = ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")
OF_PRIVATE_ACCOUNT = ("MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
USERNAME = re.compile(r"[A-Za-z0-9_.]{2,24}")
FLAGS = ("comment_disabled", "duet_disabled", "stitch_disabled", "is_private", "is_banned")
TEXTS = ("nickname", "bio_description")
NUMBERS = ("max_video_post_duration_sec", "daily_post_cap", "follower_count", "following_count")


@dataclass(frozen=True)
class Account:
    """One creator; the fields are TikTok's where TikTok has them."""

    username: str
    open_id: str
    union_id: str
    nickname: str
    bio_description: str
    privacy_level_options: tuple[str, ...]
    comment_disabled: bool
    duet_disabled: bool
    stitch_disabled: bool
    max_video_post_duration_sec: int
    is_private: bool
    is_banned: bool
    #: Posts in 24 hours; None: the sandbox's own `daily_post_cap`.
    daily_post_cap: int | None
    follower_count: int
    following_count: int
    created: float


def account_of(world: World, username: str) -> Account | None:
    """The account, or None."""
    row = world.store.one("SELECT * FROM accounts WHERE username = ?", username)
    return _account(row) if row else None


def all_accounts(world: World) -> list[Account]:
    """Every account, by username."""
    return [_account(row) for row in world.store.all("SELECT * FROM accounts ORDER BY username")]


def save_account(world: World, username: str, fields: Mapping[str, Any]) -> tuple[Account, bool]:
    """Create `username`, or change only the given fields of it; also says whether it is new.

    Raises ValueError naming the field that does not fit.
    """
    if not isinstance(username, str) or not USERNAME.fullmatch(username):
        raise ValueError("username: 2 to 24 letters, digits, dots and underscores")
    values = {name: _checked(name, value) for name, value in fields.items()}
    with world.store.tx():
        new = account_of(world, username) is None
        if new:
            world.store.insert("accounts", _fresh(world, username, values))
        for name, value in values.items():
            world.store.run(f"UPDATE accounts SET {name} = ? WHERE username = ?", value, username)  # noqa: S608
        account = account_of(world, username)
    assert account is not None
    return account, new


def _fresh(world: World, username: str, values: dict[str, Any]) -> dict[str, Any]:
    options = OF_PRIVATE_ACCOUNT if values.get("is_private") else OF_PUBLIC_ACCOUNT
    return {
        "username": username,
        "open_id": ids.new_open_id(),
        "union_id": ids.new_open_id(),
        "nickname": username,
        "bio_description": "",
        "privacy_level_options": json.dumps(options),
        "comment_disabled": False,
        "duet_disabled": False,
        "stitch_disabled": False,
        "max_video_post_duration_sec": 600,
        "is_private": False,
        "is_banned": False,
        "daily_post_cap": None,
        "follower_count": 200 + ids.seed_of(username) % 40_000,
        "following_count": 20 + ids.seed_of(username, size=4) % 400,
        "created": world.now(),
    }


def _checked(name: str, value: Any) -> Any:
    if name in FLAGS and isinstance(value, bool):
        return value
    if name in TEXTS and isinstance(value, str) and len(value) <= 200:
        return value.strip()
    if name in NUMBERS and type(value) is int and value >= 0:
        return value
    if name == "daily_post_cap" and value is None:
        return None
    if name == "privacy_level_options" and _is_choice(value):
        return json.dumps([level for level in PRIVACY_LEVELS if level in value])
    raise ValueError(f"{name}: unknown field, or {value!r} does not fit")


def _is_choice(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(level in PRIVACY_LEVELS for level in value)


def _account(row: Row) -> Account:
    values = dict(row)
    values["privacy_level_options"] = tuple(json.loads(row["privacy_level_options"]))
    return Account(**values | {name: bool(row[name]) for name in FLAGS})
