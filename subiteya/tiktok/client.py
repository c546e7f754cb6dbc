"""TikTok's calls with a person's token: creator info, posting, status, counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from subiteya.tiktok.chunks import ChunkPlan
from subiteya.tiktok.errors import (
    BadAnswer,
    HostNotAllowed,
    RangeMismatch,
    TikTokUnavailable,
    UploadExpired,
    UploadGone,
    UploadRejected,
    error_for,
)
from subiteya.tiktok.http import CONNECT_SECONDS, call, parse_json, retry_after
from subiteya.tiktok.types import (
    ChunkAnswer,
    CreatorInfo,
    InitAnswer,
    PostInfo,
    PublishStatus,
    UserInfo,
    VideoCounts,
    VideoPage,
    need,
)

BLOCK = 1 << 20
#: A line slower than this is given up on, per part.
SLOWEST_BYTES_PER_SECOND = 64_000
COUNT_FIELDS = "id,title,create_time,duration,share_url,view_count,like_count,comment_count,share_count"
USER_FIELDS = "open_id,avatar_url,display_name,username"
PROGRESS = re.compile(r"bytes\s+0-(\d+)/")


def chunk_timeout(size: int) -> float:
    """Seconds that a part of `size` bytes may take between two signs of life of the answer."""
    return 30.0 + size / SLOWEST_BYTES_PER_SECOND


class FileSlice:
    """Bytes `first` to `last` of a file, in blocks; `len()` gives Content-Length. Nothing is read ahead."""

    def __init__(self, path: Path, first: int, last: int, on_bytes: Callable[[int], None] | None) -> None:
        self._path, self._first, self._length = path, first, last - first + 1
        self._on_bytes = on_bytes

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        left = self._length
        with self._path.open("rb") as file:
            file.seek(self._first)
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise TikTokUnavailable("file_short", "the file became shorter while it was sent")
                left -= len(block)
                yield block
                if self._on_bytes:
                    self._on_bytes(self._length - left)


class TikTokClient:
    """Speaks for the owner of `access_token`.

    `upload_hosts`: hosts that parts may go to: an exact `host` or `host:port`, or `.suffix` for all below it.
    `allow_http`: only for the sandbox. Proxies of the environment are not used: an upload address is checked
    against the allowlist, and a proxy would make that check worthless.
    """

    def __init__(
        self, *, access_token: str, api_base: str, upload_hosts: Sequence[str], allow_http: bool = False,
        user_agent: str = "SubiteYa",
    ) -> None:  # fmt: skip
        self._token, self._base = access_token, api_base.rstrip("/")
        self._hosts, self._allow_http = tuple(upload_hosts), allow_http
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = user_agent

    def creator_info(self) -> CreatorInfo:
        """creator_info/query (20 a minute)."""
        data, _log_id = self._json("POST", "/v2/post/publish/creator_info/query/", {})
        return CreatorInfo.from_json(data)

    def video_init(self, post_info: PostInfo, plan: ChunkPlan) -> InitAnswer:
        """Start a direct post (6 a minute). Nothing is posted before the last byte has arrived."""
        body = {"post_info": post_info.payload(), "source_info": _source_info(plan)}
        return self._init("/v2/post/publish/video/init/", body)

    def inbox_init(self, plan: ChunkPlan) -> InitAnswer:
        """Start an upload to the person's inbox (6 a minute); the person finishes it in the app."""
        return self._init("/v2/post/publish/inbox/video/init/", {"source_info": _source_info(plan)})

    def status_fetch(self, publish_id: str) -> PublishStatus:
        """What became of an upload (30 a minute)."""
        data, log_id = self._json("POST", "/v2/post/publish/status/fetch/", {"publish_id": publish_id})
        return PublishStatus.from_json(data, log_id)

    def user_info(self, fields: str = USER_FIELDS) -> UserInfo:
        """Who the token belongs to."""
        data, _log_id = self._json("GET", f"/v2/user/info/?fields={fields}", None)
        user = need(data, "user", dict)
        return UserInfo(
            open_id=str(user.get("open_id", "")),
            username=str(user.get("username", "")),
            display_name=str(user.get("display_name", "")),
            avatar_url=str(user.get("avatar_url", "")),
        )

    def video_list(self, *, cursor: int = 0, max_count: int = 20) -> VideoPage:
        """The person's public videos, newest first, at most 20 a page."""
        body = {"cursor": cursor, "max_count": max_count} if cursor else {"max_count": max_count}
        data, _log_id = self._json("POST", f"/v2/video/list/?fields={COUNT_FIELDS}", body)
        return VideoPage(videos=_videos(data), cursor=int(data.get("cursor") or 0), has_more=bool(data.get("has_more")))

    def video_query(self, video_ids: Sequence[str]) -> tuple[VideoCounts, ...]:
        """Counts of up to 20 videos of the person."""
        body = {"filters": {"video_ids": list(video_ids)}}
        data, _log_id = self._json("POST", f"/v2/video/query/?fields={COUNT_FIELDS}", body)
        return _videos(data)

    def upload_chunk(
        self, upload_url: str, path: Path, *, first: int, last: int, video_size: int, content_type: str,
        on_bytes: Callable[[int], None] | None = None,
    ) -> ChunkAnswer:  # fmt: skip
        """PUT one part, streamed from the file; `on_bytes` hears how much of it is gone.

        Raises TikTokUnavailable (send again), RangeMismatch, UploadExpired, UploadGone, UploadRejected,
        HostNotAllowed. The token is not sent: the address carries its own.
        """
        self._check_host(upload_url)
        headers = {"Content-Type": content_type, "Content-Range": f"bytes {first}-{last}/{video_size}"}
        data = FileSlice(path, first, last, on_bytes)
        headers["Content-Length"] = str(len(data))
        response, _body = call(
            self._session, "PUT", upload_url, what="upload", data=data, headers=headers,
            timeout=(CONNECT_SECONDS, chunk_timeout(len(data))),
        )  # fmt: skip
        return _chunk_answer(response)

    def _init(self, path: str, body: dict[str, Any]) -> InitAnswer:
        data, log_id = self._json("POST", path, body)
        return InitAnswer(
            publish_id=need(data, "publish_id", str), upload_url=need(data, "upload_url", str), log_id=log_id
        )

    def _json(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[dict[str, Any], str]:
        """`data` and `log_id` of an answer whose error.code is "ok"; anything else is raised."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json; charset=UTF-8"}
        what = path.partition("?")[0]
        response, raw = call(self._session, method, self._base + path, what=what, headers=headers, json=body)
        answer = parse_json(raw, response.status_code)
        error = answer.get("error")
        if not isinstance(error, dict) or not error.get("code"):
            raise BadAnswer("bad_answer", f"{what}: no error object", status=response.status_code)
        log_id = str(error.get("log_id") or "")
        if error["code"] != "ok":
            raise error_for(
                str(error["code"]), str(error.get("message") or "")[:300], log_id=log_id,
                status=response.status_code, retry_after=retry_after(response),
            )  # fmt: skip
        data = answer.get("data")
        return (data if isinstance(data, dict) else {}), log_id

    def _check_host(self, upload_url: str) -> None:
        parts = urlsplit(upload_url)
        if parts.scheme not in (("https", "http") if self._allow_http else ("https",)):
            raise HostNotAllowed("upload_host_refused", "the upload address is not https")
        host = parts.hostname or ""
        for allowed in self._hosts:
            suffix = allowed.startswith(".") and host.endswith(allowed)
            if suffix or allowed in {host, parts.netloc} and parts.username is None:
                return
        raise HostNotAllowed("upload_host_refused", f"host {host} is not on the allowlist")


def _source_info(plan: ChunkPlan) -> dict[str, Any]:
    return {
        "source": "FILE_UPLOAD",
        "video_size": plan.video_size,
        "chunk_size": plan.chunk_size,
        "total_chunk_count": plan.total_chunk_count,
    }


def _videos(data: dict[str, Any]) -> tuple[VideoCounts, ...]:
    return tuple(VideoCounts.from_json(item) for item in need(data, "videos", list))


def _chunk_answer(response: requests.Response) -> ChunkAnswer:
    status = response.status_code
    match = PROGRESS.match(response.headers.get("Content-Range", ""))
    uploaded = int(match.group(1)) if match else None
    log_id = response.headers.get("X-Tt-Logid", "")
    if status in {200, 201, 206}:
        return ChunkAnswer(status=status, uploaded_bytes=uploaded)
    if status == 416:
        raise RangeMismatch(uploaded_bytes=uploaded, log_id=log_id)
    if status == 403:
        raise UploadExpired("upload_expired", "the upload address ran out", status=status, log_id=log_id)
    if status == 404:
        raise UploadGone("upload_gone", "no such upload", status=status, log_id=log_id)
    if status >= 500 or status == 429:
        raise TikTokUnavailable("unavailable", "upload", status=status, log_id=log_id)
    raise UploadRejected("upload_rejected", "the part was refused", status=status, log_id=log_id)
