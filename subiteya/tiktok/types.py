"""What goes to TikTok and what comes back, under TikTok's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from subiteya.tiktok.errors import BadAnswer

#: Longest title of a post, in UTF-16 units.
TITLE_MAX_UTF16 = 2200
#: Longest publish_id (content-posting-api-reference-direct-post).
PUBLISH_ID_MAX = 64
#: Counts from here on fit no 64-bit column.
COUNT_END = 1 << 63


def utf16_len(value: str) -> int:
    """Length as TikTok counts it: an emoji outside the basic plane is two."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def text(data: Mapping[str, Any], name: str) -> str:
    """`data[name]` if it is a text or an integer, else empty; without what no database takes (NUL, half an emoji)."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).encode(errors="ignore").decode().replace("\0", "")


def count_of(data: Mapping[str, Any], name: str) -> int | None:
    """`data[name]` as a count, also when it came as a text of digits; None for anything else."""
    value = data.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < COUNT_END else None


def number(data: Mapping[str, Any], name: str) -> int:
    """As `count_of`, with 0 for what is absent or cannot be read."""
    return count_of(data, name) or 0


def need(data: Mapping[str, Any], name: str, kind: type) -> Any:
    """`data[name]` if it is a `kind`; BadAnswer names the field, never its value. `data` carries its `log_id`."""
    value = data.get(name)
    if isinstance(value, bool) and kind is int or not isinstance(value, kind):
        message = f"field {name} is missing or is no {kind.__name__}"
        raise BadAnswer("bad_answer", message, log_id=text(data, "log_id"))
    return value


def filled(data: Mapping[str, Any], name: str) -> str:
    """`data[name]`, a text that is not empty, or BadAnswer."""
    value: str = need(data, name, str)
    if not value:
        raise BadAnswer("bad_answer", f"field {name} is empty", log_id=text(data, "log_id"))
    return value


@dataclass(frozen=True, kw_only=True)
class TokenAnswer:
    """An answer of the token endpoint. Lifetimes in seconds.

    `refresh_token` may be empty on a refresh: then the old one goes on working, and must not be overwritten.
    """

    open_id: str
    scope: tuple[str, ...]
    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(repr=False)
    refresh_expires_in: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises BadAnswer for a missing or wrong field. The refresh token may be absent."""
        refresh = data.get("refresh_token") or ""
        if not isinstance(refresh, str):
            raise BadAnswer("bad_answer", "field refresh_token is no str")
        scope = need(data, "scope", str)
        return cls(
            open_id=filled(data, "open_id"),
            scope=tuple(item.strip() for item in scope.replace(" ", ",").split(",") if item.strip()),
            access_token=filled(data, "access_token"),
            expires_in=need(data, "expires_in", int),
            refresh_token=refresh,
            refresh_expires_in=need(data, "refresh_expires_in", int) if refresh else 0,
        )


@dataclass(frozen=True, kw_only=True)
class CreatorInfo:
    """What a creator may post now. `max_video_post_duration_sec` 0: unknown."""

    creator_username: str
    creator_nickname: str
    creator_avatar_url: str = ""
    privacy_level_options: tuple[str, ...]
    comment_disabled: bool
    duet_disabled: bool
    stitch_disabled: bool
    max_video_post_duration_sec: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            creator_username=text(data, "creator_username"),
            creator_nickname=text(data, "creator_nickname"),
            creator_avatar_url=text(data, "creator_avatar_url"),
            privacy_level_options=tuple(str(item) for item in need(data, "privacy_level_options", list)),
            comment_disabled=bool(data.get("comment_disabled", False)),
            duet_disabled=bool(data.get("duet_disabled", False)),
            stitch_disabled=bool(data.get("stitch_disabled", False)),
            max_video_post_duration_sec=number(data, "max_video_post_duration_sec"),
        )


@dataclass(frozen=True, kw_only=True)
class PostInfo:
    """`post_info` of a direct post."""

    privacy_level: str
    title: str = ""
    disable_comment: bool = True
    disable_duet: bool = True
    disable_stitch: bool = True
    video_cover_timestamp_ms: int = 0
    brand_content_toggle: bool = False
    brand_organic_toggle: bool = False
    is_aigc: bool = False

    def __post_init__(self) -> None:
        if utf16_len(self.title) > TITLE_MAX_UTF16:
            raise ValueError(f"a title has at most {TITLE_MAX_UTF16} UTF-16 units")

    def payload(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class InitAnswer:
    """A started upload; `upload_url` carries a token and is kept out of every repr."""

    publish_id: str
    upload_url: str = field(repr=False)
    log_id: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises BadAnswer for a missing field, or a `publish_id` that is longer than TikTok says it can be."""
        publish_id, log_id = filled(data, "publish_id"), text(data, "log_id")
        if len(publish_id) > PUBLISH_ID_MAX:
            raise BadAnswer("bad_answer", "field publish_id is too long", log_id=log_id)
        return cls(publish_id=publish_id, upload_url=filled(data, "upload_url"), log_id=log_id)


@dataclass(frozen=True, kw_only=True)
class ChunkAnswer:
    """A stored part: `status` 206 (more to come) or 201 (all there); TikTok's figure of what it has."""

    status: int
    uploaded_bytes: int | None


class TikTokStatus(StrEnum):
    """TikTok's post status, verbatim."""

    PROCESSING_UPLOAD = "PROCESSING_UPLOAD"
    PROCESSING_DOWNLOAD = "PROCESSING_DOWNLOAD"
    SEND_TO_USER_INBOX = "SEND_TO_USER_INBOX"
    PUBLISH_COMPLETE = "PUBLISH_COMPLETE"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class PublishStatus:
    """An answer of status/fetch. `post_ids` is empty for private posts and until moderation ends."""

    status: TikTokStatus
    fail_reason: str = ""
    post_ids: tuple[str, ...] = ()
    uploaded_bytes: int | None = None
    log_id: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises BadAnswer for a status that is not in `TikTokStatus`."""
        log_id = text(data, "log_id")
        status = TikTokStatus.__members__.get(text(data, "status"))
        if status is None:
            raise BadAnswer("bad_answer", "unknown status", log_id=log_id)
        return cls(
            status=status,
            fail_reason=text(data, "fail_reason")[:64],
            post_ids=_post_ids(data),
            uploaded_bytes=count_of(data, "uploaded_bytes"),
            log_id=log_id,
        )


def _post_ids(data: Mapping[str, Any]) -> tuple[str, ...]:
    """TikTok's spelling or the right one, a list or a single value."""
    value = data.get("publicaly_available_post_id") or data.get("publicly_available_post_id") or []
    items = value if isinstance(value, list) else [value]
    return tuple(str(item) for item in items if item and isinstance(item, str | int))


@dataclass(frozen=True, kw_only=True)
class UserInfo:
    """Who a token belongs to; fields that were not asked or granted are empty."""

    open_id: str
    username: str = ""
    display_name: str = ""
    avatar_url: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        user = need(data, "user", dict)
        return cls(**{name: text(user, name) for name in ("open_id", "username", "display_name", "avatar_url")})


@dataclass(frozen=True, kw_only=True)
class VideoCounts:
    """A published video and its counts (Display API). `create_time` in Unix seconds."""

    id: str
    title: str = ""
    create_time: int = 0
    duration: int = 0
    share_url: str = ""
    view_count: int = 0
    like_count: int = 0
    comment_count: int = 0
    share_count: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        numbers = ("create_time", "duration", "view_count", "like_count", "comment_count", "share_count")
        return cls(
            id=filled(data, "id"),
            title=text(data, "title"),
            share_url=text(data, "share_url"),
            **{name: number(data, name) for name in numbers},
        )


def videos_of(data: Mapping[str, Any]) -> tuple[VideoCounts, ...]:
    """The `videos` of video/list and video/query."""
    return tuple(VideoCounts.from_json(item if isinstance(item, dict) else {}) for item in need(data, "videos", list))


@dataclass(frozen=True, kw_only=True)
class VideoPage:
    """A page of video/list."""

    videos: tuple[VideoCounts, ...]
    cursor: int
    has_more: bool

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(videos=videos_of(data), cursor=number(data, "cursor"), has_more=data.get("has_more") is True)


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """A webhook's content, unpacked. Absent values are empty."""

    event: str
    create_time: int
    user_openid: str
    publish_id: str = ""
    post_id: str = ""
    reason: str = ""
