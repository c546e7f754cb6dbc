"""A TikTok app in a few lines, for the sandbox's own tests: it knows nothing of the product's client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from subiteya.tiktok.sandbox import SCOPES, Sandbox

MB = 1_000_000
REDIRECT = "http://127.0.0.1:8000/callback"
JSON = {"Content-Type": "application/json; charset=UTF-8"}


def video(size: int, *, seed: int = 1) -> bytes:
    """`size` bytes that begin like an MP4."""
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    body = (bytes((seed + n) % 251 for n in range(251)) * (size // 251 + 1))[: max(size - len(head), 0)]
    return (head + body)[:size]


class App:
    """Speaks to `sandbox` over HTTP as the registered app."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.keys = {
            "client_key": sandbox.settings.client_key,
            "client_secret": sandbox.settings.client_secret,
        }

    def account(self, username: str = "luna", **fields: Any) -> str:
        """An account and an access token for it with every scope."""
        self.sandbox.add_account(username, **fields)
        return self.token(username)

    def token(self, username: str = "luna", scopes: Iterable[str] = SCOPES, **lives: Any) -> str:
        return str(self.sandbox.mint_tokens(username, scopes, **lives)["access_token"])

    def post(self, path: str, token: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {**JSON, "Authorization": f"Bearer {token}"}
        return requests.post(f"{self.sandbox.url}{path}", json=body or {}, headers=headers, timeout=10, **more)

    def creator_info(self, token: str) -> requests.Response:
        return self.post("/v2/post/publish/creator_info/query/", token)

    def init(self, token: str, size: int = 1000, **more: Any) -> requests.Response:
        """A direct post; `chunk`, `count` and post_info's fields may be given."""
        source = source_info(size, chunk=more.pop("chunk", None), count=more.pop("count", None))
        post_info = {"privacy_level": "PUBLIC_TO_EVERYONE", "title": "Hola"} | more
        body = {"post_info": post_info, "source_info": source}
        return self.post("/v2/post/publish/video/init/", token, body)

    def inbox_init(self, token: str, size: int = 1000) -> requests.Response:
        return self.post("/v2/post/publish/inbox/video/init/", token, {"source_info": source_info(size)})

    def started(self, token: str, size: int = 1000, **more: Any) -> tuple[str, str]:
        """publish_id and upload_url of a direct post."""
        data = self.init(token, size, **more).json()["data"]
        return data["publish_id"], data["upload_url"]

    def put(
        self, url: str, data: bytes, first: int = 0, *, total: int | None = None, **headers: str
    ) -> requests.Response:
        """Send `data` as the part from `first` on."""
        whole = len(data) if total is None else total
        given = {
            "Content-Type": "video/mp4",
            "Content-Range": f"bytes {first}-{first + len(data) - 1}/{whole}",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.put(url, data=data, headers=given, timeout=10)

    def publish(self, token: str, data: bytes | None = None, **post_info: Any) -> str:
        """A direct post of one part, sent whole; its publish_id."""
        data = video(1000) if data is None else data
        publish_id, url = self.started(token, len(data), **post_info)
        assert self.put(url, data).status_code == 201
        return publish_id

    def share(self, token: str) -> str:
        """A video in the inbox, sent whole; its publish_id."""
        data = self.inbox_init(token, 1000).json()["data"]
        assert self.put(data["upload_url"], video(1000)).status_code == 201
        return str(data["publish_id"])

    def status(self, token: str, publish_id: str) -> dict[str, Any]:
        answer = self.post("/v2/post/publish/status/fetch/", token, {"publish_id": publish_id})
        data: dict[str, Any] = answer.json()["data"]
        return data

    def form(self, path: str, **fields: str) -> requests.Response:
        return requests.post(f"{self.sandbox.url}{path}", data=self.keys | fields, timeout=10)

    def link(self, **changes: str) -> str:
        """The authorise link, with `changes`; an empty change leaves the parameter out."""
        query = {
            "client_key": self.keys["client_key"],
            "scope": ",".join(SCOPES),
            "redirect_uri": REDIRECT,
            "state": "st&te 1",
            "response_type": "code",
        } | changes
        given = {name: value for name, value in query.items() if value}
        return str(requests.Request("GET", f"{self.sandbox.url}/v2/auth/authorize/", params=given).prepare().url)

    def consent(self, link: str, **form: Any) -> dict[str, str]:
        """What comes back to the redirect URI when the person sends the page's form."""
        answer = requests.post(link, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def api(self, method: str, path: str, body: Any = None) -> requests.Response:
        """The sandbox's own JSON interface."""
        return requests.request(method, f"{self.sandbox.url}/_sandbox/api/{path}", json=body, timeout=10)

    def entry(self, publish_id: str) -> dict[str, Any]:
        """The ledger's row of one publish."""
        rows = {row["publish_id"]: row for row in self.sandbox.ledger()}
        return rows[publish_id]


def source_info(size: int, *, chunk: int | None = None, count: int | None = None) -> dict[str, Any]:
    chunk = size if chunk is None else chunk
    return {
        "source": "FILE_UPLOAD",
        "video_size": size,
        "chunk_size": chunk,
        "total_chunk_count": size // chunk if count is None else count,
    }


def code_of(answer: requests.Response) -> tuple[int, str]:
    """HTTP status and TikTok's code, once the answer is a proper envelope."""
    body = answer.json()
    assert set(body) == {"data", "error"}
    assert body["error"]["log_id"] == answer.headers["X-Tt-Logid"] != ""
    return answer.status_code, body["error"]["code"]
