"""What an init call may say: every field of `content-posting-api-reference-direct-post`, checked one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

from subiteya.tiktok.sandbox.accounts import PRIVACY_LEVELS
from subiteya.tiktok.sandbox.errors import ApiError

MB = 1_000_000
MIN_CHUNK = 5 * MB
MAX_CHUNK = 64 * MB
MAX_LAST_CHUNK = 128 * MB
MAX_CHUNKS = 1000
MAX_VIDEO = 4_000 * MB
MAX_TITLE_UNITS = 2200

FLAGS = (
    "disable_comment",
    "disable_duet",
    "disable_stitch",
    "brand_content_toggle",
    "brand_organic_toggle",
    "is_aigc",
)
POST_FIELDS = {"privacy_level", "title", "video_cover_timestamp_ms", *FLAGS}
FILE_FIELDS = {"source", "video_size", "chunk_size", "total_chunk_count"}


class Plan(NamedTuple):
    """How the bytes will come: sizes in bytes; the last part takes the rest."""

    video_size: int
    chunk_size: int
    total_chunk_count: int

    def bounds(self, part: int) -> tuple[int, int]:
        """First and last byte (inclusive) of the zero-based `part`."""
        first = part * self.chunk_size
        is_last = part == self.total_chunk_count - 1
        return first, self.video_size - 1 if is_last else first + self.chunk_size - 1

    def part_at(self, first: int) -> int:
        """The zero-based part that byte `first` falls into."""
        return min(first // self.chunk_size, self.total_chunk_count - 1)


def check_post_info(post_info: Any) -> dict[str, Any]:
    """`post_info` as given, or ApiError invalid_params naming the field."""
    if not isinstance(post_info, dict):
        raise _invalid("post_info is required and is an object.")
    _no_others("post_info", post_info, POST_FIELDS)
    if post_info.get("privacy_level") not in PRIVACY_LEVELS:
        raise _invalid("post_info.privacy_level is required and is one of TikTok's levels.")
    _check_title(post_info.get("title", ""))
    for name in FLAGS:
        if not isinstance(post_info.get(name, False), bool):
            raise _invalid(f"post_info.{name} is a boolean.")
    cover = post_info.get("video_cover_timestamp_ms", 0)
    if type(cover) is not int or cover < 0:
        raise _invalid("post_info.video_cover_timestamp_ms is a whole number of milliseconds.")
    if post_info.get("brand_content_toggle") and post_info["privacy_level"] == "SELF_ONLY":
        raise _invalid("Branded content cannot be posted as SELF_ONLY.")
    return post_info


def check_source_info(source_info: Any, *, chunk_rule: str) -> Plan:
    """The plan of a FILE_UPLOAD, or ApiError. PULL_FROM_URL is refused: no domain is verified here."""
    if not isinstance(source_info, dict):
        raise _invalid("source_info is required and is an object.")
    source = source_info.get("source")
    if source == "PULL_FROM_URL":
        _check_pull(source_info)
    if source != "FILE_UPLOAD":
        raise _invalid("source_info.source is FILE_UPLOAD or PULL_FROM_URL.")
    _no_others("source_info", source_info, FILE_FIELDS)
    plan = Plan(*(_whole(source_info, name) for name in Plan._fields))
    check_plan(plan, chunk_rule=chunk_rule)
    return plan


def check_plan(plan: Plan, *, chunk_rule: str) -> None:
    """The limits of `content-posting-api-media-transfer-guide`. Raises ApiError invalid_params."""
    size, chunk, count = plan
    if size > MAX_VIDEO:
        raise _invalid("The video size is invalid: at most 4 GB.")
    if size < MIN_CHUNK and chunk != size:
        raise _invalid("The chunk size is invalid: under 5 MB the video goes whole.")
    if size >= MIN_CHUNK and not MIN_CHUNK <= chunk <= MAX_CHUNK:
        raise _invalid("The chunk size is invalid: 5 MB to 64 MB.")
    if count > MAX_CHUNKS:
        raise _invalid("The total chunk count is invalid: at most 1000.")
    fits = size // chunk == count if chunk_rule == "count" else size // count == chunk
    if not fits:
        raise _invalid("The total chunk count is invalid.")
    if size > MAX_CHUNK and count == 1:
        raise _invalid("The chunk size is invalid: over 64 MB the video goes in several.")
    first, last = plan.bounds(count - 1)
    if last - first + 1 > MAX_LAST_CHUNK:
        raise _invalid("The chunk size is invalid: the last part is over 128 MB.")


def _check_title(title: Any) -> None:
    if not isinstance(title, str):
        raise _invalid("post_info.title is a string.")
    if len(title.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TITLE_UNITS:
        raise _invalid("post_info.title has at most 2200 UTF-16 units.")


def _check_pull(source_info: dict[str, Any]) -> None:
    _no_others("source_info", source_info, {"source", "video_url"})
    if not str(source_info.get("video_url", "")).startswith("https://"):
        raise _invalid("source_info.video_url is required and is an https address.")
    raise ApiError("url_ownership_unverified", "The domain of video_url is not verified for this app.")


def _whole(source_info: dict[str, Any], name: str) -> int:
    value = source_info.get(name)
    if type(value) is not int or value < 1:
        raise _invalid(f"source_info.{name} is required and is a positive whole number.")
    return value


def _no_others(place: str, given: dict[str, Any], known: set[str]) -> None:
    others = sorted(given.keys() - known)
    if others:
        raise _invalid(f"{place}.{others[0]} is not a field.")


def _invalid(message: str) -> ApiError:
    return ApiError("invalid_params", message)
