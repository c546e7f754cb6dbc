"""Takes webhooks, or refuses them first."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.processes import wait_for


class Receiver:
    """`refusals` answers 500 come first; `got` holds (headers, raw body) of every attempt."""

    def __init__(self) -> None:
        self.refusals = 0
        self.got: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = len(outer.got) < outer.refusals
                outer.got.append((dict(self.headers), body))
                self.send_response(500 if refused else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def events(self, count: int) -> list[dict[str, Any]]:
        """The bodies, once there are `count` of them."""
        wait_for(lambda: len(self.got) >= count, seconds=10)
        return [json.loads(body) for _, body in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
