"""TikTok's calls with a person's token: creator info, posting, status, counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.trace import get_current_span

from subiteya.tiktok.calls import Endpoint, Watch, unwatched
from subiteya.tiktok.chunks import ChunkPlan
from subiteya.tiktok.errors import error_for
from subiteya.tiktok.http import CODE_MAX, TIMEOUT, call, new_session, parse_json, quoted, retry_after, unreadable
from subiteya.tiktok.types import (
    ChunkAnswer,
    CreatorInfo,
    InitAnswer,
    PostInfo,
    PublishStatus,
    UserInfo,
    VideoCounts,
    VideoPage,
    videos_of,
)
from subiteya.tiktok.uploads import FileSlice, Hasher, check_upload_url, chunk_answer, upload_timeout

COUNT_FIELDS = "id,title,create_time,duration,share_url,view_count,like_count,comment_count,share_count"
USER_FIELDS = "open_id,avatar_url,display_name,username"


class TikTokClient:
    """Speaks for the owner of `access_token`.

    `upload_hosts`: hosts that parts may go to: an exact `host` or `host:port`, or `.suffix` for all below it.
    `allow_http`: only for the sandbox. `timeout`: seconds to connect and to wait for an answer; parts have their
    own. `watch` wraps every call. Proxies of the environment are not used. Every call raises a TikTokError when it
    does not succeed.
    """

    def __init__(
        self, *, access_token: str, api_base: str, upload_hosts: Sequence[str], allow_http: bool = False,
        timeout: tuple[float, float] = TIMEOUT, user_agent: str = "SubiteYa", watch: Watch = unwatched,
    ) -> None:  # fmt: skip
        if not allow_http and not api_base.startswith("https://"):
            raise ValueError("the token may be sent over https only")
        self._token, self._base, self._timeout = access_token, api_base.rstrip("/"), timeout
        self._hosts, self._allow_http = tuple(upload_hosts), allow_http
        self._session, self._watch = new_session(user_agent), watch

    def creator_info(self) -> CreatorInfo:
        """creator_info/query (20 a minute)."""
        return CreatorInfo.from_json(
            self._json(Endpoint.CREATOR_INFO, "POST", "/v2/post/publish/creator_info/query/", {})
        )

    def video_init(self, post_info: PostInfo, plan: ChunkPlan) -> InitAnswer:
        """Start a direct post (6 a minute). Nothing is posted before the last byte has arrived."""
        body = {"post_info": post_info.payload(), "source_info": _source_info(plan)}
        return InitAnswer.from_json(self._json(Endpoint.VIDEO_INIT, "POST", "/v2/post/publish/video/init/", body))

    def inbox_init(self, plan: ChunkPlan) -> InitAnswer:
        """Start an upload to the person's inbox (6 a minute); the person finishes it in the app."""
        body = {"source_info": _source_info(plan)}
        return InitAnswer.from_json(self._json(Endpoint.INBOX_INIT, "POST", "/v2/post/publish/inbox/video/init/", body))

    def status_fetch(self, publish_id: str) -> PublishStatus:
        """What became of an upload (30 a minute)."""
        body = {"publish_id": publish_id}
        return PublishStatus.from_json(
            self._json(Endpoint.STATUS_FETCH, "POST", "/v2/post/publish/status/fetch/", body)
        )

    def user_info(self, fields: str = USER_FIELDS) -> UserInfo:
        """Who the token belongs to."""
        return UserInfo.from_json(self._json(Endpoint.USER_INFO, "GET", f"/v2/user/info/?fields={fields}", None))

    def video_list(self, *, cursor: int = 0, max_count: int = 20) -> VideoPage:
        """The person's public videos, newest first, at most 20 a page."""
        body = {"cursor": cursor, "max_count": max_count} if cursor else {"max_count": max_count}
        return VideoPage.from_json(
            self._json(Endpoint.VIDEO_LIST, "POST", f"/v2/video/list/?fields={COUNT_FIELDS}", body)
        )

    def video_query(self, video_ids: Sequence[str]) -> tuple[VideoCounts, ...]:
        """Counts of up to 20 videos of the person."""
        body = {"filters": {"video_ids": list(video_ids)}}
        return videos_of(self._json(Endpoint.VIDEO_QUERY, "POST", f"/v2/video/query/?fields={COUNT_FIELDS}", body))

    def upload_chunk(
        self, upload_url: str, path: Path, *, first: int, last: int, video_size: int, content_type: str,
        on_bytes: Callable[[int], None] | None = None, hasher: Hasher | None = None,
    ) -> ChunkAnswer:  # fmt: skip
        """PUT one part, streamed from the file; `on_bytes` hears how much of it is gone.

        `hasher` is updated with the bytes that were really read: give a copy, since a part that was cut has to be
        hashed again. Raises TikTokUnavailable (send again), RateLimited, RangeMismatch, UploadExpired, UploadGone,
        UploadRejected, HostNotAllowed, LocalFailure. The token is not sent: the address carries its own.
        """
        check_upload_url(upload_url, hosts=self._hosts, allow_http=self._allow_http)
        data = FileSlice(path, first, last, on_bytes=on_bytes, hasher=hasher)
        headers = {
            "Content-Type": content_type,
            "Content-Range": f"bytes {first}-{last}/{video_size}",
            "Content-Length": str(len(data)),
        }
        timeout = upload_timeout(len(data))
        with self._watch(Endpoint.UPLOAD):
            response, _body = call(
                self._session, "PUT", upload_url, what="upload", timeout=timeout, data=data, headers=headers
            )
            return chunk_answer(response)

    def _json(self, endpoint: Endpoint, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """`data` and `log_id` of an answer whose error.code is "ok"; anything else is raised."""
        with self._watch(endpoint):
            return self._answer(method, path, body)

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json; charset=UTF-8"}
        what = path.partition("?")[0]
        response, raw = call(
            self._session, method, self._base + path, what=what, timeout=self._timeout, headers=headers, json=body
        )
        answer = parse_json(response, raw)
        error = answer.get("error")
        error = error if isinstance(error, dict) else {}
        code, log_id = (quoted(error.get(name), hide=[self._token], limit=CODE_MAX) for name in ("code", "log_id"))
        if code == "ok" and 200 <= response.status_code < 300:
            get_current_span().set_attribute("tiktok.log_id", log_id)
            data = answer.get("data")
            return {**(data if isinstance(data, dict) else {}), "log_id": log_id}
        if code in {"", "ok"}:
            raise unreadable(response, f"{what}: no error code", log_id=log_id)
        raise error_for(
            code, quoted(error.get("message"), hide=[self._token]), log_id=log_id,
            status=response.status_code, retry_after=retry_after(response),
        )  # fmt: skip


def _source_info(plan: ChunkPlan) -> dict[str, Any]:
    return {
        "source": "FILE_UPLOAD",
        "video_size": plan.video_size,
        "chunk_size": plan.chunk_size,
        "total_chunk_count": plan.total_chunk_count,
    }
