"""A TikTok that says exactly what a test wants: for answers that the sandbox is too well-behaved to give."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Canned:
    """`seen`: each request's method, path, headers and body."""

    status: int
    body: bytes
    headers: dict[str, str]
    url: str = ""
    seen: list[tuple[str, str, Message, bytes]] = field(default_factory=list)


@contextmanager
def answering(
    status: int, body: bytes | dict[str, Any] = b"", *, keep: bool = True, **headers: str
) -> Iterator[Canned]:
    """Serve one answer to whatever is asked, on a free port; `TOLD` in it repeats the request's secrets.

    `keep=False`: forget the bodies of the requests.
    """
    canned = Canned(status, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self._take(int(self.headers.get("Content-Length") or 0))
            canned.seen.append((self.command, self.path, self.headers, body))
            with suppress(ConnectionError):  # a client may leave in the middle of a part
                self._answer(canned.body.replace(b"TOLD", self._told(body)))

        do_GET = do_POST = do_PUT = handle_any

        def _told(self, body: bytes) -> bytes:
            form = body if "form" in self.headers.get("Content-Type", "") else b""
            return self.headers.get("Authorization", "").encode() + form

        def _answer(self, body: bytes) -> None:
            self.send_response(canned.status)
            for name, value in canned.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _take(self, length: int) -> bytes:
            if keep:
                return self.rfile.read(length)
            while length:
                length -= len(self.rfile.read(min(65536, length)))
            return b""

        def log_message(self, *_args: object) -> None:
            """Nothing: the test looks at `seen`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        canned.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield canned
        finally:
            server.shutdown()
            thread.join()


def envelope(data: Any = None, code: str = "ok", **error: str) -> dict[str, Any]:
    """TikTok's answer envelope."""
    return {"data": data or {}, "error": {"code": code, "message": "", "log_id": "L1"} | error}
